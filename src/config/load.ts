// Flags, environment and the files they name to a Config, or to all that is wrong with them; for start, check and reload.
import { resolve } from "node:path";
import { assembleConfig } from "./assemble.ts";
import type { Config } from "./config.ts";
import { detour } from "./connect-to.ts";
import { createEgress } from "./egress.ts";
import { readProviders } from "./environment.ts";
import type { ReadFile } from "./files.ts";
import type { FlagSpec, ParsedFlags } from "./flags.ts";
import { warnOfNearMisses } from "./near-miss.ts";
import { isLoopback, plainHost } from "./network.ts";
import type { Option } from "./option.ts";
import { OPTIONS } from "./options.ts";
import { createNotes, type Problem, quoted } from "./problem.ts";
import { type Resolved, viewResolved } from "./resolved.ts";
import { type Given, placeOf, resolveOptions, type ResolvedOptions } from "./resolve-options.ts";
import { findVariable, gatherVariables, type Variable, type Variables } from "./variables.ts";

export interface LoadInput {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly flags: ParsedFlags;
  /** Throws when the file cannot be read. */
  readonly readFile: ReadFile;
  /** This machine's name. */
  readonly hostname: string;
  /** What relative paths are relative to; absent: whatever `readFile` makes of them. */
  readonly cwd?: string;
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
  { name: "env-file", takes: "value", repeatable: true },
  { name: "connect-to", takes: "value", repeatable: true },
];

export function loadConfig({ env, flags, readFile, hostname, cwd }: LoadInput): Loaded {
  const notes = createNotes();
  notes.problems.push(...flags.problems);
  const place = (path: string) => (cwd === undefined ? path : resolve(cwd, path));
  const read: ReadFile = (path) => readFile(place(path));

  const envFiles = flags.given.get("env-file") ?? [];
  const variables = gatherVariables({ env, envFiles, readFile: read }, notes);
  const options = resolveOptions({
    flags: (option) => fromFlags(option, flags),
    env: (option) => fromVariables(option, variables),
  });
  notes.problems.push(...options.problems, ...disagreements(options));
  notes.warnings.push(...warnOfNearMisses(variables));

  const { values } = options;
  const listener = { host: values["server.host"], port: values["server.port"], hostname };
  const egress = createEgress(variables, values["upstream.proxy"], notes);
  const entries = readProviders({ variables, readFile: read, listener, egress }, notes);
  const backends = detour(
    entries.flatMap((entry) => entry.backends),
    { flags: flags.given.get("connect-to") ?? [], listener },
    notes,
  );
  const config = assembleConfig({ options, entries, backends, readFile: read }, notes);
  const watched = [...new Set(notes.watched.map(place))];
  const { problems, warnings } = notes;
  if (problems.length > 0) return { kind: "problems", problems, warnings, watched };
  if (backends.length === 0) return { kind: "empty", warnings };
  const complete = { ...config, warnings, watched };
  return { kind: "config", config: complete, resolved: viewResolved({ options, entries, config: complete }) };
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
