import { describe, expect, test } from "bun:test";
import { findProvider, ownsModel, PROVIDERS, type Provider } from "../../src/config/providers.ts";

const ownersOf = (model: string) => PROVIDERS.filter((p) => ownsModel(p, model)).map((p) => p.name);
const namesOf = (p: Provider) => [p.name, ...p.prefixes, ...(p.aliases ?? [])];
const routesOf = (p: Provider) => Object.values(p.families);

/** Real model names by the one provider that gives them; "" for names that nobody owns. */
const MODELS: Readonly<Record<string, string>> = {
  openai: `
    gpt-4o gpt-4.1-mini gpt-5.4 gpt-image-1 gpt-4o-transcribe gpt-realtime gpt-3.5-turbo chatgpt-4o-latest
    o1 o1-pro o3-mini o4-mini codex-mini-latest computer-use-preview text-embedding-3-small text-embedding-ada-002
    omni-moderation-latest dall-e-3 sora-2 whisper-1 tts-1 tts-1-hd davinci-002 babbage-002
    ft:gpt-4o-mini-2024-07-18:acme::AbC1`,
  anthropic: "claude-sonnet-4-5-20250929 claude-opus-4-1 claude-3-5-haiku-latest",
  google: "gemini-2.5-flash gemini-3-pro-preview gemini-embedding-001 imagen-4.0-generate-001",
  mistral: `
    mistral-large-latest mistral-embed ministral-8b-latest codestral-2508 pixtral-large-latest
    magistral-medium-latest devstral-small-2507 voxtral-mini-latest open-mistral-nemo open-mixtral-8x22b`,
  deepseek: "deepseek-chat deepseek-reasoner deepseek-v4-pro deepseek-flash",
  xai: "grok-4 grok-3-mini grok-code-fast-1",
  perplexity: "sonar sonar-pro perplexity/sonar",
  dashscope: `
    qwen-plus qwen-max-latest qwen-turbo qwen3-max qwen3.7-plus qwen3-coder-flash qwen-vl-max qwen-long
    qwen-mt-plus qwq-plus qvq-max text-embedding-v4`,
  moonshot: "kimi-k2-0905-preview kimi-k3 moonshot-v1-8k",
  fireworks: "accounts/fireworks/models/deepseek-v3p2 accounts/fireworks/models/gpt-oss-120b",
  openrouter: "openrouter/auto",
  groq: "groq/compound-mini",
  nvidia: "nvidia/llama-3.1-nemotron-70b-instruct",
  "": `
    llama-3.3-70b-versatile llama3.1-8b meta-llama/Llama-3.3-70B-Instruct gpt-oss-120b gpt-oss:20b
    openai/gpt-oss-120b gpt-j-6b gemma2-9b-it gemma-3-27b-it qwen3-32b qwen-3-235b-a22b-instruct-2507
    qwen/qwen3-max qwen3:8b Qwen/Qwen2.5-7B-Instruct-Turbo deepseek-r1-distill-llama-70b deepseek-r1:7b
    deepseek-ai/DeepSeek-R1 DeepSeek-V3.1 mixtral-8x7b-32768 mistral:7b mistral-small:24b kimi-k2:1t-cloud
    moonshotai/kimi-k2-instruct whisper-large-v3 MiniMax-M3 sonarqube-7b openrouter/anthropic/claude-sonnet-4.5
    nvidia/meta/llama-3.1-8b-instruct groq/llama-3.1-8b`,
};

describe("names", () => {
  test("no two providers share a name, a prefix or an alias, whatever the spelling", () => {
    const seen = PROVIDERS.flatMap((p) => [
      ...new Set(namesOf(p).map((n) => n.toLowerCase().replaceAll(/[-_]/g, ""))),
    ]);
    expect(seen.length).toBe(new Set(seen).size);
  });

  test("every prefix the contract names is there once", () => {
    const promised =
      "OPENAI ANTHROPIC GOOGLE GEMINI AZURE_OPENAI OPENROUTER GROQ MISTRAL DEEPSEEK XAI TOGETHER FIREWORKS CEREBRAS " +
      "PERPLEXITY DASHSCOPE MOONSHOT NVIDIA SAMBANOVA HUGGINGFACE VLLM SGLANG OLLAMA LLAMACPP";
    expect(PROVIDERS.flatMap((p) => p.prefixes)).toEqual(promised.split(" "));
  });

  test("names are lower case and prefixes are names of variables", () => {
    for (const provider of PROVIDERS) {
      expect(provider.name).toMatch(/^[a-z][a-z-]*$/);
      for (const prefix of provider.prefixes) expect(prefix).toMatch(/^[A-Z][A-Z_]*$/);
    }
  });

  test.each([
    ["openai", "openai"],
    ["OpenAI", "openai"],
    ["azure-openai", "azure-openai"],
    ["AZURE_OPENAI", "azure-openai"],
    ["azureopenai", "azure-openai"],
    ["azure", "azure-openai"],
    ["GEMINI", "google"],
    ["together_ai", "together"],
    ["llama_cpp", "llamacpp"],
    ["llama.cpp", "llamacpp"],
    ["nobody", undefined],
    ["", undefined],
  ])("findProvider(%p) gives %p", (name, expected) => {
    expect(findProvider(name)?.name).toBe(expected);
  });
});

describe("addresses", () => {
  test("hosted providers have an origin, engines and azure have none", () => {
    const without = PROVIDERS.filter((p) => p.origin === undefined).map((p) => p.name);
    expect(without).toEqual(["azure-openai", "vllm", "sglang", "ollama", "llamacpp"]);
    for (const { origin } of PROVIDERS) if (origin) expect(new URL(origin).origin).toBe(origin);
  });

  test("every path begins with a slash and does not end with one, or is empty", () => {
    for (const provider of PROVIDERS) {
      const paths = [...routesOf(provider).map((route) => route.path), ...(provider.rootPaths ?? [])];
      for (const path of paths) expect(path).toMatch(/^(\/[^/?#]+)*$/);
    }
    expect(PROVIDERS.filter((p) => routesOf(p).some((r) => r.path === "")).map((p) => p.name)).toEqual([
      "deepseek",
    ]);
  });

  test("engines answer below /v1", () => {
    const paths = PROVIDERS.filter((p) => p.kind === "engine").flatMap((p) => routesOf(p).map((r) => r.path));
    expect(new Set(paths)).toEqual(new Set(["/v1"]));
  });

  test("the main family and the family of the models list are spoken", () => {
    for (const provider of PROVIDERS) {
      expect(provider.families[provider.main]).toBeDefined();
      if (!provider.modelsRoute) continue;
      expect(provider.families[provider.modelsRoute.family]).toBeDefined();
      expect(provider.modelsRoute.path).toStartWith("/models");
    }
  });

  test("header names are lower case", () => {
    for (const { key } of PROVIDERS.flatMap(routesOf)) expect(key.name).toBe(key.name.toLowerCase());
  });

  test("the providers that speak the anthropic family are the documented ones", () => {
    const speakers = PROVIDERS.flatMap((p) =>
      p.families.anthropic ? [`${p.name} ${p.families.anthropic.path}`] : [],
    );
    expect(speakers.join(", ")).toBe(
      "anthropic /v1, openrouter /api/v1, deepseek /anthropic/v1, fireworks /inference/v1, " +
        "dashscope /apps/anthropic/v1, moonshot /anthropic/v1, sambanova /v1, huggingface /v1, " +
        "vllm /v1, sglang /v1, ollama /v1, llamacpp /v1",
    );
  });
});

describe("naming rule", () => {
  for (const [owner, models] of Object.entries(MODELS)) {
    test.each(models.trim().split(/\s+/))(`%s belongs to ${owner || "nobody"}`, (model) => {
      expect(ownersOf(model)).toEqual(owner ? [owner] : []);
    });
  }
});
