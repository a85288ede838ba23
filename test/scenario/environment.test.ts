// From nothing but environment variables to real SDK answers: the configuration and the pipe joined.
import { describe, expect, test } from "bun:test";
import { startApp } from "../../src/app.ts";
import type { Config } from "../../src/config/config.ts";
import type { ProxyEvent } from "../../src/core/event.ts";
import { startFake } from "../../src/fake/server.ts";
import { loadGood } from "../config/load-env.ts";
import { until } from "../support/until.ts";
import { clientsOf } from "../support/weir.ts";

const messages = [{ role: "user" as const, content: "hello" }];

const configOf = (...given: Parameters<typeof loadGood>): Config => {
  const { config } = loadGood(...given);
  return { ...config, server: { ...config.server, port: 0 } };
};

function start(config: Config) {
  const events: ProxyEvent[] = [];
  const app = startApp(config, {
    clock: { now: () => performance.now(), wall: () => Date.now() },
    random: Math.random,
    createId: () => crypto.randomUUID(),
    hostname: "test-host",
    log: { format: "json", write: () => undefined },
    watch: (event) => void events.push(event),
  });
  return {
    app,
    events,
    ...clientsOf(`http://127.0.0.1:${app.port}`),
    async [Symbol.asyncDispose]() {
      await until(() => app.inFlight() === 0 && app.heldBytes() === 0, "weir is idle");
      await app.stop({ skipDelay: true });
    },
  };
}

describe("weir from the environment", () => {
  test("spreads ten calls over two keys, five by five", async () => {
    const fake = startFake();
    await using weir = start(configOf({ OPENAI_API_KEYS: "k1,k2", OPENAI_BASE_URL: fake.url }));
    for (let count = 0; count < 10; count += 1)
      await weir.openai().chat.completions.create({ model: "gpt-4o", messages });
    const keys = fake.ledger.calls().flatMap((call) => (call.method === "POST" ? [call.key] : []));
    expect(keys.filter((key) => key === "k1")).toHaveLength(5);
    expect(keys.filter((key) => key === "k2")).toHaveLength(5);
    await fake.stop();
  });

  test("serves three families over their own providers, and lists what they have", async () => {
    const one = startFake({ script: { models: ["gpt-4o"] } });
    const two = startFake({ script: { models: ["claude-test-9"] } });
    const three = startFake({ script: { models: ["gemini-2.5-flash"] } });
    await using weir = start(
      configOf({
        OPENAI_API_KEY: "sk-openai-1",
        OPENAI_BASE_URL: `${one.url}/v1`,
        ANTHROPIC_API_KEY: "sk-ant-1",
        ANTHROPIC_BASE_URL: two.url,
        GEMINI_API_KEYS: "AIza-1",
        GEMINI_BASE_URL: three.url,
      }),
    );
    await until(
      () => weir.events.filter((event) => event.kind === "models_discovered").length === 3,
      "all have listed their models",
    );
    const listed = (await weir.openai().models.list()).data.map((model) => model.id);
    expect(listed).toEqual(["claude-test-9", "gemini-2.5-flash", "gpt-4o"]);
    await weir.openai().responses.create({ model: "gpt-4o", input: "hello" });
    await weir.anthropic().messages.create({ model: "claude-test-9", max_tokens: 9, messages });
    await weir.gemini().models.generateContent({ model: "gemini-2.5-flash", contents: "hello" });
    const called = [one, two, three].map((fake) =>
      fake.ledger.calls().flatMap((call) => (call.method === "POST" ? [`${call.key} ${call.path}`] : [])),
    );
    expect(called).toEqual([
      ["sk-openai-1 /v1/responses"],
      ["sk-ant-1 /v1/messages"],
      ["AIza-1 /v1beta/models/gemini-2.5-flash:generateContent"],
    ]);
    await Promise.all([one, two, three].map((fake) => fake.stop()));
  });

  test("uses a key that its file has gained, and forgets one that is gone", async () => {
    const fake = startFake();
    const env = { OPENAI_API_KEYS_FILE: "/keys", OPENAI_BASE_URL: fake.url };
    const config = configOf(env, { files: { "/keys": "k1\n" } });
    expect(config.watched).toContain("/keys");
    await using weir = start(config);
    const ask = () => weir.openai().chat.completions.create({ model: "gpt-4o", messages });
    await ask();
    weir.app.reload(configOf(env, { files: { "/keys": "# rotated\nk2\n" } }));
    await ask();
    await ask();
    const keys = fake.ledger.calls().flatMap((call) => (call.method === "POST" ? [call.key] : []));
    expect(keys).toEqual(["k1", "k2", "k2"]);
    await fake.stop();
  });

  test("asks clients for their token when it has some", async () => {
    const fake = startFake();
    await using weir = start(
      configOf({ OPENAI_API_KEY: "k1", OPENAI_BASE_URL: fake.url, WEIR_ACCESS_KEYS: "team-1,team-2" }),
    );
    const refused = await weir
      .openai()
      .models.list()
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ status: 401 });
    await weir.openai({ apiKey: "team-2" }).chat.completions.create({ model: "gpt-4o", messages });
    expect(JSON.stringify(fake.ledger.calls())).not.toContain("team-2");
    await fake.stop();
  });
});
