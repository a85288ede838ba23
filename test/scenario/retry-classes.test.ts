// A route's own numbers of retries by what went wrong: what the provider's ledger counts.
import { describe, expect, test } from "bun:test";
import { BadRequestError, RateLimitError } from "openai";
import type { RouteRetry } from "../../src/core/route-retry.ts";
import type { RuleScript } from "../../src/fake/script.ts";
import { startFake } from "../../src/fake/server.ts";
import { startWeir, type WeirSetup } from "../support/weir.ts";

const KEYS = Array.from({ length: 6 }, (_, at) => `sk-class-key-00000000000${at}`);
const messages = [{ role: "user" as const, content: "hello" }];

function scene(rules: readonly RuleScript[], retry: RouteRetry, setup: Partial<WeirSetup> = {}) {
  const fake = startFake({ script: { rules } });
  const weir = startWeir({
    providers: [{ name: "openai", urls: [fake.url], keys: KEYS }],
    shapePool: (pool) => ({
      ...pool,
      providerRoutes: pool.providerRoutes.map((route) => ({ ...route, retry })),
    }),
    ...setup,
  });
  return {
    fake,
    weir,
    /** What the SDK threw or answered. */
    ask: (): Promise<unknown> =>
      weir
        .openai()
        .chat.completions.create({ model: "gpt-4o", messages })
        .catch((error: unknown) => error),
    calls: () => fake.ledger.counters().calls,
    async [Symbol.asyncDispose]() {
      await weir[Symbol.asyncDispose]();
      await fake.stop();
    },
  };
}

describe("retries of a route", () => {
  test("are one after a time-out and three after rate limits, as LiteLLM's policy says", async () => {
    const policy = { timeouts: 1, rateLimits: 3 };
    await using slow = scene([{ do: "hang_headers" }], policy, { timeouts: { firstByteMs: 40 } });
    expect(await slow.ask()).toMatchObject({ status: 504 });
    // The fake may not have read of one that is given up so soon.
    expect(slow.weir.attempts()).toHaveLength(2);
    await using limited = scene([{ do: "rate_limit" }], policy);
    expect(await limited.ask()).toBeInstanceOf(RateLimitError);
    expect(limited.calls()).toBe(4);
  });

  test.each<[RuleScript["do"], RouteRetry, number]>([
    [401, { authentication: 1 }, 2],
    [401, {}, 6],
    [500, { serverErrors: 3 }, 4],
    [500, { max: 5 }, 2],
    [503, { max: 1 }, 2],
    [503, { serverErrors: 0 }, 1],
    [400, { badRequests: 2 }, 3],
    [400, { max: 2 }, 1],
    ["content_filter", { contentPolicy: 1 }, 2],
    ["content_filter", { badRequests: 1 }, 1],
  ])("after %j by %j come to the right number of calls", async (action, retry, calls) => {
    await using s = scene([{ do: action }], retry);
    await s.ask();
    expect(s.calls()).toBe(calls);
  });

  test("may better a refusal, and hand the last one on as it came", async () => {
    const refusal = { status: 400, body: { error: { message: "mine", type: "invalid_request_error" } } };
    await using good = scene([{ match: { call: 1 }, do: refusal }], { badRequests: 1 });
    expect(await good.ask()).toHaveProperty("choices");
    await using bad = scene([{ do: refusal }], { badRequests: 1 });
    const thrown = await bad.ask();
    expect(thrown).toBeInstanceOf(BadRequestError);
    expect(String(thrown)).toContain("mine");
    expect((thrown as BadRequestError).headers?.get("retry-after")).toBeNull();
  });

  test("come before the fallbacks of their cause", async () => {
    await using s = scene(
      [{ match: { model: "gpt-4o" }, do: "context_length" }],
      { badRequests: 1 },
      { fallbacks: { contextWindow: new Map([["gpt-4o", ["gpt-4.1"]]]) } },
    );
    expect(await s.ask()).toHaveProperty("choices");
    expect(s.fake.ledger.calls().map(({ model }) => model)).toEqual(["gpt-4o", "gpt-4o", "gpt-4.1"]);
  });
});
