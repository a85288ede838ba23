// The table of strategies: their names, other names, and how each is made.
import type { Strategy } from "./seams.ts";
import { createLatencyBased } from "./strategy-latency-based.ts";
import { createLeastConnections } from "./strategy-least-connections.ts";
import { createLeastUsed } from "./strategy-least-used.ts";
import { createLeastWaiting } from "./strategy-least-waiting.ts";
import { createLowestCost } from "./strategy-lowest-cost.ts";
import { createSimpleShuffle } from "./strategy-simple-shuffle.ts";
import { createSmoothWeightedRoundRobin } from "./strategy-smooth-weighted-round-robin.ts";
import { createUsageBased } from "./strategy-usage-based.ts";

/** What a route may set of its strategy. */
export interface StrategyOptions {
  /** Of latency-based: all within `lowest * (1 + latencyBuffer)` share; 0 when absent. */
  readonly latencyBuffer?: number;
}

/** Users' own strategies by the name that routes have for them: `custom:./file.ts`. */
export type CustomStrategies = ReadonlyMap<string, () => Strategy>;

interface StrategyRow {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly create: (options: StrategyOptions) => Strategy;
}

const STRATEGIES: readonly StrategyRow[] = [
  { name: "least-used", aliases: [], create: createLeastUsed },
  {
    name: "smooth-weighted-round-robin",
    aliases: ["weighted-round-robin", "weighted", "round-robin"],
    create: createSmoothWeightedRoundRobin,
  },
  { name: "simple-shuffle", aliases: ["weighted-random", "random"], create: createSimpleShuffle },
  { name: "least-connections", aliases: ["least-conn", "least-busy"], create: createLeastConnections },
  { name: "least-waiting", aliases: [], create: createLeastWaiting },
  { name: "latency-based", aliases: ["latency", "latency-based-routing"], create: createLatencyBased },
  {
    name: "usage-based",
    aliases: ["usage-based-routing", "usage-based-routing-v2"],
    create: createUsageBased,
  },
  { name: "lowest-cost", aliases: ["cost-based-routing"], create: createLowestCost },
];

const CUSTOM = "custom:";

/** `_`, `-` and case do not matter in a strategy's name. */
const plain = (name: string): string => name.trim().toLowerCase().replaceAll(/[-_]/g, "");

const findRow = (name: string): StrategyRow | undefined =>
  STRATEGIES.find((row) => [row.name, ...row.aliases].some((each) => plain(each) === plain(name)));

/** The strategy's own name for any of its spellings, `custom:` with its file as it is; undefined when there is none. */
export function readStrategyName(name: string): string | undefined {
  const path = customPath(name);
  return path === undefined ? findRow(name)?.name : CUSTOM + path;
}

/** The file of a user's own strategy; undefined for weir's. */
export function customPath(name: string): string | undefined {
  const text = name.trim();
  const path = text.slice(CUSTOM.length).trim();
  return text.slice(0, CUSTOM.length).toLowerCase() === CUSTOM && path !== "" ? path : undefined;
}

/** Every spelling, for messages that suggest the nearest. */
export const STRATEGY_NAMES: readonly string[] = STRATEGIES.flatMap((row) => [row.name, ...row.aliases]);

/** What a strategy is made of beside its name. */
export interface StrategyTerms {
  readonly options?: StrategyOptions | undefined;
  readonly custom?: CustomStrategies | undefined;
}

/** A fresh instance for one route. `name` was read by readStrategyName; a custom one was loaded by its file. */
export function createStrategy(name: string, terms: StrategyTerms = {}): Strategy {
  const create = customPath(name) === undefined ? findRow(name)?.create : terms.custom?.get(name);
  if (create === undefined) throw new RangeError(`cannot create strategy: unknown name "${name}"`);
  return { ...create(terms.options ?? {}), origin: originOf(name, terms) };
}

/** True when an instance is still what these ask for: a changed file, or one loaded anew, asks for a new instance. */
export function isMadeOf(strategy: Strategy, name: string, terms: StrategyTerms): boolean {
  return strategy.name === name && strategy.origin === originOf(name, terms);
}

const originOf = (name: string, { options, custom }: StrategyTerms): unknown =>
  custom?.get(name) ?? options?.latencyBuffer;
