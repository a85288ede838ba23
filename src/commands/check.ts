// `weir check`: what the flags, the environment and their files come to, or everything that is wrong with them.
import { type FlagSpec, parseFlags } from "../config/flags.ts";
import { CONFIG_FLAGS, type Loaded } from "../config/load.ts";
import { formatProblem } from "../config/problem.ts";
import type { Resolved, ResolvedBackend, ResolvedProvider, ResolvedRoute } from "../config/resolved.ts";
import { readPlace } from "../config/tree.ts";
import type { Limits } from "../core/credential.ts";
import { columns } from "./columns.ts";
import { loadFromWorld, tellUnloadable, withCustomStrategies } from "./configuration.ts";
import { helpOf } from "./help.ts";
import { type Command, EXIT } from "./invocation.ts";

const FLAGS: readonly FlagSpec[] = [...CONFIG_FLAGS, { name: "json", takes: "nothing" }];

export const runCheck: Command = async ({ args, env, out, err }) => {
  const flags = parseFlags(args, FLAGS);
  if (flags.help) {
    out(helpOf("check"));
    return EXIT.fine;
  }
  // A strategy is loaded, as serve would, and never asked: it has nothing to report.
  const world = { now: () => 0, report: () => undefined };
  // Of a command line that can be read, every mistake is one of the configuration: that is what is checked.
  const wrong = flags.problems.length > 0 ? EXIT.usage : EXIT.config;
  const loaded = await withCustomStrategies(loadFromWorld(env, flags), world);
  if (flags.given.has("json")) {
    out(`${JSON.stringify(reportOf(loaded), undefined, 2)}\n`);
    return loaded.kind === "config" ? EXIT.fine : wrong;
  }
  if (loaded.kind !== "config") {
    tellUnloadable(loaded, err);
    return wrong;
  }
  out(`${describe(loaded.resolved)}\n`);
  return EXIT.fine;
};

function reportOf(loaded: Loaded): object {
  switch (loaded.kind) {
    case "config":
      return { status: "ok", ...loaded.resolved };
    case "problems": {
      const problems = loaded.problems.map((problem) => ({
        ...problem,
        ...readPlace(problem.where),
        message: formatProblem(problem),
      }));
      return { status: "problems", problems, warnings: loaded.warnings };
    }
    case "empty":
      return { status: "empty", warnings: loaded.warnings };
  }
}

const asWarning = (text: string): string => `warning: ${text}`;

function describe({ options, providers, routes, aliases, fallbacks, warnings }: Resolved): string {
  const rows = options.map(({ key, shown, origin }) => [key, shown === "" ? "(none)" : shown, origin]);
  const lines = ["options", ...columns(rows), "", "providers", ...providers.flatMap(describeProvider)];
  if (routes.length > 0) lines.push("", "routes", ...routes.flatMap(describeRoute));
  const names = Object.entries(aliases);
  if (names.length > 0) lines.push("", "aliases", ...columns(names.map(([name, model]) => [name, model])));
  const chains = fallbacks.map(({ when, model, models }) => [model, `on ${when}`, models.join(", ")]);
  if (chains.length > 0) lines.push("", "fallbacks", ...columns(chains));
  return [...lines, ...(warnings.length > 0 ? ["", ...warnings.map(asWarning)] : [])].join("\n");
}

function describeProvider({ name, keys, keysFrom, addressesFrom, backends }: ResolvedProvider): string[] {
  const pool = keys === 0 ? "no key" : `${keys} ${keys === 1 ? "key" : "keys"} (${keysFrom.join(", ")})`;
  const place = addressesFrom.length === 0 ? "its own address" : addressesFrom.join(", ");
  return [
    `  ${name}: ${pool}, ${place}`,
    ...columns(backends.map((backend) => describeBackend(backend, keys > 0))).map((line) => `  ${line}`),
  ];
}

function describeRoute({ name, where, strategy, hidden, targets }: ResolvedRoute): string[] {
  const rows = targets.map(({ backend, weight, priority, model }) => [
    backend,
    weight === 0 ? "drained" : `weight ${Math.round(weight * 1000) / 1000}`,
    `priority ${priority}`,
    model === undefined ? "" : `as ${model}`,
  ]);
  return [
    `  ${name}: ${strategy}${hidden ? ", hidden" : ""} (${where})`,
    ...columns(rows).map((line) => `  ${line}`),
  ];
}

/** Without keys, the label would only repeat the address. */
function describeBackend(backend: ResolvedBackend, hasKey: boolean): string[] {
  const { id, endpoints, key, weight, models, limits, ownLimits, proxy, host } = backend;
  const addresses = [...new Set(Object.values(endpoints))].join(" ");
  const extras = [
    ...(models.length > 0 ? [`models ${models.join(",")}`] : []),
    ...describeLimits(limits),
    ...describeLimits(ownLimits).map((limit) => `own ${limit}`),
    ...(proxy === undefined ? [] : [`by proxy ${proxy}`]),
    ...(host === undefined ? [] : [`in place of ${host}`]),
  ];
  const share = weight === 0 ? "drained" : `weight ${weight}`;
  return [id, addresses, ...(hasKey ? [`key ${key}`] : []), share, extras.join(", ")];
}

/** By the names that they have in files. */
const LIMIT_NAMES = [
  ["rpm", "requestsPerMinute"],
  ["tpm", "tokensPerMinute"],
  ["rpd", "requestsPerDay"],
  ["tpd", "tokensPerDay"],
  ["concurrency", "concurrency"],
] as const;

const describeLimits = (limits: Limits): string[] =>
  LIMIT_NAMES.flatMap(([name, key]) => (limits[key] === undefined ? [] : `${name} ${limits[key]}`));
