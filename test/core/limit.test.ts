// A limit set admits by all of its limits or takes from none, and everything taken is settled or given back once.
import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import type { Limits } from "../../src/core/credential.ts";
import { createLimitSet, type Hold, type LimitSet } from "../../src/core/limit.ts";

const MINUTE = 60_000;
const DAY = 86_400_000;

function hold(set: LimitSet, now: number, tokens: number): Hold {
  const taken = set.acquire(now, tokens);
  if (taken.refusedBy !== undefined) throw new Error(`refused by ${taken.refusedBy}`);
  return taken;
}

const usesOf = (set: LimitSet, now: number): Readonly<Record<string, number>> =>
  Object.fromEntries(set.uses(now).map(({ kind, used }) => [kind, used]));

describe("a limit set", () => {
  test("without limits admits everything and shows nothing", () => {
    const set = createLimitSet({});
    for (let request = 0; request < 1000; request += 1) hold(set, 0, 1e9);
    expect(set.check(0, 1e9)).toBeUndefined();
    expect(set.uses(0)).toEqual([]);
  });

  test("of 5 a minute lets exactly 5 of 1,000 parallel requests through", () => {
    const set = createLimitSet({ requestsPerMinute: 5 });
    let admitted = 0;
    for (let request = 0; request < 1000; request += 1)
      if (set.acquire(1000, 10).refusedBy === undefined) admitted += 1;
    expect(admitted).toBe(5);
    expect(set.acquire(1000, 10)).toEqual({ refusedBy: "rpm", freeAt: 61_000 });
  });

  test("names the first limit that refuses, and the time when the last one admits", () => {
    const set = createLimitSet({
      requestsPerMinute: 1,
      tokensPerMinute: 100,
      requestsPerDay: 2,
      concurrency: 2,
    });
    hold(set, 0, 100).settle(10, undefined);
    expect(set.check(20, 10)).toEqual({ refusedBy: "rpm", freeAt: MINUTE });
    hold(set, MINUTE, 10);
    expect(set.check(MINUTE, 95)).toEqual({ refusedBy: "rpm", freeAt: DAY });
    expect(set.check(2 * MINUTE, 95)).toEqual({ refusedBy: "rpd", freeAt: DAY });
  });

  test("refuses by tokens until they have left the minute", () => {
    const set = createLimitSet({ tokensPerMinute: 1000 });
    hold(set, 0, 600);
    hold(set, 20_000, 300);
    expect(set.check(30_000, 101)).toEqual({ refusedBy: "tpm", freeAt: MINUTE });
    expect(set.check(30_000, 100)).toBeUndefined();
    expect(set.check(30_000, 5000)).toEqual({ refusedBy: "tpm", freeAt: 80_000 });
  });

  test("refuses by concurrency until one is over, at any moment", () => {
    const set = createLimitSet({ concurrency: 2, requestsPerMinute: 100 });
    const first = hold(set, 0, 0);
    hold(set, 0, 0);
    expect(set.check(5, 0)).toEqual({ refusedBy: "concurrency", freeAt: 5 });
    first.settle(6, 20);
    expect(set.check(6, 0)).toBeUndefined();
    expect(usesOf(set, 6)).toEqual({ concurrency: 1, rpm: 2 });
  });

  test("takes nothing when it refuses", () => {
    const set = createLimitSet({
      requestsPerMinute: 10,
      tokensPerMinute: 100,
      tokensPerDay: 50,
      concurrency: 9,
    });
    hold(set, 0, 40);
    const before = usesOf(set, 1);
    expect(set.acquire(1, 30).refusedBy).toBe("tpd");
    expect(usesOf(set, 1)).toEqual(before);
  });

  test("settles tokens to what was used: less goes back, more counts even over the limit", () => {
    const set = createLimitSet({ tokensPerMinute: 1000, tokensPerDay: 10_000 });
    const first = hold(set, 0, 500);
    const second = hold(set, 0, 500);
    first.settle(10_000, 120);
    expect(usesOf(set, 10_000)).toEqual({ tpm: 620, tpd: 620 });
    second.settle(20_000, 1900);
    expect(usesOf(set, 20_000)).toEqual({ tpm: 2020, tpd: 2020 });
    expect(set.check(20_000, 1)).toEqual({ refusedBy: "tpm", freeAt: 80_000 });
    expect(usesOf(set, MINUTE)).toEqual({ tpm: 1400, tpd: 2020 });
  });

  test("keeps the estimate when nobody says what was used, and for nonsense counts none", () => {
    const set = createLimitSet({ tokensPerMinute: 1000 });
    hold(set, 0, 99.2).settle(1, undefined);
    expect(usesOf(set, 1)).toEqual({ tpm: 100 });
    hold(set, 1, Number.NaN).settle(2, -5);
    expect(usesOf(set, 2)).toEqual({ tpm: 100 });
  });

  test("has everything back after a cancel", () => {
    const set = createLimitSet({
      requestsPerMinute: 1,
      requestsPerDay: 1,
      tokensPerMinute: 10,
      tokensPerDay: 10,
      concurrency: 1,
    });
    hold(set, 0, 10).cancel(5);
    expect(usesOf(set, 5)).toEqual({ concurrency: 0, rpm: 0, rpd: 0, tpm: 0, tpd: 0 });
    hold(set, 5, 10);
  });

  test("counts the end of a hold once", () => {
    const set = createLimitSet({ concurrency: 5, requestsPerMinute: 5, tokensPerMinute: 100 });
    hold(set, 0, 10);
    const twice = hold(set, 0, 10);
    twice.settle(1, 30);
    twice.settle(2, 99);
    twice.cancel(3);
    expect(usesOf(set, 3)).toEqual({ concurrency: 1, rpm: 2, tpm: 40 });
  });

  test("keeps its history and its holds through a reload", () => {
    const set = createLimitSet({ requestsPerMinute: 2, tokensPerMinute: 100, concurrency: 1 });
    const before = hold(set, 0, 60);
    set.resize({ requestsPerMinute: 3, tokensPerDay: 500 });
    hold(set, 10, 70);
    expect(usesOf(set, 10)).toEqual({ rpm: 2, tpd: 70 });
    before.settle(20, 10); // its tokens were a removed limit's
    expect(usesOf(set, 20)).toEqual({ rpm: 2, tpd: 70 });
    set.resize({ requestsPerMinute: 3, concurrency: 1 });
    expect(usesOf(set, 30)).toEqual({ concurrency: 1, rpm: 2 });
  });

  test("forgets the day, not the minute, when the provider's day ends", () => {
    const set = createLimitSet({ requestsPerDay: 1, requestsPerMinute: 5 });
    hold(set, 0, 0);
    set.endDayAt(30_000);
    expect(set.check(10, 0)).toEqual({ refusedBy: "rpd", freeAt: 30_000 });
    expect(usesOf(set, 30_000)).toEqual({ rpm: 1, rpd: 0 });
  });
});

const someLimits: fc.Arbitrary<Limits> = fc
  .record(
    {
      requestsPerMinute: fc.integer({ min: 1, max: 20 }),
      tokensPerMinute: fc.integer({ min: 1, max: 5000 }),
      requestsPerDay: fc.integer({ min: 1, max: 60 }),
      tokensPerDay: fc.integer({ min: 1, max: 50_000 }),
      concurrency: fc.integer({ min: 1, max: 8 }),
    },
    { requiredKeys: [] },
  )
  .map((limits) => limits as Limits);

interface Step {
  readonly waitMs: number;
  readonly act: "acquire" | "settle" | "cancel";
  readonly tokens: number;
  readonly pick: number;
}
const someSteps = fc.array(
  fc.record<Step>({
    waitMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 20_000 })),
    act: fc.constantFrom("acquire", "acquire", "settle", "cancel"),
    tokens: fc.integer({ min: 1, max: 3000 }),
    pick: fc.nat(),
  }),
  { maxLength: 120, size: "max" },
);

describe("any schedule", () => {
  test("keeps requests in any minute, and those in flight, below their limits", () => {
    fc.assert(
      fc.property(someLimits, someSteps, (limits, steps) => {
        const set = createLimitSet(limits);
        const open: { readonly hold: Hold; readonly at: number }[] = [];
        const sent: number[] = [];
        let now = 0;
        for (const { waitMs, act, tokens, pick } of steps) {
          now += waitMs;
          if (act === "acquire") {
            const expected = set.check(now, tokens);
            const taken = set.acquire(now, tokens);
            if (taken.refusedBy === undefined) {
              expect(expected).toBeUndefined();
              open.push({ hold: taken, at: now });
              sent.push(now);
            } else expect(expected).toEqual(taken);
          } else if (open.length > 0) {
            const [ended] = open.splice(pick % open.length, 1);
            if (act === "settle") ended?.hold.settle(now, tokens);
            else {
              ended?.hold.cancel(now);
              sent.splice(sent.indexOf(ended?.at ?? 0), 1);
            }
          }
          expect(open.length).toBeLessThanOrEqual(limits.concurrency ?? Infinity);
          const lastMinute = sent.filter((at) => at > now - MINUTE).length;
          expect(lastMinute).toBeLessThanOrEqual(limits.requestsPerMinute ?? Infinity);
          expect(sent.filter((at) => at > now - DAY).length).toBeLessThanOrEqual(
            limits.requestsPerDay ?? Infinity,
          );
          const uses = usesOf(set, now);
          if (limits.concurrency !== undefined) expect(uses["concurrency"]).toBe(open.length);
          if (limits.requestsPerMinute !== undefined) expect(uses["rpm"]).toBe(lastMinute);
        }
      }),
      { numRuns: 100 },
    );
  });

  test("loses no slot: what is refused by a rate is admitted at its freeAt, and not before", () => {
    fc.assert(
      fc.property(someLimits, someSteps, (limits, steps) => {
        const set = createLimitSet(limits);
        let now = 0;
        for (const { waitMs, tokens } of steps) {
          now += waitMs;
          const taken = set.acquire(now, tokens);
          if (taken.refusedBy === undefined) {
            taken.settle(now, tokens + 5);
            continue;
          }
          expect(set.check(taken.freeAt - 0.01, tokens)).toBeDefined();
          now = taken.freeAt;
          expect(set.check(now, tokens)).toBeUndefined();
        }
      }),
      { numRuns: 100 },
    );
  });

  test("has everything back when all is cancelled at once", () => {
    fc.assert(
      fc.property(
        someLimits,
        fc.array(fc.integer({ min: 0, max: 900 }), { maxLength: 40 }),
        (limits, sizes) => {
          const set = createLimitSet(limits);
          const holds = sizes.map((tokens, at) => set.acquire(at, tokens));
          for (const taken of holds) if (taken.refusedBy === undefined) taken.cancel(50);
          for (const { used } of set.uses(50)) expect(used).toBe(0);
        },
      ),
      { numRuns: 100 },
    );
  });
});
