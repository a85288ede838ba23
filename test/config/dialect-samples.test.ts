import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { optionOf, providersOf, type Read, readForeign, routeOf, targetsOf } from "./dialect-draft.ts";

const SAMPLES = join(import.meta.dir, "../fixtures/samples");

const FILES = Object.fromEntries(
  readdirSync(SAMPLES, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(SAMPLES.length + 1), readFileSync(path, "utf8")] as const;
    }),
);

const ENV = {
  OPENAI_KEY_A: "sk-a",
  AZURE_KEY: "az-key",
  LITELLM_MASTER_KEY: "sk-master",
  OPENAI_API_KEYS: "sk-key1,sk-key2,sk-key3,sk-key4,sk-key5",
  GOOGLE_API_KEYS: "AIza-key1,AIza-key2,AIza-key3",
};

const read = (file: string): Read => readForeign(FILES[file] ?? "", { file, files: FILES, env: ENV });

describe("a sample", () => {
  test.each([
    ["litellm/config.yaml", "LiteLLM"],
    ["llmrouter/config.yaml", "LLMRouter"],
    ["llmrouter/configs/self_deployed_config.yaml", "LLMRouter"],
    ["llmrouter/configs/openai_config.yaml", "LLMRouter"],
    ["lmrouter/config.yaml", "LMRouter"],
    ["lmrouter/api_key_list.yaml", "LMRouter"],
    ["deepwiki/api_keys.json", "DeepWiki"],
    ["trustgate/upstream.json", "TrustGate"],
  ])("%s is known as %s's and has no problem", (file, dialect) => {
    const sample = read(file);
    expect(sample.dialect).toBe(dialect);
    expect(sample.problems).toEqual([]);
    expect(sample.draft.isForeign).toBe(true);
  });

  test("of LiteLLM has its rows, order, times, aliases and policies", () => {
    const sample = read("litellm/config.yaml");
    expect(targetsOf(sample, "gpt-4o")).toEqual([
      "openai sk-a gpt-4o*2",
      "azure-example.openai.azure.com az-key https://example.openai.azure.com my-gpt4o-deployment*1",
    ]);
    expect(routeOf(sample, "gpt-4o").targets[1]).toMatchObject({
      priority: 2,
      timeouts: { firstByteMs: 300_000, streamFirstByteMs: 60_000 },
    });
    expect(routeOf(sample, "gpt-4o").retry).toEqual({ timeouts: 1, rateLimits: 3 });
    expect(sample.draft.aliases).toMatchObject([{ name: "gpt-4", spec: { model: "gpt-4o", hidden: false } }]);
    expect(sample.draft.fallbacks).toMatchObject([
      { kind: "general", model: "gpt-4o", models: ["local-llama"] },
      { kind: "contextWindow", model: "gpt-4o", models: ["openai/gpt-4.1"] },
    ]);
    expect(optionOf(sample, "access_keys")).toBe(
      "sk-master @ litellm/config.yaml:51:15 general_settings.master_key",
    );
    expect(sample.warnings).toHaveLength(2);
    expect(sample.warnings[0]).toBe(
      "litellm/config.yaml:37:3 litellm_settings.drop_params is ignored: weir sends bodies as clients write them",
    );
  });

  test("of LLMRouter has both sources, its limit, and opens where it asks to", () => {
    const sample = read("llmrouter/config.yaml");
    expect(targetsOf(sample, "DouBao-Seed-1.6-Vision-250815")).toEqual([
      "openai-127.0.0.1-8765 dummy http://127.0.0.1:8765/v1 =*1",
    ]);
    expect(targetsOf(sample, "Qwen3-VL-30B-A3B-Instruct")).toEqual([
      "self_deployed http://10.0.0.1:8000/v1 =*1",
      "self_deployed http://10.0.0.2:8000/v1 =*1",
    ]);
    expect(routeOf(sample, "Qwen3-VL-30B-A3B-Instruct").targets.map(({ limits }) => limits)).toEqual([
      undefined,
      { requestsPerMinute: 120 },
    ]);
    expect(sample.draft.providers.map(({ base, health }) => [base.kind, health])).toEqual([
      ["hosted", undefined],
      ["engine", { intervalMs: 30_000, timeoutMs: 10_000, threshold: 3, metricsIntervalMs: 1000 }],
    ]);
    expect(optionOf(sample, "server.open")).toBe("true @ llmrouter/config.yaml:2:9 server.host");
    expect(optionOf(sample, "dashboard.port")).toBe("80 @ llmrouter/config.yaml:43:13 dashboard.web_port");
  });

  test("of LMRouter gives each provider its share and each key its weight", () => {
    const sample = read("lmrouter/config.yaml");
    expect(providersOf(sample)).toEqual([
      "groq1 (groq https://api.groq.com/openai/v1): sk-groq-api-key*1",
      "groq2 (groq https://api.groq.com/openai/v1): sk-groq-api-key-1*1 sk-groq-api-key-2*1",
    ]);
    expect(targetsOf(sample, "kimi-k2-instruct-0905")).toEqual([
      "groq1 moonshotai/kimi-k2-instruct-0905*1",
      "groq2 moonshotai/kimi-k2-instruct-0905*1",
    ]);
    expect(optionOf(sample, "strategy")).toStartWith("smooth-weighted-round-robin @");
    expect(providersOf(read("lmrouter/api_key_list.yaml"))).toEqual([
      "groq (groq https://api.groq.com/openai/v1): sk-groq-api-key-1*5 sk-groq-api-key-2*1 sk-groq-api-key-3*1",
    ]);
    expect(targetsOf(read("lmrouter/api_key_list.yaml"), "*")).toEqual(["groq =*1"]);
  });

  test("of DeepWiki has a pool for each reference", () => {
    expect(providersOf(read("deepwiki/api_keys.json"))).toEqual([
      "openai (openai): sk-key1*1 sk-key2*1 sk-key3*1 sk-key4*1 sk-key5*1",
      "google (google): AIza-key1*1 AIza-key2*1 AIza-key3*1",
    ]);
  });

  test("of TrustGate leads by its name, and by each listed model", () => {
    const sample = read("trustgate/upstream.json");
    expect(targetsOf(sample, "weighted-upstream")).toEqual([
      "upstream-openai your-openai-key gpt-4o-mini*60",
      "upstream-anthropic your-anthropic-key claude-3-5-sonnet-20241022*40",
    ]);
    expect(targetsOf(sample, "gpt-4")).toEqual(["upstream-openai your-openai-key gpt-4*60"]);
    expect(sample.draft.modelless).toBe("weighted-upstream");
    expect(sample.draft.routes.map(({ name }) => name)).toEqual([
      "weighted-upstream",
      "gpt-3.5-turbo",
      "gpt-4",
      "gpt-4o-mini",
      "claude-3-5-sonnet-20241022",
    ]);
    expect(routeOf(sample, "weighted-upstream").targets[0]).toMatchObject({
      at: { line: 5, column: 5, path: "targets[0]" },
      cooldown: { threshold: 3, firstMs: 60_000, maxMs: 60_000, windowMs: 60_000 },
    });
  });
});
