// What providers tell of limits, as rests; what is shared by all keys; and what a request may cost.
import { describe, expect, test } from "bun:test";
import { createTokenMean, estimateTokens, noteTokens } from "../../src/core/estimate.ts";
import { nextFallback, NO_FALLBACKS } from "../../src/core/fallback.ts";
import { restFromLimits, waitFromLimits } from "../../src/core/learned.ts";

describe("a limit that has run dry", () => {
  test.each([
    [{ limit: 5, remaining: 0, resetMs: 60_000 }, 60_000],
    [{ remaining: 0, resetMs: 7000 }, 7000],
    [{ limit: 60, remaining: 0, resetMs: 60_000 }, 10_000],
    [{ limit: 10_000, remaining: 0, resetMs: 60_000 }, 1000],
    [{ limit: 10_000, remaining: 0, resetMs: 6 }, 6],
    [{ limit: 5, remaining: 0, resetMs: 900_000 }, 300_000],
  ])("%j rests the key until some of it is back: %i ms", (requests, lengthMs) => {
    expect(restFromLimits({ requests })).toMatchObject({ cause: "rate_limit", lengthMs });
  });

  test.each([
    { limit: 5, remaining: 1, resetMs: 1000 },
    { limit: 5, remaining: 0 },
    { limit: 5, remaining: 0, resetMs: 0 },
    {},
  ])("%j asks for no rest", (requests) => {
    expect(restFromLimits({ requests })).toBeUndefined();
  });

  test("of a day rests it as a quota, up to a day, and the longest counts", () => {
    const day = { limit: 100, remaining: 0, resetMs: 3_600_000 };
    const minute = { limit: 5, remaining: 0, resetMs: 9000 };
    expect(restFromLimits({ requests: minute, requestsPerDay: day })).toMatchObject({
      cause: "quota",
      lengthMs: 3_600_000,
    });
    expect(restFromLimits({ tokensPerDay: { ...day, resetMs: 1e9 } })?.lengthMs).toBe(86_400_000);
  });

  test("tells a 429 without a wait how long to wait", () => {
    expect(
      waitFromLimits({ requests: { remaining: 3, resetMs: 9 }, tokens: { remaining: 0, resetMs: 70 } }),
    ).toBe(70);
    expect(waitFromLimits({ requests: { remaining: 3, resetMs: 9 } })).toBeUndefined();
  });
});

describe("an estimate of tokens", () => {
  test("is a quarter of the bytes at first, at most 2,000, then the route's running mean", () => {
    const mean = createTokenMean();
    expect(estimateTokens(mean, 400)).toBe(100);
    expect(estimateTokens(mean, 1e6)).toBe(2000);
    noteTokens(mean, 50);
    expect(estimateTokens(mean, 1e6)).toBe(50);
    for (let answer = 0; answer < 100; answer += 1) noteTokens(mean, 150);
    expect(estimateTokens(mean, 0)).toBe(150);
  });
});

describe("a fallback", () => {
  const policy = {
    ...NO_FALLBACKS,
    general: new Map([
      ["a", ["b", "c"]],
      ["b", ["d"]],
      ["openai", ["x"]],
      ["gpt", ["y"]],
    ]),
    whenNone: ["z"],
  };

  test("is the newest model's own, then what earlier lists have left, each model once", () => {
    expect(nextFallback(policy, "general", ["a"])).toBe("b");
    expect(nextFallback(policy, "general", ["a", "b"])).toBe("d");
    expect(nextFallback({ ...policy, whenNone: [] }, "general", ["a", "b", "d"])).toBe("c");
  });

  test("by default serves models without a list, and a prefix is no part of the name", () => {
    expect(nextFallback(policy, "general", ["q"])).toBe("z");
    expect(nextFallback(policy, "general", ["openai/gpt"])).toBe("y");
    expect(nextFallback(policy, "context_window", ["a"])).toBeUndefined();
  });
});
