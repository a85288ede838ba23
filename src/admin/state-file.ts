// The file that keeps upstreams over restarts: versioned JSON, replaced whole and at once, readable by its owner alone.
import { readFileSync } from "node:fs";
import { open, realpath, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Secret } from "../core/credential.ts";
import type { UpstreamBody } from "../core/upstream.ts";

/** One upstream as it is kept. */
export interface Entry {
  readonly id: string;
  /** Counts from 1 with every change. */
  readonly revision: number;
  readonly body: UpstreamBody;
}

/** As the file has it: bodies are not read yet. */
export interface RawEntry {
  readonly id: string;
  readonly revision: number;
  readonly body: unknown;
}

export type ReadEntries =
  | { readonly kind: "entries"; readonly entries: readonly RawEntry[] }
  | { readonly kind: "flaw"; readonly flaw: { readonly expected: string; readonly found?: string } };

const VERSION = 1;

/** A file that is not there, or no path at all, holds no upstreams. */
export function readEntries(path: string): ReadEntries {
  const text = path === "" ? undefined : readText(path);
  if (text === undefined) return { kind: "entries", entries: [] };
  if (typeof text !== "string") return text;
  let state: unknown;
  try {
    state = JSON.parse(text);
  } catch {
    return flaw("the JSON that weir wrote"); // the parser's message may quote a key
  }
  const { version, upstreams } = isMap(state) ? state : {};
  if (version !== VERSION) return flaw(`"version": ${VERSION}, as this weir writes it`);
  if (!Array.isArray(upstreams)) return flaw('a list under "upstreams"');
  const entries = upstreams.filter(isRawEntry);
  if (entries.length < upstreams.length) return flaw("an id, a revision and a body for every upstream");
  if (new Set(entries.map(({ id }) => id)).size < entries.length) return flaw("every id once");
  return { kind: "entries", entries };
}

function readText(path: string): string | undefined | ReadEntries {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    return code === "ENOENT" ? undefined : flaw("a readable file", code);
  }
}

const flaw = (expected: string, found?: string): ReadEntries => ({
  kind: "flaw",
  flaw: { expected, ...(found === undefined ? {} : { found }) },
});

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isRawEntry = (value: unknown): value is RawEntry =>
  isMap(value) &&
  typeof value["id"] === "string" &&
  Number.isSafeInteger(value["revision"]) &&
  isMap(value["body"]);

/** The steps of a replacement that a test may break. */
export interface FileSteps {
  readonly rename: (from: string, to: string) => Promise<void>;
}

const OWNER_ONLY = 0o600;

/**
 * Written beside the file, flushed, and renamed over it: a crash at any point leaves the old one or the new one. Throws
 * what the system says; then the old file stands.
 */
export async function replaceEntries(
  path: string,
  entries: readonly Entry[],
  steps: FileSteps = { rename },
): Promise<void> {
  const target = await followLinks(path);
  // One name, so that what a crash left behind is removed by the next writing.
  const draft = join(dirname(target), `.${basename(target)}.new`);
  await unlink(draft).catch(ignoreMissing);
  const text = `${JSON.stringify({ version: VERSION, upstreams: entries.map(revealed) }, null, 2)}\n`;
  try {
    // `wx`: never through a link that somebody put there.
    const file = await open(draft, "wx", OWNER_ONLY);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await steps.rename(draft, target);
  } catch (error) {
    await unlink(draft).catch(ignoreMissing);
    throw error;
  }
  await syncFolder(dirname(target));
}

/** A link stays a link, and the file that it leads to is replaced. */
async function followLinks(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return path;
    throw error;
  }
}

/** Without it the rename itself could be lost with the power; not every system lets a folder be opened. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r").catch(() => undefined);
  try {
    await folder?.sync();
  } catch (error) {
    if (codeOf(error) !== "EINVAL" && codeOf(error) !== "EPERM") throw error;
  } finally {
    await folder?.close();
  }
}

function ignoreMissing(error: unknown): void {
  if (codeOf(error) !== "ENOENT") throw error;
}

/** The system's code of an error: `EACCES`. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** The only place where the secrets of a body are written out. */
function revealed(entry: Entry): unknown {
  const reveal = (value: unknown): unknown => {
    if (value instanceof Secret) return value.reveal();
    if (Array.isArray(value)) return value.map(reveal);
    if (!isMap(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, reveal(each)]));
  };
  return { id: entry.id, revision: entry.revision, body: reveal(entry.body) };
}
