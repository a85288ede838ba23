// The configuration files of the systems that weir replaces: each starts unchanged and routes as its own system would.
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { Ledger } from "../../src/fake/ledger.ts";
import { readUpstream } from "../../src/config/upstream-body.ts";
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { configFrom, openFake, startConfigured } from "../support/configured.ts";
import type { Weir } from "../support/weir.ts";

const SAMPLES = join(import.meta.dir, "../fixtures/samples");
const at = (path: string) => join(SAMPLES, path);
const CHAT = "/v1/chat/completions";
const ask = (model?: string) => ({
  ...(model === undefined ? {} : { model }),
  messages: [{ role: "user", content: "hello" }],
});

async function askMany(weir: Weir, count: number, model?: string): Promise<void> {
  for (let sent = 0; sent < count; sent += 1) {
    const response = await weir.post(CHAT, ask(model));
    const text = await response.text();
    expect([response.status, text.slice(0, 200)]).toEqual([200, expect.any(String)]);
  }
}

/** What clients asked for: without weir's own questions for models and metrics. */
const callsOf = (fake: { readonly ledger: Ledger }) =>
  fake.ledger.calls().filter(({ method }) => method === "POST");

const count = (values: readonly (string | undefined)[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value ?? "none"] = (counts[value ?? "none"] ?? 0) + 1;
  return counts;
};

describe("DeepWiki's key file", () => {
  test("spreads ten calls over its five keys evenly, and Google's over its three", async () => {
    await using fake = openFake();
    await using weir = startConfigured({
      argv: [
        "--env-file",
        at("deepwiki/keys.env"),
        "--config",
        at("deepwiki/api_keys.json"),
        "--connect-to",
        `https://api.openai.com=${fake.url}`,
        "--connect-to",
        `https://generativelanguage.googleapis.com=${fake.url}`,
      ],
    });
    await askMany(weir, 10, "gpt-4o");
    expect(count(callsOf(fake).map((call) => call.key))).toEqual(
      Object.fromEntries([1, 2, 3, 4, 5].map((number) => [`sk-key${number}`, 2])),
    );
    const google = weir.gemini();
    for (let sent = 0; sent < 6; sent += 1)
      await google.models.generateContent({ model: "gemini-2.5-flash", contents: "hello" });
    const keys = callsOf(fake)
      .slice(10)
      .map((call) => call.key);
    expect(count(keys)).toEqual({ "AIza-key1": 2, "AIza-key2": 2, "AIza-key3": 2 });
  });

  test("is found by its folder's variable too", () => {
    const { pool } = configFrom({
      argv: ["--env-file", at("deepwiki/keys.env")],
      env: { DEEPWIKI_CONFIG_DIR: at("deepwiki") },
    });
    expect(pool.backends).toHaveLength(8);
  });
});

describe("LMRouter's file", () => {
  const groq = (url: string) => ["--connect-to", `https://api.groq.com=${url}`];

  test("gives one provider half and two keys of the other a quarter each, under the upstream's model name", async () => {
    await using fake = openFake();
    await using weir = startConfigured({ argv: ["--config", at("lmrouter/config.yaml"), ...groq(fake.url)] });
    await askMany(weir, 40, "kimi-k2-instruct-0905");
    const calls = callsOf(fake);
    expect(count(calls.map((call) => call.key))).toEqual({
      "sk-groq-api-key": 20,
      "sk-groq-api-key-1": 10,
      "sk-groq-api-key-2": 10,
    });
    expect(count(calls.map((call) => call.model))).toEqual({ "moonshotai/kimi-k2-instruct-0905": 40 });
    expect(count(calls.map((call) => call.path))).toEqual({ "/openai/v1/chat/completions": 40 });
  });

  test("lets a provider be named before the model, which keeps its name", async () => {
    await using fake = openFake();
    await using weir = startConfigured({ argv: ["--config", at("lmrouter/config.yaml"), ...groq(fake.url)] });
    await askMany(weir, 2, "groq2:some-other-model");
    expect(count(callsOf(fake).map((call) => call.model))).toEqual({ "some-other-model": 2 });
  });

  test("whole in a variable, in base64, is the same", () => {
    const text = readFileSync(at("lmrouter/config.yaml")).toString("base64");
    const { pool } = configFrom({ argv: [], env: { LMROUTER_CONFIG: text } });
    expect(pool.routes?.map(({ name }) => name)).toEqual(["kimi-k2-instruct-0905"]);
  });

  test("with a list of weighted keys takes them 5:1:1, whatever the model", async () => {
    await using fake = openFake();
    await using weir = startConfigured({
      argv: ["--config", at("lmrouter/api_key_list.yaml"), ...groq(fake.url)],
    });
    await askMany(weir, 14, "any-model-at-all");
    const calls = callsOf(fake);
    const letters = calls.map((call) => "abc".at(Number(call.key?.at(-1)) - 1)).join("");
    expect(letters).toBe("aabacaaaabacaa");
    expect(count(calls.map((call) => call.model))).toEqual({ "any-model-at-all": 14 });
  });
});

describe("LLMRouter's files", () => {
  const argvFor = (one: string, two: string, openai: string) => [
    "--config",
    at("llmrouter/config.yaml"),
    "--connect-to",
    `http://10.0.0.1:8000=${one}`,
    "--connect-to",
    `http://10.0.0.2:8000=${two}`,
    "--connect-to",
    `http://127.0.0.1:8765=${openai}`,
  ];

  test("serve both sources, and hold the row's limit of 120 a minute", async () => {
    const models = ["Qwen3-VL-30B-A3B-Instruct"];
    await using one = openFake({ models });
    await using two = openFake({ models });
    await using openai = openFake();
    await using weir = startConfigured({
      argv: argvFor(one.url, two.url, openai.url),
      random: Math.random,
    });
    await askMany(weir, 3, "DouBao-Seed-1.6-Vision-250815");
    const chats = (fake: typeof one) => callsOf(fake).filter((call) => call.path.endsWith("/completions"));
    expect(chats(openai)).toHaveLength(3);
    expect(count(chats(openai).map((call) => call.model))).toEqual({ "DouBao-Seed-1.6-Vision-250815": 3 });
    // In four batches: one process may have 256 fetches under way, and these are two each.
    for (let batch = 0; batch < 4; batch += 1)
      await Promise.all(Array.from({ length: 100 }, () => askMany(weir, 1, "Qwen3-VL-30B-A3B-Instruct")));
    expect(chats(two).length).toBe(120);
    expect(chats(one).length).toBe(280);
  });

  test("listen to --enabled-sources", () => {
    const { pool } = configFrom({
      argv: ["--config", at("llmrouter/config.yaml"), "-enabled-sources", "openai"],
    });
    expect(pool.backends.map(({ origin }) => origin)).toEqual(["http://127.0.0.1:8765"]);
  });
});

describe("TrustGate's upstream", () => {
  const upstreams = () => {
    const reading = readUpstream(parse(readFileSync(at("trustgate/upstream.json"), "utf8")));
    if (reading.kind === "problems") throw new Error(JSON.stringify(reading.problems));
    return [reading.spec];
  };
  const connect = (openai: string, anthropic: string) => [
    "--connect-to",
    `https://api.openai.com=${openai}`,
    "--connect-to",
    `https://api.anthropic.com=${anthropic}`,
  ];

  for (const [how, given] of [
    ["as a file", () => ({ argv: ["--config", at("trustgate/upstream.json")] })],
    [
      "as the admin API keeps it",
      () => ({ argv: [], upstreams: upstreams(), env: { WEIR_ADMIN_KEY: "admin-key-0001" } }),
    ],
  ] as const)
    test(`${how} gives 60/40 with never more than two in a row, each with its default model`, async () => {
      await using openai = openFake();
      await using anthropic = openFake();
      const { argv, ...rest } = given();
      await using weir = startConfigured({
        argv: [...argv, ...connect(openai.url, anthropic.url)],
        ...rest,
      });
      const order: string[] = [];
      for (let sent = 0; sent < 100; sent += 1) {
        const before = callsOf(openai).length;
        await askMany(weir, 1, sent % 2 === 0 ? "weighted-upstream" : undefined);
        order.push(callsOf(openai).length > before ? "o" : "a");
      }
      expect(count(order)).toEqual({ o: 60, a: 40 });
      expect(order.join("")).not.toMatch(/ooo|aaa/);
      expect(count(callsOf(openai).map((call) => call.model))).toEqual({ "gpt-4o-mini": 60 });
      expect(count(callsOf(anthropic).map((call) => call.model))).toEqual({
        "claude-3-5-sonnet-20241022": 40,
      });
      expect(count(callsOf(openai).map((call) => call.key))).toEqual({ "your-openai-key": 60 });

      await askMany(weir, 3, "gpt-4");
      await askMany(weir, 2, "claude-3-5-sonnet-20241022");
      expect(
        callsOf(openai)
          .slice(60)
          .map((call) => call.model),
      ).toEqual(["gpt-4", "gpt-4", "gpt-4"]);
      expect(callsOf(anthropic)).toHaveLength(42);
      const unlisted = await weir.post(CHAT, ask("gpt-4o"));
      expect(unlisted.status).toBe(404);
      await unlisted.arrayBuffer();
    });
});

describe("LiteLLM's file", () => {
  const env = {
    OPENAI_KEY_A: "sk-openai-key-a-0000000001",
    AZURE_KEY: "azure-key-00000000000001",
    LITELLM_MASTER_KEY: "sk-master-00000000000001",
  };
  const auth = { headers: { authorization: `Bearer ${env.LITELLM_MASTER_KEY}` } };
  const start = (urls: Readonly<Record<string, string>>) =>
    startConfigured({
      argv: [
        "--config",
        at("litellm/config.yaml"),
        ...Object.entries(urls).flatMap(([origin, url]) => ["--connect-to", `${origin}=${url}`]),
      ],
      env,
    });
  const ORIGINS = [
    "https://api.openai.com",
    "https://example.openai.azure.com",
    "http://10.0.0.5:8000",
  ] as const;

  test("keeps its order, aliases, wildcards, fallbacks and master key", async () => {
    await using openai = openFake();
    await using azure = openFake();
    await using llama = openFake({ models: ["meta-llama/Llama-3.1-8B-Instruct"] });
    await using weir = start({
      [ORIGINS[0]]: openai.url,
      [ORIGINS[1]]: azure.url,
      [ORIGINS[2]]: llama.url,
    });
    const send = async (model: string, init: RequestInit = auth) => {
      const response = await weir.post(CHAT, ask(model), init);
      await response.arrayBuffer();
      return response.status;
    };
    expect(await send("gpt-4o", {})).toBe(401);
    expect([await send("gpt-4o"), await send("gpt-4"), await send("openai/gpt-4.1")]).toEqual([
      200, 200, 200,
    ]);
    const models = () =>
      callsOf(openai)
        .filter(({ path }) => path.endsWith("/completions"))
        .map(({ model }) => model);
    expect(models()).toEqual(["gpt-4o", "gpt-4o", "gpt-4.1"]);
    expect(await send("local-llama")).toBe(200);
    const llamas = () =>
      callsOf(llama)
        .filter(({ path }) => path.endsWith("/completions"))
        .map(({ model }) => model);
    expect(llamas()).toEqual(["meta-llama/Llama-3.1-8B-Instruct"]);
    expect(callsOf(azure).filter(({ path }) => path.includes("completions"))).toEqual([]);
    expect(await send("gpt-5")).toBe(200); // LiteLLM looks for openai/gpt-5 too
    expect(models().at(-1)).toBe("gpt-5");
    expect(await send("nobody-serves-this")).toBe(404);
  });

  test("goes to the second order when the first is out, then to the fallback", async () => {
    await using openai = openFake({ rules: [{ do: "auth" }] });
    await using azure = openFake();
    await using llama = openFake({ models: ["meta-llama/Llama-3.1-8B-Instruct"] });
    await using weir = start({
      [ORIGINS[0]]: openai.url,
      [ORIGINS[1]]: azure.url,
      [ORIGINS[2]]: llama.url,
    });
    const response = await weir.post(CHAT, ask("gpt-4o"), auth);
    await response.arrayBuffer();
    expect(response.status).toBe(200);
    const call = callsOf(azure).find(({ path }) => path.includes("completions"));
    expect(call?.path).toBe("/openai/deployments/my-gpt4o-deployment/chat/completions");
  });
});
