// Flags, environment and the files they name to a Config, or to all that is wrong with them; for start, check and reload.
import { resolve } from "node:path";
import type { UpstreamSpec } from "../core/upstream.ts";
import { assembleConfig, webhooksOf } from "./assemble.ts";
import type { Config } from "./config.ts";
import { detourBackends, readDetours, warnOfIdle } from "./connect-to.ts";
import {
  type ConfigSource,
  findDefaultFile,
  findSources,
  warnOfUnread,
  mergeOptions,
  readDrafts,
} from "./config-files.ts";
import { draftOfUpstreams } from "./dialect-trustgate.ts";
import type { Draft, DraftTerms } from "./draft.ts";
import { createEgress } from "./egress.ts";
import { readProviders } from "./environment.ts";
import type { ReadFile } from "./files.ts";
import type { FlagSpec, ParsedFlags } from "./flags.ts";
import { joinDrafts } from "./join-draft.ts";
import { warnOfNearMisses } from "./near-miss.ts";
import { warnOfListening } from "./listening.ts";
import { isLoopback, plainHost } from "./network.ts";
import type { Option } from "./option.ts";
import { type OptionKey, OPTIONS } from "./options.ts";
import { createNotes, type Notes, type Problem, quoted } from "./problem.ts";
import { type Resolved, viewResolved } from "./resolved.ts";
import { splitList } from "./readers.ts";
import { type Given, isChosen, placeOf, resolveOptions, type ResolvedOptions } from "./resolve-options.ts";
import { findVariable, gatherVariables, type Variable, type Variables } from "./variables.ts";

export interface LoadInput {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly flags: ParsedFlags;
  /** Throws when the file cannot be read. */
  readonly readFile: ReadFile;
  /** This machine's name. */
  readonly hostname: string;
  /** Names in a folder; throws when it cannot be read. */
  readonly listFolder: (path: string) => readonly string[];
  /** What relative paths are relative to; absent: whatever `readFile` makes of them. */
  readonly cwd?: string;
  /** What the admin API keeps in this file, in use beside everything else; tells what is wrong with the file. */
  readonly upstreams?: (stateFile: string, notes: Notes) => readonly UpstreamSpec[];
}

export type Loaded =
  | { readonly kind: "config"; readonly config: Config; readonly resolved: Resolved }
  /** `watched`: files that may hold the cure. */
  | {
      readonly kind: "problems";
      readonly problems: readonly Problem[];
      readonly warnings: readonly string[];
      readonly watched: readonly string[];
    }
  /** Nothing is wrong, but there is no backend at all. */
  | { readonly kind: "empty"; readonly warnings: readonly string[] };

/** The flags that loadConfig understands; commands add their own. */
export const CONFIG_FLAGS: readonly FlagSpec[] = [
  ...OPTIONS.flatMap((option: Option) => option.flag ?? []),
  { name: "config", takes: "value", repeatable: true },
  { name: "enabled-sources", takes: "value" },
  { name: "env-file", takes: "value", repeatable: true },
  { name: "connect-to", takes: "value", repeatable: true },
];

export function loadConfig({ env, flags, readFile, hostname, ...given }: LoadInput): Loaded {
  const { listFolder, cwd } = given;
  const notes = createNotes();
  notes.problems.push(...flags.problems);
  const place = (path: string) => (cwd === undefined ? path : resolve(cwd, path));
  const placeOrNone = (path: string) => (path === "" ? "" : place(path));
  const read: ReadFile = (path) => readFile(place(path));

  const envFiles = flags.given.get("env-file") ?? [];
  const variables = gatherVariables({ env, envFiles, readFile: read }, notes);
  const sources = findSources(flags, variables);
  const areProvidersNamed = sources.length === 0 && hasProviders(variables, read);
  if (areProvidersNamed) warnOfUnread(read, notes);
  const fallback = sources.length === 0 && !areProvidersNamed ? findDefaultFile(read) : undefined;
  const enabledSources = flags.given.get("enabled-sources")?.flatMap(splitList);
  const terms: DraftTerms = {
    variables,
    readFile: read,
    listFolder(path) {
      notes.watched.push(path);
      return [...listFolder(place(path))].sort();
    },
    ...(enabledSources === undefined ? {} : { enabledSources }),
    notes,
  };
  const files = fallback === undefined ? sources : [fallback];
  const drafts = readDrafts(files, terms);
  const options = resolveFrom(flags, { variables, drafts }, notes);
  notes.warnings.push(...warnOfListening(options, drafts), ...warnOfNearMisses(variables));

  const { values } = options;
  const listener = { host: values["server.host"], port: values["server.port"], hostname };
  const egress = createEgress(variables, values["upstream.proxy"], notes);
  // Beside another system's file, variables are there to fill its references.
  const areVariablesUsed = !drafts.some(({ isForeign }) => isForeign);
  const entries = areVariablesUsed
    ? readProviders({ variables, readFile: read, listener, egress }, notes)
    : [];
  const upstreams = given.upstreams?.(placeOrNone(values["admin.state_file"]), notes) ?? [];
  const all = upstreams.length === 0 ? drafts : [...drafts, draftOfUpstreams(upstreams)];
  const strategy = { name: values.strategy, isChosen: isChosen(options, "strategy") };
  const joined = joinDrafts(all, { entries, egress, listener, strategy }, notes);
  const detours = readDetours(flags.given.get("connect-to") ?? [], listener, notes);
  const configured = joined.entries.flatMap(({ backends: own, derived = [] }) => [
    ...new Set([...own, ...derived]),
  ]);
  const backends = detourBackends(configured, detours);
  const config = assembleConfig({ options, joined, backends, readFile: read, egress, detours }, notes);
  const webhooks = webhooksOf({ options, joined }).map(({ url }) => new URL(url.reveal()));
  warnOfIdle(
    detours,
    [...configured, ...webhooks].map(({ origin }) => origin),
    notes,
  );
  const watched = [...new Set(notes.watched.map(place))];
  const { problems, warnings } = notes;
  if (problems.length > 0) return { kind: "problems", problems, warnings, watched };
  if (backends.length === 0) {
    if (files.length === 0 && config.adminKey === undefined) return { kind: "empty", warnings };
    warnings.push("no backend is configured yet; requests are answered 503 or 404 until there is one");
  }
  const complete = { ...config, warnings, watched, files: files.map(nameOf) };
  return { kind: "config", config: complete, resolved: viewResolved({ options, joined, config: complete }) };
}

const nameOf = (source: ConfigSource): string => (source.kind === "file" ? source.path : source.where);

/** True when variables alone make a start, or were meant to. */
function hasProviders(variables: Variables, readFile: ReadFile): boolean {
  const notes = createNotes();
  const listener = { host: "127.0.0.1", port: 0, hostname: "" };
  const entries = readProviders({ variables, readFile, listener, egress: () => undefined }, notes);
  return entries.length > 0 || notes.problems.length > 0;
}

function resolveFrom(
  flags: ParsedFlags,
  { variables, drafts }: { readonly variables: Variables; readonly drafts: readonly Draft[] },
  notes: Notes,
): ResolvedOptions {
  const inFiles = mergeOptions(drafts, notes);
  const options = resolveOptions({
    flags: (option) => fromFlags(option, flags),
    env: (option) => fromVariables(option, variables),
    file: (option) => inFiles.get(option.key as OptionKey),
  });
  notes.problems.push(...options.problems, ...disagreements(options));
  return options;
}

function fromFlags({ flag }: Option, { given }: ParsedFlags): Given | undefined {
  const text = flag === undefined ? undefined : given.get(flag.name)?.at(-1);
  return flag === undefined || text === undefined ? undefined : { text, where: `--${flag.name}` };
}

function fromVariables({ variables: names }: Option, variables: Variables): Given | undefined {
  return names.flatMap((name) => usable(findVariable(variables, name)))[0];
}

/** In a pod beside a service named weir, Kubernetes sets WEIR_PORT=tcp://10.0.0.1:8080; it means nothing to us. */
function usable(variable: Variable | undefined): Variable[] {
  return variable === undefined || /^(tcp|udp):\/\//.test(variable.text.trim()) ? [] : [variable];
}

/** What each option alone cannot know. */
function disagreements(options: ResolvedOptions): Problem[] {
  const { values } = options;
  const problems: Problem[] = [];
  const kind = "configuration";
  const host = values["server.host"];
  if (!isLoopback(plainHost(host)) && values["access_keys"].length === 0 && !values["server.open"])
    problems.push({
      kind,
      where: placeOf(options, "server.host"),
      expected:
        "a loopback address as long as anyone may call (set WEIR_ACCESS_KEYS to what clients must send, " +
        "or --open, WEIR_OPEN=1, to let everybody who reaches it use your keys)",
      found: quoted(host),
    });
  if (values["buffers.request"] > values["buffers.all_requests"])
    problems.push({
      kind,
      where: placeOf(options, "buffers.request"),
      expected: "at most buffers.all_requests (WEIR_BUFFERS_ALL_REQUESTS)",
      found: `${values["buffers.request"]} bytes of ${values["buffers.all_requests"]}`,
    });
  return problems;
}
