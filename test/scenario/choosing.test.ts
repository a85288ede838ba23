// Choosing through the whole app: routes, aliases, priorities, fallbacks, affinity, and streams that fail at their start.
import { describe, expect, test } from "bun:test";
import type { PoolSpec, RouteSpec } from "../../src/core/pool-spec.ts";
import type { RuleScript } from "../../src/fake/script.ts";
import { type Fake, startFake } from "../../src/fake/server.ts";
import { until } from "../support/until.ts";
import { startWeir, type Weir, type WeirSetup } from "../support/weir.ts";

const PATH = "/v1/chat/completions";
const KEYS = ["choose-key-a-000001", "choose-key-b-000002"];
const chat = (model: string, content = "hi") => ({ model, messages: [{ role: "user", content }] });

interface Stage extends AsyncDisposable {
  readonly fake: Fake;
  readonly weir: Weir;
  /** Status, text and the provider's calls as `key model`. */
  readonly ask: (
    body: unknown,
    headers?: Record<string, string>,
  ) => Promise<{ status: number; text: string; calls: string[] }>;
}

function stage(
  setup: Partial<WeirSetup> & { readonly rules?: readonly RuleScript[]; readonly keys?: readonly string[] },
): Stage {
  const { rules = [], keys = KEYS, ...rest } = setup;
  const fake = startFake({ script: { rules } });
  const weir = startWeir({ providers: [{ name: "openai", urls: [fake.url], keys }], ...rest });
  return {
    fake,
    weir,
    async ask(body, headers = {}) {
      const before = fake.ledger.calls().length;
      const response = await weir.post(PATH, body, { headers });
      const text = await response.text();
      const calls = fake.ledger
        .calls()
        .slice(before)
        .map(({ key, model }) => `${key.slice(11, 12)} ${model}`);
      return { status: response.status, text, calls };
    },
    async [Symbol.asyncDispose]() {
      await weir[Symbol.asyncDispose]();
      await fake.stop();
    },
  };
}

/** A route by name over the backends of the pool, in the shape that a file gives it. */
const withRoutes =
  (
    routes: readonly (Partial<RouteSpec> & { readonly name: string })[],
    aliases: Record<string, string> = {},
  ) =>
  (pool: PoolSpec): PoolSpec => ({
    ...pool,
    routes: routes.map((route) => ({
      backendIds: pool.backends.map(({ id }) => id),
      strategy: "least-used",
      ...route,
    })),
    aliases: new Map(
      Object.entries(aliases).map(([name, model]) => [name, { model, hidden: name.startsWith("hidden") }]),
    ),
  });

describe("a model's name", () => {
  test("leads to its route, its alias, the longest pattern, in this order, and the alias is renamed upstream", async () => {
    const only = (at: number) => (pool: PoolSpec) => [pool.backends[at]?.id ?? ""];
    await using s = stage({
      shapePool: (pool) =>
        withRoutes(
          [
            { name: "fast", backendIds: only(0)(pool) },
            { name: "f*", backendIds: only(1)(pool) },
            { name: "fo*", backendIds: only(0)(pool) },
          ],
          { quick: "fast", "hidden-one": "gpt-4o" },
        )(pool),
    });
    expect((await s.ask(chat("fast"))).calls).toEqual(["a fast"]);
    expect((await s.ask(chat("quick"))).calls).toEqual(["a fast"]);
    expect((await s.ask(chat("hidden-one"))).calls[0]).toContain("gpt-4o");
    expect((await s.ask(chat("fizz"))).calls).toEqual(["b fizz"]);
    expect((await s.ask(chat("food"))).calls).toEqual(["a food"]);
  });

  test("is listed unless its alias is hidden", async () => {
    await using s = stage({
      shapePool: withRoutes([{ name: "fast" }, { name: "x*" }], { quick: "fast", "hidden-one": "fast" }),
    });
    const { data } = (await (await fetch(`${s.weir.url}/v1/models`)).json()) as { data: { id: string }[] };
    expect(data.map(({ id }) => id)).toEqual(["fast", "quick"]);
  });
});

test("a lower priority serves only while the level before it is unusable", async () => {
  const second = (pool: PoolSpec): PoolSpec => ({
    ...pool,
    backends: pool.backends.map((backend, at) => ({ ...backend, priority: at + 1 })),
  });
  await using s = stage({
    shapePool: second,
    rules: [{ match: { call: 4 }, do: { error: "rate_limit", retry_after: "10s" } }],
  });
  const keys: string[] = [];
  for (let call = 0; call < 5; call += 1) keys.push(...(await s.ask(chat("gpt-4o"))).calls);
  expect(keys.map((call) => call[0])).toEqual(["a", "a", "a", "a", "b", "b"]);
  s.weir.advance(10_500);
  expect((await s.ask(chat("gpt-4o"))).calls[0]?.[0]).toBe("a");
});

test("a route's own time-outs stand in place of the general ones", async () => {
  await using s = stage({
    shapePool: withRoutes([{ name: "slow-model", timeouts: { firstByteMs: 60 } }]),
    rules: [{ do: "hang_headers" }],
    retry: { max: 0 },
  });
  expect((await s.ask(chat("slow-model"))).status).toBe(504);
});

describe("fallbacks", () => {
  const failing = (model: string, action: RuleScript["do"]): RuleScript => ({ match: { model }, do: action });

  test("are tried in order when a model's own backends are spent, with the body renamed", async () => {
    await using s = stage({
      rules: [failing("gpt-a", 503), failing("gpt-b", 503)],
      retry: { max: 1 },
      cooldown: { threshold: 100 },
      fallbacks: { general: new Map([["gpt-a", ["gpt-b", "gpt-c"]]]) },
    });
    const { status, calls } = await s.ask(chat("gpt-a"));
    expect(status).toBe(200);
    expect(calls.map((call) => call.slice(2))).toEqual(["gpt-a", "gpt-a", "gpt-b", "gpt-b", "gpt-c"]);
  });

  test("of a prompt that is too long, or refused for its content, have lists of their own", async () => {
    await using s = stage({
      rules: [
        failing("gpt-short", "context_length"),
        failing("gpt-strict", { status: 400, body: { error: { code: "content_filter", message: "no" } } }),
      ],
      fallbacks: {
        contextWindow: new Map([["gpt-short", ["gpt-long"]]]),
        contentPolicy: new Map([["gpt-strict", ["gpt-lax"]]]),
        general: new Map([
          ["gpt-short", ["gpt-wrong"]],
          ["gpt-strict", ["gpt-wrong"]],
        ]),
      },
    });
    expect((await s.ask(chat("gpt-short"))).calls.map((call) => call.slice(2))).toEqual([
      "gpt-short",
      "gpt-long",
    ]);
    expect((await s.ask(chat("gpt-strict"))).calls.map((call) => call.slice(2))).toEqual([
      "gpt-strict",
      "gpt-lax",
    ]);
  });

  test("by default serve models without a list, and a caller's own fault goes back as it came", async () => {
    await using s = stage({
      rules: [failing("gpt-a", 503), failing("gpt-bad", 400)],
      cooldown: { threshold: 100 },
      fallbacks: { whenNone: ["gpt-z"] },
    });
    expect((await s.ask(chat("gpt-bad"))).calls).toHaveLength(1);
    const { status, calls } = await s.ask(chat("gpt-a"));
    expect(status).toBe(200);
    expect(calls.at(-1)).toContain("gpt-z");
  });

  test("end after five, with the last answer", async () => {
    const chain = ["gpt-0", "gpt-1", "gpt-2", "gpt-3", "gpt-4", "gpt-5", "gpt-6", "gpt-7"];
    await using s = stage({
      rules: [{ do: 503 }],
      keys: KEYS.slice(0, 1),
      retry: { max: 0 },
      cooldown: { threshold: 100 },
      fallbacks: { general: new Map(chain.map((model, at) => [model, chain.slice(at + 1, at + 2)])) },
    });
    const { status, calls } = await s.ask(chat("gpt-0"));
    expect(status).toBe(503);
    expect(calls).toHaveLength(6);
  });
});

describe("a stream that fails before its first event", () => {
  const stream = { ...chat("gpt-4o"), stream: true };

  test.each([
    ["an error as the first event", { fault: "error_first", error: "server_error" }],
    [
      "an error as the first event, in single bytes",
      {
        fault: "split",
        bytes: 1,
        body: 'event: error\ndata: {"error":{"message":"x"}}\n\n',
        headers: { "content-type": "text/event-stream" },
        status: 200,
      },
    ],
    [
      "an end before anything was said",
      { body: "data: [DONE]\n\n", headers: { "content-type": "text/event-stream" }, status: 200 },
    ],
    [
      "comments and then nothing",
      { body: ": hello\n\n", headers: { "content-type": "text/event-stream" }, status: 200 },
    ],
    [
      "OpenRouter's error inside a chunk",
      {
        body: 'data: {"id":"1","choices":[],"error":{"code":502,"message":"x"}}\n\n',
        headers: { "content-type": "text/event-stream" },
        status: 200,
      },
    ],
  ] as const)("is one clean stream from another backend: %s", async (_, action) => {
    await using s = stage({ rules: [{ times: 1, do: action }] });
    const { status, text, calls } = await s.ask(stream);
    expect(status).toBe(200);
    expect(calls).toHaveLength(2);
    expect(text).not.toContain('"error"');
    expect(text).toEndWith("data: [DONE]\n\n");
    expect(text.match(/"role":"assistant"/g)).toHaveLength(1);
  });

  test("is the key's cause when it says so", async () => {
    await using s = stage({ rules: [{ times: 1, do: { fault: "error_first", error: "rate_limit" } }] });
    const { calls } = await s.ask(stream);
    expect(calls.map((call) => call[0])).toEqual(["a", "b"]);
    expect(s.weir.slot(KEYS[0] ?? "").keyState.rest?.cause).toBe("rate_limit");
  });

  test("is not repeated once an event has passed", async () => {
    await using s = stage({ rules: [{ do: { fault: "error_later", after: 1, error: "server_error" } }] });
    expect((await s.ask(stream)).calls).toHaveLength(1);
  });
});

describe("session affinity", () => {
  const FIVE = Array.from({ length: 5 }, (_, at) => `choose-key-${at}-00000`);
  const sticky = (pool: PoolSpec): PoolSpec => ({
    ...pool,
    providerRoutes: pool.providerRoutes.map((route) => ({ ...route, affinity: { kind: "session" } })),
  });

  test("keeps 95 % of the turns of 100 conversations on their key, and a lost key moves only its own", async () => {
    await using s = stage({ keys: FIVE, shapePool: sticky });
    const home = new Map<number, string>();
    let kept = 0;
    for (let turn = 0; turn < 10; turn += 1)
      for (let talk = 0; talk < 100; talk += 1) {
        const history = Array.from({ length: turn }, (_, at) => ({
          role: at % 2 === 0 ? "assistant" : "user",
          content: `turn ${at}`,
        }));
        const body = {
          model: "gpt-4o",
          messages: [
            { role: "system", content: "same for all" },
            { role: "user", content: `talk ${talk}` },
            ...history,
          ],
        };
        const key = (await s.ask(body)).calls[0]?.[0] ?? "";
        if (turn === 0) home.set(talk, key);
        else if (home.get(talk) === key) kept += 1;
      }
    expect(kept).toBeGreaterThan(0.95 * 900);
    expect(new Set(home.values()).size).toBe(5);
    s.fake.configure({ rules: [{ match: { key: FIVE[0] ?? "" }, do: 401 }] });
    for (let talk = 0; talk < 100; talk += 1) {
      const key = (
        await s.ask({
          model: "gpt-4o",
          messages: [
            { role: "system", content: "same for all" },
            { role: "user", content: `talk ${talk}` },
          ],
        })
      ).calls.at(-1)?.[0];
      if (home.get(talk) === "0") expect(key).not.toBe("0");
      else expect(key).toBe(home.get(talk) ?? "");
    }
  }, 120_000);

  test.each([
    ["prompt_cache_key", (at: number) => ({ ...chat("gpt-4o", `text ${at}`), prompt_cache_key: "k" }), {}],
    ["a session header", (at: number) => chat("gpt-4o", `text ${at}`), { "x-session-id": "s" }],
  ] as const)("goes by %s before the first message", async (_, body, headers) => {
    await using s = stage({ keys: FIVE, shapePool: sticky });
    const keys = new Set<string>();
    for (let at = 0; at < 12; at += 1) keys.add((await s.ask(body(at), headers)).calls[0]?.[0] ?? "");
    expect(keys.size).toBe(1);
  });

  test("goes by the header that a route names, and without it by the strategy", async () => {
    const named = { kind: "header", name: "x-tenant" } as const;
    await using s = stage({ keys: FIVE, shapePool: withRoutes([{ name: "gpt-4o", affinity: named }]) });
    const keysFor = async (headers: Record<string, string>) => {
      const keys = new Set<string>();
      for (let at = 0; at < 12; at += 1) keys.add((await s.ask(chat("gpt-4o"), headers)).calls[0]?.[0] ?? "");
      return keys.size;
    };
    expect(await keysFor({ "x-tenant": "acme" })).toBe(1);
    expect(await keysFor({})).toBe(5);
  });

  test("of an account always takes the first usable key", async () => {
    await using s = stage({ shapePool: withRoutes([{ name: "gpt-4o", affinity: { kind: "account" } }]) });
    for (let call = 0; call < 4; call += 1) expect((await s.ask(chat("gpt-4o"))).calls[0]?.[0]).toBe("a");
    s.fake.configure({ rules: [{ times: 1, do: 401 }] });
    expect((await s.ask(chat("gpt-4o"))).calls.map((call) => call[0])).toEqual(["a", "b"]);
  });

  test("lets one hot conversation spill over", async () => {
    await using s = stage({ keys: FIVE, shapePool: sticky, rules: [{ do: "hang_headers" }] });
    const leave = new AbortController();
    const calls = Array.from({ length: 50 }, () =>
      s.weir
        .post(PATH, { ...chat("gpt-4o"), prompt_cache_key: "hot" }, { signal: leave.signal })
        .catch(() => undefined),
    );
    await until(() => s.fake.openCalls === 50, "all are at the provider");
    expect(new Set(s.fake.ledger.calls().map(({ key }) => key)).size).toBeGreaterThan(2);
    leave.abort();
    await Promise.all(calls);
  });
});
