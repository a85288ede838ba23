// nginx's smooth weighted round-robin: exact shares, no bursts, a cursor that belongs to the route.
import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { nextSnapshot, type PoolSnapshot } from "../../src/core/pool.ts";
import type { Level, Slot, Strategy } from "../../src/core/seams.ts";
import { createSmoothWeightedRoundRobin } from "../../src/core/strategy-smooth-weighted-round-robin.ts";
import { makeBackend, makeSpec } from "../support/slots.ts";
import { countById, levelOf, levelOfSize, slotOf } from "../support/traffic.ts";

function turns(
  strategy: Strategy,
  level: Level,
  count: number,
  isUsable: (slot: Slot) => boolean = () => true,
): readonly string[] {
  return Array.from({ length: count }, () => {
    const slot = level.slots[strategy.pick(level, { nowMs: 0, random: () => 0, isUsable })];
    return slot?.backend.id ?? "-";
  });
}

function longestRun(ids: readonly string[]): number {
  let longest = 0;
  let run = 0;
  for (const [at, id] of ids.entries()) {
    run = id === ids[at - 1] ? run + 1 : 1;
    longest = Math.max(longest, run);
  }
  return longest;
}

const threeKeys = () => levelOf(slotOf("A", 5), slotOf("B"), slotOf("C"));

describe("smooth weighted round-robin", () => {
  test("gives 5:1:1 as A A B A C A A, again and again", () => {
    const ids = turns(createSmoothWeightedRoundRobin(), threeKeys(), 21).join(" ");
    expect(ids).toBe(Array.from({ length: 3 }, () => "A A B A C A A").join(" "));
  });

  test("gives 60/40 as exactly 60 and 40 in every 100, never more than 2 in a row", () => {
    const ids = turns(createSmoothWeightedRoundRobin(), levelOf(slotOf("A", 60), slotOf("B", 40)), 1000);
    for (let from = 0; from <= 900; from += 1)
      expect(ids.slice(from, from + 100).filter((id) => id === "A").length).toBe(60);
    expect(longestRun(ids)).toBe(2);
  });

  test("gives each its weight in every round, whatever the weights", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 8 }), (weights) => {
        const level = levelOfSize(weights.length, (at) => weights[at] ?? 1);
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const strategy = createSmoothWeightedRoundRobin();
        for (let round = 0; round < 3; round += 1) {
          const counts: Record<string, number> = {};
          for (const id of turns(strategy, level, total)) counts[id] = (counts[id] ?? 0) + 1;
          expect(counts).toEqual(Object.fromEntries(weights.map((weight, at) => [`b${at}`, weight])));
        }
      }),
    );
  });

  test("shares by the weights of the usable alone while one is away, and gives it no burst on return", () => {
    const strategy = createSmoothWeightedRoundRobin();
    const level = levelOf(slotOf("A", 2), slotOf("B"), slotOf("C"));
    const without = turns(strategy, level, 300, ({ backend }) => backend.id !== "A");
    expect(countById(without.map((id) => ({ id, kind: "success" })))).toEqual({ B: 150, C: 150 });
    const after = turns(strategy, level, 40);
    expect(after.slice(0, 8).filter((id) => id === "A").length).toBeLessThanOrEqual(5);
    expect(after.filter((id) => id === "A").length).toBe(20);
  });

  test("gives one that is there every second time its share of those times", () => {
    const strategy = createSmoothWeightedRoundRobin();
    const level = threeKeys();
    const ids = Array.from(
      { length: 140 },
      (_, turn) => turns(strategy, level, 1, ({ backend }) => backend.id !== "A" || turn % 2 === 0)[0],
    );
    expect(ids.filter((id) => id === "A").length).toBe((70 * 5) / 7);
  });

  test("goes on where it was after a reload that leaves the route as it is", () => {
    const specOf = (weight: number, other = 1) =>
      makeSpec({
        p: {
          backends: [makeBackend("A", { weight }), makeBackend("B"), makeBackend("C")],
          strategy: "smooth-weighted-round-robin",
        },
        other: { backends: [makeBackend("D", { weight: other })] },
      });
    const take = (snapshot: PoolSnapshot, count: number) => {
      const route = snapshot.providers[0]?.route;
      const level = route?.levels[0];
      return route === undefined || level === undefined ? [] : turns(route.strategy, level, count);
    };
    const first = nextSnapshot(undefined, specOf(5));
    expect(take(first, 3)).toEqual(["A", "A", "B"]);
    const second = nextSnapshot(first, specOf(5, 7));
    expect(take(second, 4)).toEqual(["A", "C", "A", "A"]);
    expect(take(second, 3)).toEqual(["A", "A", "B"]);
    // Requests that still hold the old snapshot move the same cursor.
    expect(take(first, 1)).toEqual(["A"]);
    expect(take(second, 3)).toEqual(["C", "A", "A"]);
    expect(take(nextSnapshot(second, specOf(1)), 3)).toEqual(["A", "B", "C"]);
  });

  test("counts each route for itself", () => {
    const level = threeKeys();
    const [one, two] = [createSmoothWeightedRoundRobin(), createSmoothWeightedRoundRobin()];
    expect(turns(one, level, 3)).toEqual(["A", "A", "B"]);
    expect(turns(two, level, 7).join("")).toBe("AABACAA");
    expect(turns(one, level, 4)).toEqual(["A", "C", "A", "A"]);
  });
});
