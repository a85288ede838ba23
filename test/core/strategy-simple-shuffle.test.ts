// Weighted random: exact shares, in constant time, also when slots of the level are not usable.
import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import type { Level, Random, Slot } from "../../src/core/seams.ts";
import { createSimpleShuffle } from "../../src/core/strategy-simple-shuffle.ts";
import { seedRandom } from "../../src/fake/random.ts";
import { levelOf, levelOfSize, slotOf } from "../support/traffic.ts";

interface Chance {
  readonly random?: Random;
  readonly isUsable?: (slot: Slot) => boolean;
}

const always = () => true;

function countPicks(
  level: Level,
  count: number,
  { random = seedRandom(1), isUsable = always }: Chance = {},
): readonly number[] {
  const strategy = createSimpleShuffle();
  const counts = level.slots.map(() => 0);
  for (let pick = 0; pick < count; pick += 1) {
    const at = strategy.pick(level, { nowMs: 0, random, isUsable });
    counts[at] = (counts[at] ?? 0) + 1;
  }
  return counts;
}

/** The numbers of [0, 1) evenly, one after another: shares come out exact. */
function evenly(count: number): () => number {
  let at = 0;
  return () => {
    at += 1;
    return ((at - 0.5) % count) / count;
  };
}

describe("simple shuffle", () => {
  test("gives weights 9:1 9,000 ± 150 of 10,000, whatever the seed", () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const [heavy = 0, light = 0] = countPicks(levelOf(slotOf("a", 9), slotOf("b", 1)), 10_000, {
        random: seedRandom(seed),
      });
      expect(Math.abs(heavy - 9000)).toBeLessThanOrEqual(150);
      expect(heavy + light).toBe(10_000);
    }
  });

  test("gives each exactly its weight's share of all chances", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.01, max: 100, noNaN: true }), { minLength: 1, maxLength: 40 }),
        (weights) => {
          const level = levelOfSize(weights.length, (at) => weights[at] ?? 1);
          const total = weights.reduce((sum, weight) => sum + weight, 0);
          const count = 20_000;
          for (const [at, picks] of countPicks(level, count, { random: evenly(count) }).entries())
            // One chance more or less at each of the two ends of the columns that the slot has a part of.
            expect(Math.abs(picks - ((weights[at] ?? 0) / total) * count)).toBeLessThanOrEqual(
              2 * weights.length,
            );
        },
      ),
      { numRuns: 60 },
    );
  });

  test("shares by the weights of the usable alone, few or many", () => {
    for (const share of [2, 5, 50]) {
      const level = levelOfSize(100, (at) => 1 + (at % 4));
      const isUsable = (slot: Slot) => level.slots.indexOf(slot) % share === 0;
      const total = level.slots.reduce(
        (sum, slot, at) => sum + (isUsable(slot) ? (level.weights[at] ?? 0) : 0),
        0,
      );
      const count = 40_000;
      for (const [at, picks] of countPicks(level, count, { isUsable }).entries()) {
        const slot = level.slots[at];
        const expected =
          slot !== undefined && isUsable(slot) ? ((level.weights[at] ?? 0) / total) * count : 0;
        expect(Math.abs(picks - expected)).toBeLessThanOrEqual(5 * Math.sqrt(expected));
      }
    }
  });

  test("looks at a handful of a thousand slots", () => {
    const level = levelOfSize(1000);
    let looked = 0;
    const isUsable = (slot: Slot) => {
      looked += 1;
      return level.slots.indexOf(slot) % 2 === 0;
    };
    countPicks(level, 100, { isUsable });
    expect(looked).toBeLessThan(400);
  });
});
