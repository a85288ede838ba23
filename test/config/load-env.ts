// Loads a configuration from plain records: variables, arguments, files by path.
import { dirname } from "node:path";
import type { Config } from "../../src/config/config.ts";
import { parseFlags } from "../../src/config/flags.ts";
import { CONFIG_FLAGS, type Loaded, loadConfig } from "../../src/config/load.ts";
import { formatProblem } from "../../src/config/problem.ts";
import type { Resolved } from "../../src/config/resolved.ts";
import type { Backend } from "../../src/core/backend.ts";

export type Env = Readonly<Record<string, string | undefined>>;

export interface Setting {
  readonly argv?: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  readonly hostname?: string;
  readonly cwd?: string;
}

export function load(
  env: Env,
  { argv = [], files = {}, hostname = "box.corp.test", cwd }: Setting = {},
): Loaded {
  return loadConfig({
    env,
    flags: parseFlags(argv, CONFIG_FLAGS),
    readFile(path) {
      const text = files[path];
      if (text === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: "ENOENT" });
      return text;
    },
    listFolder: (path) =>
      Object.keys(files).flatMap((name) => (dirname(name) === path ? name.slice(path.length + 1) : [])),
    hostname,
    ...(cwd === undefined ? {} : { cwd }),
  });
}

export function loadGood(
  env: Env,
  setting?: Setting,
): { readonly config: Config; readonly resolved: Resolved } {
  const loaded = load(env, setting);
  if (loaded.kind === "config") return loaded;
  throw new Error(`not a configuration: ${messagesOf(loaded).join("\n") || loaded.kind}`);
}

export const configOf = (env: Env, setting?: Setting): Config => loadGood(env, setting).config;

export const backendsOf = (env: Env, setting?: Setting): readonly Backend[] =>
  configOf(env, setting).pool.backends;

export const warningsOf = (env: Env, setting?: Setting): readonly string[] => {
  const loaded = load(env, setting);
  return loaded.kind === "config" ? loaded.config.warnings : loaded.warnings;
};

/** Every problem as it is said; none when there is none. */
export const problemsOf = (env: Env, setting?: Setting): readonly string[] => messagesOf(load(env, setting));

const messagesOf = (loaded: Loaded): readonly string[] =>
  loaded.kind === "problems" ? loaded.problems.map(formatProblem) : [];

/** `key@baseUrl*weight` of each backend, by its main family or the one named. */
export const shape = (backends: readonly Backend[], family: "openai" | "anthropic" | "gemini" = "openai") =>
  backends.map(
    ({ credential, endpoints, weight }) =>
      `${credential.secret?.reveal() ?? ""}@${endpoints[family]?.baseUrl ?? ""}*${weight}`,
  );

/** A provider's base URL by family. */
export const urlsOf = (env: Env, setting?: Setting): Record<string, string> => {
  const [backend] = backendsOf(env, setting);
  return Object.fromEntries(
    Object.entries(backend?.endpoints ?? {}).map(([family, { baseUrl }]) => [family, baseUrl]),
  );
};

export const K1 = "sk-one-AAAAAAAAAAAAAAAA1111";
export const K2 = "sk-two-BBBBBBBBBBBBBBBB2222";
export const K3 = "sk-three-CCCCCCCCCCCCCC3333";
