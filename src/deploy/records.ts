// What is known of every service that was started: kept here in one file, and with the service on its node.
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { ENGINE_NAMES, type EngineName } from "./engines.ts";
import { holdFile } from "./hold-file.ts";
import { readIfThere, replaceFile } from "./replace-file.ts";

export interface ServiceRecord {
  /** Letters, digits, dots, dashes and underscores; never used twice. */
  readonly id: string;
  readonly host: string;
  readonly index: number;
  readonly engine: EngineName;
  readonly servedName: string;
  readonly gpus: readonly number[];
  readonly port: number;
  /** Ends in /v1. */
  readonly url: string;
  /** Where its row stands, or will. */
  readonly backendFile: string;
  /** ISO 8601. */
  readonly startedAt: string;
}

export interface Records {
  readonly path: string;
  readonly all: () => readonly ServiceRecord[];
  /** Both give what went wrong with the file: a disk that is full must not end a run with services under way. */
  readonly add: (record: ServiceRecord) => string | undefined;
  readonly remove: (ids: ReadonlySet<string>) => string | undefined;
}

const VERSION = 1;
const OWNER_ONLY = 0o600;

/** Read anew for every change, by one process at a time, so that two runs side by side keep each other's services. */
export function openRecords(environment: Readonly<Record<string, string | undefined>>): Records {
  const given = environment["XDG_STATE_HOME"] ?? "";
  const home = environment["HOME"] || homedir();
  // A relative one is not valid (XDG Base Directory Specification), and would be another file in every folder.
  const path = join(isAbsolute(given) ? given : join(home, ".local/state"), "weir/deploy.json");
  const all = (): readonly ServiceRecord[] => {
    let text: string | undefined;
    try {
      text = readIfThere(path);
    } catch (error) {
      if (!(error instanceof Error && "code" in error)) throw error;
      throw new RecordsFlaw(`cannot read ${path}: ${String(error.code)}`, { cause: error });
    }
    return text === undefined ? [] : readRecords(text, path);
  };
  const write = (services: readonly ServiceRecord[]): void =>
    replaceFile(path, `${JSON.stringify({ version: VERSION, services }, null, 2)}\n`, OWNER_ONLY);
  const change = (work: () => void): string | undefined => {
    try {
      holdFile(path, work);
      return undefined;
    } catch (error) {
      if (error instanceof RecordsFlaw) return error.message;
      if (error instanceof Error && "code" in error) return `cannot write ${path}: ${error.message}`;
      throw error;
    }
  };
  return {
    path,
    all,
    add: (record) => change(() => write([...all().filter(({ id }) => id !== record.id), record])),
    remove: (ids) =>
      change(() => {
        const before = all();
        const kept = before.filter(({ id }) => !ids.has(id));
        if (kept.length < before.length) write(kept);
      }),
  };
}

function readRecords(text: string, path: string): readonly ServiceRecord[] {
  const state = parseJson(text);
  const { version, services } = isMap(state) ? state : {};
  if (version !== VERSION || !Array.isArray(services))
    throw new RecordsFlaw(`cannot read ${path}: expected the record of services that weir wrote`);
  return services.flatMap((each) => asRecord(each) ?? []);
}

/** Nothing is started or stopped on a record that cannot be read. */
export class RecordsFlaw extends Error {}

/** What a node kept of a service; undefined when another version wrote it. */
export const readRecord = (line: string | undefined): ServiceRecord | undefined =>
  line === undefined ? undefined : asRecord(parseJson(line));

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function asRecord(value: unknown): ServiceRecord | undefined {
  if (!isMap(value)) return undefined;
  const texts = ["id", "host", "engine", "servedName", "url", "backendFile", "startedAt"];
  const isWhole =
    texts.every((key) => typeof value[key] === "string") &&
    ["index", "port"].every((key) => Number.isSafeInteger(value[key])) &&
    Array.isArray(value["gpus"]) &&
    value["gpus"].every((gpu) => Number.isSafeInteger(gpu)) &&
    (ENGINE_NAMES as readonly unknown[]).includes(value["engine"]) &&
    /^[A-Za-z0-9_][\w.-]*$/.test(value["id"] as string);
  return isWhole ? (value as unknown as ServiceRecord) : undefined;
}
