import { describe, expect, test } from "bun:test";
import { readForeign } from "./dialect-draft.ts";

describe("a file of weir's own", () => {
  test.each([
    "providers: { openai: { api_key: k } }",
    "server: { port: 8080 }\nproviders: { gpu: { type: vllm, base_urls: [http://10.0.0.1:8000] } }",
    "routes: { m: { targets: [openai] } }",
    "providers: { a: { api_keys: [k] } }\nmodels: {}",
    "log: { level: info }\ndashboard: { enabled: true }\nretry: { max: 3 }",
    "server: {}",
    "{}",
    "[]",
    "just a text",
    "providers: { keys: [a] }",
  ])("is no dialect's: %s", (text) => {
    expect(readForeign(text).dialect).toBeUndefined();
  });
});

describe("a foreign file", () => {
  test.each([
    ["model_list: []", "LiteLLM"],
    ["litellm_settings: { drop_params: true }", "LiteLLM"],
    ["general_settings: { master_key: k }", "LiteLLM"],
    ["server: { port: 1 }\nrouting: { strategy: simple-shuffle }", "LLMRouter"],
    ["backends: { config_dir: x }", "LLMRouter"],
    ["providers: { a: { type: openai } }\nmodels: { m: { providers: [{ provider: a }] } }", "LMRouter"],
    ["openai: { keys: [k] }", "DeepWiki"],
    ["openai: {}", "DeepWiki"],
    ["- { name: a, targets: [{ host: x }] }", "TrustGate"],
    ["endpoints: [{ url: http://x }]", "list of endpoints"],
  ])("%s is known by its shape", (text, dialect) => {
    expect(readForeign(text).dialect).toBe(dialect);
  });

  test.each([
    "model_list: 5",
    "model_list: [5, null, []]",
    "routing: {}\nbackends: 3",
    "model_list: [{ model_name: [], litellm_params: 4 }]\nrouter_settings: { fallbacks: 3, model_group_alias: [], retry_policy: 1 }",
    "providers: { a: 1 }\nmodels: { m: { providers: [1] }, n: 2 }",
    "openai: { keys: 5 }",
    "name: []\ntargets: [{ host: {} }]",
    "endpoints: [{ url: [] }]",
  ])("of broken parts is read to problems, never an exception: %s", (text) => {
    const read = readForeign(text);
    expect(read.dialect === undefined || read.problems.length > 0).toBe(true);
  });
});
