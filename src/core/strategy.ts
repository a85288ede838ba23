// The table of strategies: their names, other names, and how each is made.
import type { Strategy } from "./seams.ts";
import { createLeastUsed } from "./strategy-least-used.ts";

interface StrategyRow {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly create: () => Strategy;
}

const STRATEGIES: readonly StrategyRow[] = [{ name: "least-used", aliases: [], create: createLeastUsed }];

/** `_`, `-` and case do not matter in a strategy's name. */
const plain = (name: string): string => name.trim().toLowerCase().replaceAll("_", "-");

const findRow = (name: string): StrategyRow | undefined =>
  STRATEGIES.find((row) => row.name === plain(name) || row.aliases.includes(plain(name)));

/** The strategy's own name for any of its spellings; undefined when there is none. */
export function readStrategyName(name: string): string | undefined {
  return findRow(name)?.name;
}

/** Every spelling, for messages that suggest the nearest. */
export const STRATEGY_NAMES: readonly string[] = STRATEGIES.flatMap((row) => [row.name, ...row.aliases]);

/** A fresh instance for one route. `name` was read by readStrategyName. */
export function createStrategy(name: string): Strategy {
  const row = findRow(name);
  if (row === undefined) throw new RangeError(`cannot create strategy: unknown name "${name}"`);
  return row.create();
}
