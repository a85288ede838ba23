// Draws a usable slot of a level at random, by weight, in constant time however large the level: the strategies that
// sample are made of this.
import type { Choice, Level } from "./seams.ts";

export interface Sampler {
  /** The index of a usable slot other than `except`, each with the probability of its weight; -1 when there is none. */
  readonly draw: (level: Level, choice: Choice, except: number) => number;
}

/** So many draws may hit unusable slots before all are looked at: half of a level is unusable at most in normal times. */
const MOST_DRAWS = 16;

/** Walker's alias table in Vose's form: a column is hit uniformly, and holds at most two slots. */
interface AliasTable {
  /** The share of a column that is its own slot's; the rest is the other's. */
  readonly own: Float64Array;
  readonly other: Uint32Array;
}

/** One for each strategy instance: it keeps the tables of the levels that it has seen, as long as they live. */
export function createSampler(): Sampler {
  const tables = new WeakMap<Level, AliasTable>();
  return {
    draw(level, choice, except) {
      let table = tables.get(level);
      if (table === undefined) tables.set(level, (table = buildTable(level.weights)));
      // Draws that are thrown away leave the shares of the others as they are, and so does looking at all of them.
      for (let draws = 0; draws < MOST_DRAWS; draws += 1) {
        const at = hit(table, choice.random());
        const slot = level.slots[at];
        if (slot === undefined) break;
        if (at !== except && choice.isUsable(slot)) return at;
      }
      return drawFromAll(level, choice, except);
    },
  };
}

function hit({ own, other }: AliasTable, random: number): number {
  const place = random * own.length;
  const column = Math.floor(place);
  return place - column < (own[column] ?? 0) ? column : (other[column] ?? -1);
}

/** Each slot in turn takes the place of the one before with its share of the weight so far, which gives all their share. */
function drawFromAll(level: Level, choice: Choice, except: number): number {
  let found = -1;
  let weightSoFar = 0;
  for (let at = 0; at < level.slots.length; at += 1) {
    const slot = level.slots[at];
    if (slot === undefined || at === except || !choice.isUsable(slot)) continue;
    const weight = level.weights[at] ?? 1;
    weightSoFar += weight;
    if (choice.random() * weightSoFar < weight) found = at;
  }
  return found;
}

function buildTable(weights: readonly number[]): AliasTable {
  const size = weights.length;
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / size;
  const left = Float64Array.from(weights, (weight) => weight / mean);
  const own = new Float64Array(size).fill(1);
  const other = Uint32Array.from(weights, (_, at) => at);
  const small: number[] = [];
  const large: number[] = [];
  for (const [at, share] of left.entries()) (share < 1 ? small : large).push(at);
  for (;;) {
    const poor = small.pop();
    const rich = large.at(-1);
    // What is left over is a full column, but for rounding.
    if (poor === undefined || rich === undefined) return { own, other };
    own[poor] = left[poor] ?? 1;
    other[poor] = rich;
    const rest = (left[rich] ?? 1) - (1 - (left[poor] ?? 1));
    left[rich] = rest;
    if (rest < 1) small.push(...large.splice(-1));
  }
}
