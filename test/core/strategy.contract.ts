// What holds for every strategy; each runs this suite. `skip` names what does not apply, with the reason beside it.
import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import type { Choice, Level, Slot, Strategy } from "../../src/core/seams.ts";
import { seedRandom } from "../../src/fake/random.ts";
import { countById, levelOf, levelOfSize, sendTraffic, slotOf } from "../support/traffic.ts";

export interface ContractOptions {
  readonly create: () => Strategy;
  /** How far a slot's share may be from its weight's, of 4,000 equal requests; 0.03 when absent. */
  readonly tolerance?: number;
}

const always = () => true;
const choose = (isUsable: (slot: Slot) => boolean, random = seedRandom(7)): Choice => ({
  nowMs: 1000,
  random,
  isUsable,
});
const EMPTY: Level = { priority: 1, slots: [], weights: [] };
/** Everybody answers alike, so that weights alone can make a difference. */
const react = () => ({ firstByteMs: 40, durationMs: 200, tokens: 100 });

export function testStrategy(name: string, { create, tolerance = 0.03 }: ContractOptions): void {
  describe(`the strategy ${name}`, () => {
    test("is called by its name", () => {
      expect(create().name).toBe(name);
    });

    test("picks nobody from nobody", () => {
      const strategy = create();
      expect(strategy.pick(EMPTY, choose(always))).toBe(-1);
      expect(
        strategy.pick(
          levelOfSize(1),
          choose(() => false),
        ),
      ).toBe(-1);
      expect(
        strategy.pick(
          levelOfSize(50),
          choose(() => false),
        ),
      ).toBe(-1);
    });

    test("picks the only one, and the only usable one wherever it stands", () => {
      const strategy = create();
      expect(strategy.pick(levelOf(slotOf("a")), choose(always))).toBe(0);
      const level = levelOfSize(40, (at) => (at % 7) + 0.5);
      for (const wanted of [0, 1, 20, 39])
        for (const random of [() => 0, () => 0.999_999, seedRandom(wanted)])
          expect(
            strategy.pick(
              level,
              choose((slot) => slot === level.slots[wanted], random),
            ),
          ).toBe(wanted);
    });

    test("picks only usable slots, whoever they are", () => {
      fc.assert(
        fc.property(
          fc.array(fc.boolean(), { minLength: 1, maxLength: 30 }),
          fc.integer(),
          fc.nat(40),
          (usable, seed, count) => {
            const level = levelOfSize(usable.length, (at) => 1 + (at % 3));
            const isUsable = (slot: Slot) => usable[level.slots.indexOf(slot)] === true;
            const sent = sendTraffic(level, {
              pick: create().pick,
              react,
              count,
              everyMs: 20,
              random: seedRandom(seed),
              isUsable,
            });
            const allowed = level.slots.filter(isUsable).map(({ backend }) => backend.id);
            for (const { id } of sent)
              expect(allowed.length === 0 ? id === undefined : allowed.includes(id ?? "")).toBe(true);
          },
        ),
        { numRuns: 50 },
      );
    });

    test("reaches every usable slot, also when most are not usable", () => {
      const level = levelOfSize(60);
      const isUsable = (slot: Slot) => level.slots.indexOf(slot) % 10 === 3;
      const sent = sendTraffic(level, { pick: create().pick, react, count: 400, everyMs: 5, isUsable });
      expect(Object.keys(countById(sent)).sort()).toEqual(["b13", "b23", "b3", "b33", "b43", "b53"]);
    });

    test("shares equal slots evenly, idle and busy", () => {
      for (const everyMs of [5, 300]) {
        const counts = countById(
          sendTraffic(levelOfSize(4), { pick: create().pick, react, count: 4000, everyMs }),
        );
        for (const id of ["b0", "b1", "b2", "b3"])
          expect(Math.abs((counts[id] ?? 0) / 4000 - 0.25)).toBeLessThan(tolerance);
      }
    });

    test("shares by weight, fractions too, idle and busy", () => {
      for (const everyMs of [2, 300]) {
        const level = levelOf(slotOf("a", 0.5), slotOf("b", 3), slotOf("c", 1.5));
        const counts = countById(sendTraffic(level, { pick: create().pick, react, count: 4000, everyMs }));
        for (const [id, share] of [
          ["a", 0.1],
          ["b", 0.6],
          ["c", 0.3],
        ] as const)
          expect(Math.abs((counts[id] ?? 0) / 4000 - share)).toBeLessThan(tolerance);
      }
    });

    test("gives a drained slot nothing, and all-zero weights equal shares", () => {
      const send = (level: Level) =>
        countById(sendTraffic(level, { pick: create().pick, react, count: 1000, everyMs: 50 }));
      expect(send(levelOf(slotOf("a"), slotOf("b", 0)))).toEqual({ a: 1000 });
      const counts = send(levelOf(slotOf("a", 0), slotOf("b", 0)));
      expect(Math.abs((counts["a"] ?? 0) - 500)).toBeLessThan(80);
    });

    test("does the same again with the same chance", () => {
      const run = (seed: number) =>
        sendTraffic(
          levelOfSize(7, (at) => at + 1),
          {
            pick: create().pick,
            react,
            count: 300,
            everyMs: 30,
            random: seedRandom(seed),
          },
        );
      expect(run(3)).toEqual(run(3));
    });

    test("keeps the levels of a route apart", () => {
      const strategy = create();
      const [one, two] = [levelOfSize(3), levelOf(slotOf("x"), slotOf("y"))];
      for (let turn = 0; turn < 50; turn += 1) {
        expect(
          strategy.pick(
            one,
            choose(() => false),
          ),
        ).toBe(-1);
        const at = strategy.pick(two, choose(always, seedRandom(turn)));
        expect(two.slots[at]).toBeDefined();
      }
    });
  });
}
