// A rate window lets no more through than its limit in any window, loses no slot, and keeps its memory constant.
import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { EntryRing, MOST_ENTRIES } from "../../src/core/entry-ring.ts";
import { createRateWindow, type RateWindow } from "../../src/core/rate-window.ts";

const MINUTE = 60_000;
const DAY = 86_400_000;
const minute = (limit: number): RateWindow => createRateWindow({ limit, windowMs: MINUTE });

/** Steps between events: bursts, crowds of milliseconds, and waits around a window's length. */
const steps = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 1, max: 50 }),
  fc.integer({ min: 1, max: 70_000 }),
  fc.double({ min: 0, max: 130, noNaN: true }),
  fc.constantFrom(MINUTE - 1, MINUTE, MINUTE + 1, 100, 99.9),
);

/** Such steps, each with something else. */
const schedule = <T>(other: fc.Arbitrary<T>, maxLength: number): fc.Arbitrary<[number, T][]> =>
  fc.array(fc.tuple(steps, other), { maxLength, size: "max" });

/** The most that the log holds in any window that begins with an entry. */
function heaviest(log: readonly (readonly [at: number, amount: number])[], windowMs: number): number {
  let most = 0;
  for (const [start] of log) {
    let sum = 0;
    for (const [at, amount] of log) if (at >= start && at < start + windowMs) sum += amount;
    most = Math.max(most, sum);
  }
  return most;
}

describe("a rate window", () => {
  test("of 5 a minute lets exactly 5 of 1,000 parallel requests through, minute after minute", () => {
    const window = minute(5);
    for (let at = 0; at < 10 * MINUTE; at += MINUTE) {
      let taken = 0;
      for (let request = 0; request < 1000; request += 1) if (window.tryTake(at, 1)) taken += 1;
      expect(taken).toBe(5);
      expect(window.tryTake(at + MINUTE - 1, 1)).toBe(false);
    }
  });

  test("counts a request until its minute is over, not a fixed minute", () => {
    const window = minute(2);
    expect(window.tryTake(59_000, 1)).toBe(true);
    expect(window.tryTake(61_000, 1)).toBe(true);
    expect(window.tryTake(118_999, 1)).toBe(false);
    expect(window.nextFreeAt(118_999, 1)).toBe(119_000);
    expect(window.tryTake(119_000, 1)).toBe(true);
    expect(window.tryTake(119_000, 1)).toBe(false);
  });

  test("is never over its limit in any window, whatever the schedule", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(1, 2, 5, 30, 1024, 1025, 5000),
        schedule(fc.integer({ min: 1, max: 2000 }), 120),
        (limit, events) => {
          const window = minute(limit);
          const log: [number, number][] = [];
          let now = 0;
          for (const [step, size] of events) {
            now += step;
            const amount = Math.min(size, limit);
            if (window.tryTake(now, amount)) log.push([now, amount]);
            expect(window.used(now)).toBeLessThanOrEqual(limit);
          }
          expect(heaviest(log, MINUTE)).toBeLessThanOrEqual(limit);
        },
      ),
      { numRuns: 150 },
    );
  });

  test("of a small limit refuses only what would be over it", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.array(steps, { maxLength: 150, size: "max" }),
        (limit, schedule) => {
          const window = minute(limit);
          const taken: number[] = [];
          let now = 0;
          for (const step of schedule) {
            now += step;
            const live = taken.filter((at) => at + MINUTE > now).length;
            expect(window.used(now)).toBe(live);
            expect(window.peekFree(now)).toBe(limit - live);
            expect(window.tryTake(now, 1)).toBe(live < limit);
            if (live < limit) taken.push(now);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  test("of a large limit brings a slot back at most a 600th of its length late", () => {
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 100, size: "max" }), (schedule) => {
        const window = minute(100_000);
        const log: number[] = [];
        let now = 0;
        for (const step of schedule) {
          now += step;
          if (window.tryTake(now, 7)) log.push(now);
          const live = (lateMs: number) => 7 * log.filter((at) => at + MINUTE + lateMs > now).length;
          expect(window.used(now)).toBeGreaterThanOrEqual(live(0));
          expect(window.used(now)).toBeLessThanOrEqual(live(MINUTE / 600));
        }
      }),
      { numRuns: 150 },
    );
  });

  test("admits at nextFreeAt what it refused, and not a moment before, when nobody else comes", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(1, 3, 10, 1500, 40_000),
        schedule(fc.integer({ min: 1, max: 60_000 }), 80),
        (limit, events) => {
          const window = minute(limit);
          let now = 0;
          for (const [step, amount] of events) {
            now += step;
            if (window.tryTake(now, amount)) continue;
            const freeAt = window.nextFreeAt(now, amount);
            expect(freeAt).toBeGreaterThan(now);
            expect(freeAt).toBeLessThanOrEqual(now + MINUTE + MINUTE / 600);
            expect(window.fits(freeAt - 0.01, amount)).toBe(false);
            now = freeAt;
            expect(window.nextFreeAt(now, amount)).toBe(now);
            expect(window.tryTake(now, amount)).toBe(true);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  test("admits one of any size when it is empty, and then nothing until that has left", () => {
    const window = minute(1000);
    expect(window.tryTake(0, 5000)).toBe(true);
    expect(window.peekFree(0)).toBe(0);
    expect(window.tryTake(1, 1)).toBe(false);
    expect(window.nextFreeAt(1, 1)).toBe(MINUTE);
    expect(window.nextFreeAt(1, 9999)).toBe(MINUTE);
    expect(window.tryTake(MINUTE, 9999)).toBe(true);
  });

  test("of limit 0 admits nothing, ever", () => {
    const window = minute(0);
    expect(window.tryTake(0, 1)).toBe(false);
    expect(window.nextFreeAt(0, 1)).toBe(Infinity);
  });

  test("counts what is taken over the limit", () => {
    const window = minute(100);
    expect(window.tryTake(0, 90)).toBe(true);
    window.take(10_000, 60);
    expect(window.used(10_000)).toBe(150);
    expect(window.tryTake(10_000, 1)).toBe(false);
    expect(window.nextFreeAt(10_000, 40)).toBe(MINUTE);
    expect(window.nextFreeAt(10_000, 41)).toBe(70_000);
  });

  test("has back what is given back, and only that", () => {
    const window = minute(3);
    for (const at of [0, 10, 20]) expect(window.tryTake(at, 1)).toBe(true);
    window.giveBack(30, 10, 1);
    expect(window.used(30)).toBe(2);
    expect(window.tryTake(30, 1)).toBe(true);
    expect(window.nextFreeAt(30, 1)).toBe(MINUTE);
    window.giveBack(MINUTE + 5, 0, 1); // has left already
    expect(window.used(MINUTE + 5)).toBe(2);
  });

  test("is as before when everything is given back, in any order", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(50, 1000, 100_000),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 1, max: 30 })), {
          maxLength: 60,
          size: "max",
        }),
        fc.array(fc.nat(), { maxLength: 60, size: "max" }),
        (limit, events, order) => {
          const window = minute(limit);
          const taken: [number, number][] = [];
          let now = 0;
          for (const [step, amount] of events) {
            now += step;
            if (window.tryTake(now, amount)) taken.push([now, amount]);
          }
          for (const pick of [...order, ...events.map(() => 0)]) {
            const [back] = taken.splice(pick % Math.max(1, taken.length), 1);
            if (back !== undefined) window.giveBack(now, ...back);
            expect(window.used(now)).toBe(taken.reduce((sum, [, amount]) => sum + amount, 0));
          }
          expect(window.peekFree(now)).toBe(limit);
        },
      ),
      { numRuns: 150 },
    );
  });

  test("keeps what was taken when its limit changes", () => {
    const window = minute(1000);
    for (let at = 0; at < 1000; at += 1) expect(window.tryTake(at * 50, 1)).toBe(true);
    window.resize(5000);
    expect(window.used(50_000)).toBe(1000);
    expect(window.peekFree(50_000)).toBe(4000);
    window.resize(10);
    expect(window.used(50_000)).toBe(1000);
    expect(window.tryTake(50_000, 1)).toBe(false);
    // Ten are left when the 990 before have gone: the last ones were taken at 49,500 to 49,950, in buckets of 100 ms.
    expect(window.nextFreeAt(50_000, 1)).toBe(49_550 + MINUTE);
  });

  test("admits only below its present limit while the limit changes", () => {
    fc.assert(
      fc.property(schedule(fc.constantFrom(0, 0, 0, 4, 1024, 1100, 9000), 60), (events) => {
        const window = minute(20);
        const taken: number[] = [];
        let now = 0;
        for (const [step, limit] of events) {
          now += step;
          if (limit > 0) window.resize(limit);
          for (let request = 0; request < 30; request += 1) {
            const live = taken.filter((at) => at + MINUTE > now).length;
            expect(window.used(now)).toBeGreaterThanOrEqual(live);
            if (!window.tryTake(now, 1)) break;
            expect(live).toBeLessThan(window.limit);
            taken.push(now);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  test("holds a day, and forgets it when the provider's day ends", () => {
    const window = createRateWindow({ limit: 3, windowMs: DAY });
    for (const at of [0, 1000, 2000]) expect(window.tryTake(at, 1)).toBe(true);
    expect(window.nextFreeAt(5000, 1)).toBe(DAY);
    window.resetAt(7_200_000);
    expect(window.nextFreeAt(5000, 1)).toBe(7_200_000);
    expect(window.tryTake(7_199_999, 1)).toBe(false);
    expect(window.used(7_200_000)).toBe(0);
    expect(window.tryTake(7_200_000, 1)).toBe(true);
    window.giveBack(7_200_001, 2000, 1); // was forgotten already
    expect(window.used(7_200_001)).toBe(1);
  });

  test("keeps its count through 200,000 takes in a minute", () => {
    const window = minute(200_000);
    let taken = 0;
    for (let now = 0; now < MINUTE; now += 0.3) if (window.tryTake(now, 1)) taken += 1;
    expect(taken).toBe(200_000);
    expect(window.used(MINUTE)).toBeGreaterThan(199_000);
    expect(window.used(2 * MINUTE + 100)).toBe(0);
  });

  test("keeps its memory: what it has no room for joins the newest entry", () => {
    const window = minute(1000);
    for (let at = 0; at < 5000; at += 1) window.take(at, 1);
    expect(window.used(5000)).toBe(5000);
    expect(window.used(MINUTE + 500)).toBe(5000 - 501);
    expect(window.used(MINUTE + 5000)).toBe(0);
  });
});

test("an entry ring has room for 1,024 entries and no more", () => {
  const ring = new EntryRing();
  for (let time = 0; time < MOST_ENTRIES; time += 1) expect(ring.push(time, 2)).toBe(true);
  expect(ring.push(9999, 2)).toBe(false);
  ring.dropOldest();
  expect(ring.push(9999, 2)).toBe(true);
  expect([ring.time(0), ring.time(MOST_ENTRIES - 1), ring.total]).toEqual([1, 9999, 2048]);
  expect([ring.firstFrom(0), ring.firstFrom(500), ring.firstFrom(10_000)]).toEqual([0, 499, MOST_ENTRIES]);
});
