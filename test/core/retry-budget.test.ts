// Retries of all requests together: a fifth of them, or ten a second, over ten seconds.
import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { createRetryBudget } from "../../src/core/retry-budget.ts";

const POLICY = { share: 0.2, floorPerSecond: 10 };

function withdrawAll(budget: ReturnType<typeof createRetryBudget>, nowMs: number): number {
  let taken = 0;
  while (taken < 10_000 && budget.withdraw(nowMs)) taken += 1;
  return taken;
}

describe("a retry budget", () => {
  test("grants ten a second without any request", () => {
    const budget = createRetryBudget(POLICY);
    expect(withdrawAll(budget, 0)).toBe(10);
    expect(withdrawAll(budget, 999)).toBe(0);
    expect(withdrawAll(budget, 1000)).toBe(10);
    expect(withdrawAll(budget, 60_000)).toBe(10);
  });

  test("stays within a fifth from the first request on, where the fifth is more than the floor", () => {
    const budget = createRetryBudget(POLICY);
    let requests = 0;
    let retries = 0;
    for (let at = 0; at < 30_000; at += 2) {
      requests += 1;
      budget.noteRequest(at);
      if (budget.withdraw(at)) retries += 1;
    }
    expect(retries).toBeLessThanOrEqual(0.2 * requests + 10);
    expect(retries).toBeGreaterThan(0.19 * requests);
  });

  test("grants a fifth of many requests", () => {
    const budget = createRetryBudget(POLICY);
    for (let at = 0; at < 2000; at += 1) budget.noteRequest(at);
    expect(withdrawAll(budget, 2000)).toBe(400);
    budget.noteRequest(2000);
    for (let at = 0; at < 4; at += 1) budget.noteRequest(2000);
    expect(withdrawAll(budget, 2000)).toBe(1);
  });

  test("forgets requests that are ten seconds old", () => {
    const budget = createRetryBudget(POLICY);
    for (let at = 0; at < 2000; at += 1) budget.noteRequest(0);
    expect(withdrawAll(budget, 9999)).toBe(400);
    expect(withdrawAll(budget, 10_001)).toBe(10);
    expect(withdrawAll(budget, 19_001)).toBe(10);
  });

  test("survives gaps, a clock that stands or steps back, and any origin", () => {
    for (const start of [0, 0.5, -5000, 1e12, 123_456_789.25]) {
      const budget = createRetryBudget(POLICY);
      expect(withdrawAll(budget, start)).toBe(10);
      expect(withdrawAll(budget, start - 3000)).toBe(0);
      expect(withdrawAll(budget, start + 1e9)).toBe(10);
      expect(withdrawAll(budget, start + 1e9 - 60_000)).toBe(0);
      expect(withdrawAll(budget, start + 1e9 + 10_000)).toBe(10);
    }
  });

  test("never grants more in its window than the share or the floor", () => {
    const step = fc.tuple(
      fc.constantFrom("request", "retry"),
      fc.oneof(fc.constant(0), fc.nat(700), fc.nat(15_000)),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), fc.constantFrom(1, 40), (steps, many) => {
        const policy = { share: 0.2, floorPerSecond: 1 };
        const budget = createRetryBudget(policy);
        const requests: number[] = [];
        const retries: number[] = [];
        let nowMs = 0;
        for (const [what, gap] of steps) {
          nowMs += gap;
          const inWindow = (times: readonly number[]) =>
            times.filter((time) => Math.floor(time / 1000) > Math.floor(nowMs / 1000) - 10).length;
          if (what === "request")
            for (let at = 0; at < many; at += 1) {
              budget.noteRequest(nowMs);
              requests.push(nowMs);
            }
          else {
            const room = 0.2 * inWindow(requests) - inWindow(retries);
            const thisSecond = retries.filter(
              (time) => Math.floor(time / 1000) === Math.floor(nowMs / 1000),
            ).length;
            const granted = budget.withdraw(nowMs);
            expect(granted).toBe(room >= 1 || thisSecond < 1);
            if (granted) retries.push(nowMs);
          }
        }
      }),
    );
  });
});
