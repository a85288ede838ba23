// Names of models through the whole app: captured by patterns, missing, hidden, with a provider's name, told by tags.
import { describe, expect, test } from "bun:test";
import { BadRequestError, NotFoundError, toFile } from "openai";
import type { Backend } from "../../src/core/backend.ts";
import type { PoolSpec, RouteSpec } from "../../src/core/pool-spec.ts";
import { startFake } from "../../src/fake/server.ts";
import { jsonResponse, startRawUpstream } from "../support/raw.ts";
import { backendId, startWeir, type WeirSetup } from "../support/weir.ts";

const KEYS = ["asked-key-a-000000001", "asked-key-b-000000002"];
const PATH = "/v1/chat/completions";
const messages = [{ role: "user" as const, content: "hello" }];

type ShapePool = NonNullable<WeirSetup["shapePool"]>;
type RouteFields = Partial<RouteSpec> & Pick<RouteSpec, "name">;

const withRoutes =
  (routes: readonly RouteFields[], more: Partial<PoolSpec> = {}) =>
  (pool: PoolSpec): PoolSpec => ({
    ...pool,
    routes: routes.map((route) => ({
      backendIds: pool.backends.map(({ id }) => id),
      strategy: "least-used",
      ...route,
    })),
    ...more,
  });

function scene(own: Partial<Backend>, setup: Partial<WeirSetup>) {
  const fake = startFake();
  const adjust = (backend: Backend) =>
    backend.id === backendId("openai", 0) ? { ...backend, ...own } : backend;
  const weir = startWeir({
    providers: [{ name: "openai", urls: [fake.url], keys: KEYS, adjust }],
    ...setup,
  });
  return {
    fake,
    weir,
    models: () => fake.ledger.calls().map((call) => call.model),
    /** The letter of each call's key. */
    keys: () => fake.ledger.calls().map((call) => call.key.slice(10, 11)),
    async [Symbol.asyncDispose]() {
      await weir[Symbol.asyncDispose]();
      await fake.stop();
    },
  };
}

describe("what a pattern captures", () => {
  test("fills the backend's own name, the longest pattern first", async () => {
    const first = { backendIds: [backendId("openai", 0)] };
    await using s = scene(
      { upstreamModel: "*" },
      {
        shapePool: withRoutes([
          { name: "*", backendIds: [backendId("openai", 1)] },
          { name: "openai/*", ...first },
        ]),
      },
    );
    const ask = (model: string) => s.weir.openai().chat.completions.create({ model, messages });
    await ask("openai/gpt-4o");
    await ask("mistral/small");
    expect(s.models()).toEqual(["gpt-4o", "mistral/small"]);
    expect(s.keys()).toEqual(["a", "b"]);
    expect(s.weir.attempts().map(({ model }) => model)).toEqual(["gpt-4o", "mistral/small"]);
  });

  test("is in Gemini's path too, and leaves the rest of a body alone", async () => {
    const fake = startFake();
    await using weir = startWeir({
      providers: [{ name: "google", urls: [fake.url], keys: KEYS, upstreamModel: "gemini-*-flash" }],
      shapePool: withRoutes([{ name: "fast-*" }]),
    });
    await weir.gemini().models.generateContent({ model: "fast-2.5", contents: "hello" });
    expect(fake.ledger.calls()[0]?.model).toBe("gemini-2.5-flash");
    await fake.stop();
  });

  test("is what a missing model is remembered by", async () => {
    const fake = startFake({ script: { models: ["gpt-4o"] } });
    await using weir = startWeir({
      providers: [{ name: "openai", urls: [fake.url], keys: KEYS, upstreamModel: "*" }],
      shapePool: withRoutes([{ name: "openai/*" }]),
    });
    const ask = weir.openai().chat.completions.create({ model: "openai/gpt-9", messages });
    expect(await ask.catch((error: unknown) => error)).toBeInstanceOf(NotFoundError);
    expect([...weir.slot(KEYS[0] ?? "").keyState.refusedModels.keys()]).toEqual(["gpt-9"]);
    await fake.stop();
  });
});

describe("a request without a model", () => {
  const standIn =
    (own: Partial<Backend> = {}): ShapePool =>
    (pool) => ({
      ...withRoutes([{ name: "main" }], { modelless: "main" })(pool),
      backends: pool.backends.map((backend) => ({ ...backend, ...own })),
    });
  const post = async (
    url: string,
    setup: Partial<WeirSetup>,
    path: string,
    body: string,
  ): Promise<number> => {
    await using weir = startWeir({ providers: [{ name: "openai", urls: [url], keys: KEYS }], ...setup });
    const response = await weir.post(path, body);
    await response.arrayBuffer();
    if (response.status === 200) expect((await weir.finished()).model).toBe("main");
    return response.status;
  };

  test.each([
    ['{"messages":[] }\n', '{"model":"gpt-4o","messages":[] }\n'],
    [' {\r\n\t"n":12345678901234567890}', ' {"model":"gpt-4o",\r\n\t"n":12345678901234567890}'],
    ["{ }", '{"model":"gpt-4o" }'],
  ])("%j gets the backend's name for the one that stands in", async (body, sent) => {
    await using up = await startRawUpstream(({ socket }) => socket.write(jsonResponse({ ok: true })));
    const setup = { shapePool: standIn({ upstreamModel: "gpt-4o" }) };
    expect(await post(up.url, setup, PATH, body)).toBe(200);
    expect(up.calls[0]?.body.toString()).toBe(sent);
  });

  test("gets the name that stands in where the backend has none, also where a model may be left out", async () => {
    await using up = await startRawUpstream(({ socket }) => socket.write(jsonResponse({ ok: true })));
    const setup = { shapePool: standIn() };
    expect(await post(up.url, setup, "/v1/moderations", '{"input":"x"}')).toBe(200);
    expect(up.calls[0]?.body.toString()).toBe('{"model":"main","input":"x"}');
  });

  test("goes on to the fallback's name", async () => {
    const fake = startFake({ script: { rules: [{ match: { model: "main" }, do: "context_length" }] } });
    await using weir = startWeir({
      providers: [{ name: "openai", urls: [fake.url], keys: KEYS }],
      shapePool: withRoutes([{ name: "main" }, { name: "long" }], { modelless: "main" }),
      fallbacks: { contextWindow: new Map([["main", ["long"]]]) },
    });
    const response = await weir.post(PATH, { messages });
    await response.arrayBuffer();
    expect(response.status).toBe(200);
    expect(fake.ledger.calls().map((call) => call.model)).toEqual(["main", "long"]);
    await fake.stop();
  });

  test("is refused as ever where none stands in, and in a form or on an unknown path", async () => {
    await using up = await startRawUpstream(({ socket }) => socket.write(jsonResponse({ ok: true })));
    expect(await post(up.url, {}, PATH, '{"messages":[]}')).toBe(400);
    const setup = { shapePool: standIn() };
    expect(await post(up.url, setup, "/v1/something/new", "{}")).toBe(404);
    await using weir = startWeir({ providers: [{ name: "openai", urls: [up.url], keys: KEYS }], ...setup });
    const form = new FormData();
    form.append("file", await toFile(Buffer.from("sound"), "a.mp3"));
    const response = await fetch(`${weir.url}/v1/audio/transcriptions`, { method: "POST", body: form });
    await response.arrayBuffer();
    expect(response.status).toBe(400);
    expect(up.calls).toHaveLength(0);
  });
});

describe("a hidden route", () => {
  test("is missing from the list, also when its provider offers the name, and can be called", async () => {
    await using s = scene(
      { models: ["gpt-4o", "gpt-4o-mini"] },
      { shapePool: withRoutes([{ name: "gpt-4o", hidden: true }, { name: "open" }]) },
    );
    const listed = (await s.weir.openai().models.list()).data.map(({ id }) => id);
    expect(listed).toEqual(["gpt-4o-mini", "open"]);
    const one = s.weir.openai().models.retrieve("gpt-4o");
    expect(await one.catch((error: unknown) => error)).toBeInstanceOf(NotFoundError);
    await s.weir.openai().chat.completions.create({ model: "gpt-4o", messages });
    expect(s.models()).toEqual(["gpt-4o"]);
  });
});

test("a provider's name and a colon lead to it, without disturbing an engine's tags", async () => {
  const groq = startFake();
  const ollama = startFake({ script: { models: ["mistral-small:24b"] } });
  await using weir = startWeir({
    providers: [
      { name: "groq", urls: [groq.url], keys: KEYS },
      { name: "ollama", urls: [ollama.url], models: ["mistral-small:24b"] },
    ],
    shapePool: (pool) => ({
      ...pool,
      providers: pool.providers.map((provider) =>
        provider.name === "groq" ? { ...provider, colonPrefix: true, isOffered: false } : provider,
      ),
    }),
  });
  for (const model of ["groq:llama-3", "mistral-small:24b"])
    await weir.openai().chat.completions.create({ model, messages });
  expect(groq.ledger.calls().map((call) => call.model)).toEqual(["llama-3"]);
  expect(ollama.ledger.calls().map((call) => call.model)).toEqual(["mistral-small:24b"]);
  await Promise.all([groq.stop(), ollama.stop()]);
});

describe("tags", () => {
  const tagged =
    (match: "any" | "all", second: readonly string[]): ShapePool =>
    (pool) => ({
      ...withRoutes([{ name: "chat", tagged: { match } }, { name: "open" }])(pool),
      backends: pool.backends.map((backend, at) => ({
        ...backend,
        tags: at === 0 ? ["paid", "eu"] : second,
      })),
    });
  const asking =
    (weir: ReturnType<typeof startWeir>) =>
    (headers: Record<string, string>, model = "chat") =>
      weir.openai({ defaultHeaders: headers }).chat.completions.create({ model, messages });

  test("of either header choose the backend, and others go to the default", async () => {
    await using s = scene({}, { shapePool: tagged("any", ["default"]) });
    const ask = asking(s.weir);
    await ask({ "x-litellm-tags": " eu , us" });
    await ask({ "x-weir-tags": "paid" });
    await ask({ "x-litellm-tags": "free" });
    await ask({});
    await ask({ "x-litellm-tags": " , " });
    expect(s.keys()).toEqual(["a", "a", "b", "b", "b"]);
  });

  test("must all fit where the route says so", async () => {
    await using s = scene({}, { shapePool: tagged("all", ["default"]) });
    const ask = asking(s.weir);
    await ask({ "x-litellm-tags": "paid,eu" });
    await ask({ "x-litellm-tags": "paid,us" });
    await ask({ "x-litellm-tags": "paid", "x-weir-tags": "eu" });
    expect(s.keys()).toEqual(["a", "b", "a"]);
  });

  test("that nobody has are refused where there is no default; without tags all may serve", async () => {
    await using s = scene({}, { shapePool: tagged("any", ["free"]) });
    const ask = asking(s.weir);
    const refused = await ask({ "x-litellm-tags": "us,asia" }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(BadRequestError);
    expect(refused).toMatchObject({ code: "no_matching_tags" });
    expect(String(refused)).toContain('"us", "asia"');
    expect(s.keys()).toEqual([]);
    await ask({});
    await ask({});
    expect(new Set(s.keys())).toEqual(new Set(["a", "b"]));
  });

  test("mean nothing on other routes", async () => {
    await using s = scene({}, { shapePool: tagged("any", ["free"]) });
    for (let count = 0; count < 2; count += 1) await asking(s.weir)({ "x-litellm-tags": "us" }, "open");
    expect(new Set(s.keys())).toEqual(new Set(["a", "b"]));
  });

  test("keep failover among the backends that fit", async () => {
    await using s = scene({}, { shapePool: tagged("any", ["default"]) });
    s.fake.configure({ rules: [{ match: { key: KEYS[0] ?? "" }, do: "rate_limit" }] });
    const refused = await asking(s.weir)({ "x-litellm-tags": "paid" }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ status: 429 });
    expect(s.keys()).toEqual(["a"]);
  });
});
