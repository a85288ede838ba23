// A user's own pick is followed while it behaves, and set aside when it does not.
import { describe, expect, test } from "bun:test";
import { nextSnapshot } from "../../src/core/pool.ts";
import type { Strategy } from "../../src/core/seams.ts";
import {
  type Candidate,
  createCustom,
  type CustomPick,
  type PickRequest,
} from "../../src/core/strategy-custom.ts";
import { noteLoad } from "../../src/core/measures.ts";
import { makeBackend, makeSpec } from "../support/slots.ts";
import { begin, countById, levelOf, sendTraffic, slotOf } from "../support/traffic.ts";

const NAME = "custom:./mine.ts";

interface Watched {
  readonly strategy: Strategy;
  readonly reports: readonly string[];
  /** Lets the next pick take so long. */
  readonly delay: (ms: number) => void;
  readonly wait: (ms: number) => void;
}

function watch(pick: CustomPick): Watched {
  const reports: string[] = [];
  let nowMs = 0;
  let delayMs = 0;
  const strategy = createCustom(
    (candidates, request) => {
      nowMs += delayMs;
      return pick(candidates, request);
    },
    { name: NAME, now: () => nowMs, report: (reason) => reports.push(reason) },
  );
  return {
    strategy,
    reports,
    delay(ms) {
      delayMs = ms;
    },
    wait(ms) {
      nowMs += ms;
    },
  };
}

const choose = (strategy: Strategy, level = levelOf(slotOf("a"), slotOf("b"), slotOf("c")), nowMs = 0) =>
  strategy.pick(level, { nowMs, random: () => 0.5, model: "gpt-x", isUsable: () => true });

describe("a custom strategy", () => {
  test("is followed by index and by id", () => {
    expect(choose(watch(() => 2).strategy)).toBe(2);
    expect(choose(watch(() => "b").strategy)).toBe(1);
  });

  test("sees the usable candidates alone, and what there is to know of them", () => {
    const level = levelOf(slotOf("a"), slotOf("b", 2));
    const [a, b] = level.slots;
    begin(b!, 5)({ durationMs: 0, tokens: 70 }, 45);
    begin(b!, 60);
    noteLoad(b!.state.measures, { waiting: 3, running: 4, atMs: 60, intervalMs: 5000 });
    let seen: readonly Candidate[] = [];
    let asked: PickRequest | undefined;
    const { strategy } = watch((candidates, request) => {
      seen = candidates;
      asked = request;
      return 0;
    });
    const random = () => 0.5;
    const at = strategy.pick(level, { nowMs: 100, random, model: "gpt-x", isUsable: (slot) => slot !== a });
    expect(at).toBe(1);
    expect(asked).toEqual({ model: "gpt-x", nowMs: 100, random });
    expect(seen.length).toBe(1);
    expect(seen[0]).toMatchObject({
      id: "b",
      provider: "p",
      key: "***",
      weight: 2,
      priority: 0,
      inFlight: 1,
      requests: 2,
      failuresInRow: 0,
      recentFailures: 0,
      lastUsedMs: 60,
      firstByteMs: 40,
      tokensThisMinute: 70,
      waiting: 3,
      running: 4,
    });
  });

  test("can change nothing of what it sees", () => {
    const level = levelOf(slotOf("a"), slotOf("b"));
    const { strategy, reports } = watch((candidates) => {
      const [first] = candidates;
      if (first !== undefined) Object.assign(first, { inFlight: 99 });
      return 0;
    });
    expect(choose(strategy, level)).toBe(0);
    expect(reports.length).toBe(1);
    expect(level.slots[0]?.state.inFlight).toBe(0);
  });

  test("that throws is set aside and told of once, and least-used goes on", () => {
    let calls = 0;
    const { strategy, reports } = watch(() => {
      calls += 1;
      throw new Error("no idea");
    });
    const sent = sendTraffic(levelOf(slotOf("a"), slotOf("b")), {
      pick: strategy.pick,
      react: () => ({ durationMs: 10 }),
      count: 20,
      everyMs: 20,
    });
    expect(countById(sent)).toEqual({ a: 10, b: 10 });
    expect(calls).toBe(1);
    expect(reports).toEqual(["threw Error: no idea; least-used takes its place until the next reload"]);
  });

  test("that answers nonsense is set aside", () => {
    const answers: readonly (readonly [() => unknown, string])[] = [
      [() => 3, "3"],
      [() => -1, "-1"],
      [() => 0.5, "0.5"],
      [() => Number.NaN, "NaN"],
      [() => "nobody", '"nobody"'],
      [() => undefined, "undefined"],
      [() => null, "null"],
      [() => ({}), "object"],
      [() => Promise.resolve(0), "a promise"],
      [() => Promise.reject(new Error("late")), "a promise"],
    ];
    for (const [answer, shown] of answers) {
      const { strategy, reports } = watch(answer as CustomPick);
      expect(choose(strategy)).toBe(0);
      expect(choose(strategy)).toBe(0);
      expect(reports).toEqual([
        `answered ${shown} in place of the index or id of a candidate; least-used takes its place until the next reload`,
      ]);
    }
  });

  test("that takes over 5 ms three times is set aside", () => {
    const { strategy, reports, delay } = watch(() => 2);
    delay(5);
    for (let pick = 0; pick < 10; pick += 1) expect(choose(strategy)).toBe(2);
    delay(5.1);
    expect(choose(strategy)).toBe(2);
    delay(0);
    expect(choose(strategy)).toBe(2);
    delay(6);
    expect(choose(strategy)).toBe(2);
    expect(reports).toEqual([]);
    expect(choose(strategy)).toBe(2);
    expect(reports).toEqual(["took over 5 ms 3 times; least-used takes its place until the next reload"]);
    expect(choose(strategy)).toBe(0);
  });

  test("that is slow now and then is kept: it may be the garbage collector", () => {
    const { strategy, reports, delay, wait } = watch(() => 2);
    delay(8);
    for (let pick = 0; pick < 10; pick += 1) {
      expect(choose(strategy)).toBe(2);
      wait(30_000);
    }
    expect(reports).toEqual([]);
  });

  test("is not asked when nobody is usable", () => {
    const { strategy, reports } = watch(() => {
      throw new Error("asked");
    });
    const level = levelOf(slotOf("a"));
    expect(strategy.pick(level, { nowMs: 0, random: () => 0, isUsable: () => false })).toBe(-1);
    expect(reports).toEqual([]);
  });

  test("lives as long as its route is unchanged and its file is not loaded anew", () => {
    const make = () => createCustom(() => 0, { name: NAME, now: () => 0, report: () => undefined });
    const specOf = (create: () => Strategy) => ({
      ...makeSpec({ p: { backends: [makeBackend("a"), makeBackend("b")], strategy: NAME } }),
      customStrategies: new Map([[NAME, create]]),
    });
    const [once, again] = [() => make(), () => make()];
    const first = nextSnapshot(undefined, specOf(once));
    const same = nextSnapshot(first, specOf(once));
    const anew = nextSnapshot(same, specOf(again));
    const strategies = [first, same, anew].map(({ providers }) => providers[0]?.route.strategy);
    expect(strategies[1]).toBe(strategies[0]);
    expect(strategies[2]).not.toBe(strategies[0]);
    expect(strategies[2]?.name).toBe(NAME);
  });
});
