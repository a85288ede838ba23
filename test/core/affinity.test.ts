// A conversation stays on its backend while that can take it, and nobody else's moves when a backend comes or goes.
import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { pickByAffinity } from "../../src/core/affinity.ts";
import type { Level, Slot } from "../../src/core/seams.ts";
import { seedRandom } from "../../src/fake/random.ts";
import { begin, levelOf, levelOfSize, slotOf } from "../support/traffic.ts";

const pick = (level: Level, key: string, isUsable: (slot: Slot) => boolean = () => true) =>
  level.slots[pickByAffinity(level, { nowMs: 0, random: () => 0, isUsable }, key)]?.backend.id;
const conversations = (count: number) => Array.from({ length: count }, (_, at) => `conversation-${at}`);
const homesOf = (level: Level, keys: readonly string[]) =>
  new Map(keys.map((key) => [key, pick(level, key)]));
const DONE = { durationMs: 0 };

describe("session affinity", () => {
  test("keeps over 95 % of the turns of 100 conversations over 5 keys at home, whatever runs at once", () => {
    for (const atOnce of [1, 5, 20, 60]) {
      const level = levelOfSize(5);
      const homes = homesOf(level, conversations(100));
      const random = seedRandom(atOnce);
      const turns = conversations(1000).map((_, at) => `conversation-${at % 100}`);
      turns.sort(() => random() - 0.5);
      const open: (() => void)[] = [];
      let atHome = 0;
      for (const key of turns) {
        if (open.length >= atOnce)
          for (const end of open.splice(Math.floor(random() * open.length), 1)) end();
        const id = pick(level, key);
        if (id === homes.get(key)) atHome += 1;
        const end = begin(
          level.slots.find(({ backend }) => backend.id === id)!,
          0,
        );
        open.push(() => end(DONE, 0));
      }
      expect(atHome).toBeGreaterThan(950);
    }
  });

  test("spills one hot conversation over to its next keys, none far above its share", () => {
    const level = levelOfSize(5);
    for (let turn = 0; turn < 100; turn += 1) {
      const id = pick(level, "hot");
      begin(
        level.slots.find(({ backend }) => backend.id === id)!,
        0,
      );
    }
    const loads = level.slots.map(({ state }) => state.inFlight).sort((a, b) => b - a);
    expect(loads[0]).toBeLessThanOrEqual(28);
    expect(loads[3]).toBeGreaterThan(10);
  });

  test("spills over in the same order each time, and returns home when there is room", () => {
    const level = levelOfSize(5);
    const home = pick(level, "hot");
    const slot = level.slots.find(({ backend }) => backend.id === home)!;
    const ends = Array.from({ length: 4 }, () => begin(slot, 0));
    const next = pick(level, "hot");
    expect(next).not.toBe(home);
    expect(pick(level, "hot", ({ backend }) => backend.id !== home)).toBe(next);
    for (const end of ends) end(DONE, 0);
    expect(pick(level, "hot")).toBe(home);
  });

  test("moves only the conversations of a key that is lost, and spreads them over all others", () => {
    const level = levelOfSize(5);
    const keys = conversations(1000);
    const before = homesOf(level, keys);
    const moved = new Set<string | undefined>();
    for (const key of keys) {
      const after = pick(level, key, ({ backend }) => backend.id !== "b2");
      if (before.get(key) === "b2") moved.add(after);
      else expect(after).toBe(before.get(key));
    }
    expect(moved).toEqual(new Set(["b0", "b1", "b3", "b4"]));
  });

  test("is stable when slots come and go: whoever moves, moves to the newcomer or away from the lost", () => {
    const ids = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12 }), { minLength: 2, maxLength: 12 });
    fc.assert(
      fc.property(
        ids,
        fc.array(fc.string(), { maxLength: 50 }),
        fc.array(fc.integer({ min: 1, max: 9 })),
        (all, keys, weights) => {
          const slots = all.map((id, at) => slotOf(id, weights[at] ?? 1));
          const [changing] = all;
          const full = levelOf(...slots);
          const fewer = levelOf(...slots.slice(1));
          for (const key of keys) {
            const withAll = pick(full, key);
            if (withAll !== changing) expect(pick(fewer, key)).toBe(withAll);
          }
          expect(homesOf(levelOf(...slots.toReversed()), keys)).toEqual(homesOf(full, keys));
        },
      ),
    );
  });

  test("gives each key its weight's share of the conversations", () => {
    const keys = conversations(20_000);
    for (const weights of [
      [1, 1, 1, 1, 1],
      [5, 1, 1, 3],
      [0.5, 1.5],
    ]) {
      const level = levelOfSize(weights.length, (at) => weights[at] ?? 1);
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      const homes = [...homesOf(level, keys).values()];
      for (const [at, weight] of weights.entries()) {
        const expected = (weight / total) * keys.length;
        const count = homes.filter((id) => id === `b${at}`).length;
        expect(Math.abs(count - expected)).toBeLessThan(5 * Math.sqrt(expected));
      }
    }
  });

  test("tells texts apart that differ in one character, and spreads them evenly", () => {
    const level = levelOfSize(16);
    const texts = [
      conversations(4096),
      Array.from({ length: 4096 }, (_, at) => "x".repeat(at)),
      Array.from({ length: 4096 }, (_, at) => String.fromCharCode(32 + at)),
      Array.from({ length: 4096 }, (_, at) => `${"same long head ".repeat(20)}${at.toString(2)}`),
    ];
    for (const keys of texts) {
      const counts: Record<string, number> = {};
      for (const id of homesOf(level, keys).values()) counts[id ?? ""] = (counts[id ?? ""] ?? 0) + 1;
      const chiSquare = Object.values(counts).reduce((sum, count) => sum + (count - 256) ** 2 / 256, 0);
      // 15 degrees of freedom: 0.1 % of fair spreads are above.
      expect(chiSquare).toBeLessThan(37.7);
    }
  });

  test("picks nobody from nobody, and the only usable one whatever its load", () => {
    const level = levelOfSize(3);
    expect(
      pickByAffinity(
        { priority: 1, slots: [], weights: [] },
        { nowMs: 0, random: () => 0, isUsable: () => true },
        "k",
      ),
    ).toBe(-1);
    expect(pick(level, "k", () => false)).toBeUndefined();
    for (let at = 0; at < 50; at += 1) begin(level.slots[1]!, 0);
    expect(pick(level, "k", ({ backend }) => backend.id === "b1")).toBe("b1");
  });
});
