// Loads the configuration for commands from the real environment and files, and says what is wrong with it.
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import type { ParsedFlags } from "../config/flags.ts";
import { type Loaded, loadConfig } from "../config/load.ts";
import { exitCodeOf, formatProblem } from "../config/problem.ts";
import type { Invocation } from "./invocation.ts";
import { EXIT } from "./invocation.ts";

export function loadFromWorld(env: Invocation["env"], flags: ParsedFlags): Loaded {
  return loadConfig({
    env,
    flags,
    readFile: (path) => readFileSync(path, "utf8"),
    hostname: hostname(),
    cwd: process.cwd(),
  });
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
