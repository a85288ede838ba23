// Loads the configuration for commands from the real environment and files, and says what is wrong with it.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { hostname } from "node:os";
import type { ParsedFlags } from "../config/flags.ts";
import { type Loaded, loadConfig } from "../config/load.ts";
import { exitCodeOf, formatProblem, type Problem } from "../config/problem.ts";
import type { Resolved } from "../config/resolved.ts";
import { MOST_FILE_BYTES } from "../config/tree-limits.ts";
import { isStream } from "../config/watch.ts";
import { loadCustomStrategy } from "../config/custom-strategy.ts";
import type { Strategy } from "../core/seams.ts";
import { customPath, readStrategyName } from "../core/strategy.ts";
import { createCustom } from "../core/strategy-custom.ts";
import { type Invocation, EXIT } from "./invocation.ts";
import { readUpstreams, type ReadUpstreams } from "./upstreams.ts";

export function loadFromWorld(
  env: Invocation["env"],
  flags: ParsedFlags,
  upstreams: ReadUpstreams = readUpstreams,
): Loaded {
  return loadConfig({
    env,
    flags,
    readFile: readWhole,
    listFolder: (path) => readdirSync(path),
    hostname: hostname(),
    cwd: process.cwd(),
    upstreams,
  });
}

/** What came through pipes and standard input, which give it once; a reload reads again. */
const streamed = new Map<string, string>();

function readWhole(path: string): string {
  const kept = streamed.get(path);
  if (kept !== undefined) return kept;
  const seen = statSync(path);
  const isOnce = isStream(seen);
  if (seen.size > MOST_FILE_BYTES) throw Object.assign(new Error("too large"), { code: "EFBIG" });
  const text = readFileSync(path, "utf8");
  if (isOnce) streamed.set(path, text);
  return text;
}

const NO_BACKEND = `weir has no backend yet. Three lines start it:

  export OPENAI_API_KEYS=key1,key2
  weir
  # then, where your application runs: export OPENAI_BASE_URL=http://127.0.0.1:8080/v1

To see it work without any key: weir demo. All options: weir help serve.
`;

/** Tells why there is no configuration; the exit code. */
export function tellUnloadable(
  loaded: Exclude<Loaded, { kind: "config" }>,
  err: (text: string) => void,
): number {
  for (const warning of loaded.warnings) err(`warning: ${warning}\n`);
  if (loaded.kind === "empty") {
    err(NO_BACKEND);
    return EXIT.config;
  }
  for (const problem of loaded.problems) err(`${formatProblem(problem)}\n`);
  return exitCodeOf(loaded.problems);
}

/** Where a strategy was named: the general one by an option, any other by a route of a file. */
function namedAt(name: string, { options, routes }: Resolved): string {
  const option = options.find(({ key }) => key === "strategy");
  if (option !== undefined && readStrategyName(option.shown) === name) return option.origin;
  return routes.find(({ strategy }) => strategy === name)?.where ?? "strategy";
}

/** What a custom strategy is made with, beside its file. */
export interface CustomWorld {
  readonly now: () => number;
  /** Hears why a strategy was set aside. */
  readonly report: (message: string) => void;
}

/**
 * The same with the users' own strategies loaded from their files, which are watched too. A file is named by a flag or a
 * configuration file, never by a variable: whoever sets variables must not choose what code runs.
 */
export async function withCustomStrategies(loaded: Loaded, world: CustomWorld): Promise<Loaded> {
  if (loaded.kind !== "config") return loaded;
  const { config, resolved } = loaded;
  const { pool } = config;
  const named = new Set([...pool.providerRoutes, ...(pool.routes ?? [])].map(({ strategy }) => strategy));
  const custom = [...named].flatMap((name) => {
    const path = customPath(name);
    return path === undefined ? [] : [{ name, path }];
  });
  if (custom.length === 0) return loaded;
  const problems: Problem[] = [];
  const strategies = new Map<string, () => Strategy>();
  const watched = [...config.watched];
  for (const { name, path } of custom) {
    const where = namedAt(name, resolved);
    if (/^[A-Z_]+$/.test(where)) {
      problems.push({
        kind: "configuration",
        where,
        expected: "a strategy of weir's; a custom one is named by --strategy or in a file",
        found: name,
      });
      continue;
    }
    const file = await loadCustomStrategy(path, process.cwd());
    watched.push(file.path);
    if (file.kind === "unread")
      problems.push({ kind: "configuration", where, expected: file.expected, found: file.found });
    else strategies.set(name, () => createCustom(file.createPick(), { name, ...world }));
  }
  if (problems.length > 0) return { kind: "problems", problems, warnings: config.warnings, watched };
  return {
    kind: "config",
    resolved,
    config: { ...config, watched, pool: { ...pool, customStrategies: strategies } },
  };
}
