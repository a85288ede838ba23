import { describe, expect, test } from "bun:test";
import { optionOf, providersOf, readForeign } from "./dialect-draft.ts";

const read = (file: unknown, env: Readonly<Record<string, string>> = {}) =>
  readForeign(JSON.stringify(file), { env, file: "api_keys.json" });

describe("DeepWiki's keys", () => {
  test("are split after their variables were put in, without blanks, empties and repeats", () => {
    expect(
      providersOf(read({ openai: { keys: ["${X}", "k3", "pre-${Y}"] } }, { X: " k1 ,,k2*3,k1", Y: "y" })),
    ).toEqual(["openai (openai): k1*1 k2*3 k3*1 pre-y*1"]);
  });

  test("of an unset name drop that provider aloud", () => {
    const some = read({ openai: { keys: ["${X}"] }, google: { keys: ["${Y}"] } }, { Y: "k" });
    expect(providersOf(some)).toEqual(["google (google): k*1"]);
    expect(some.warnings).toEqual(["api_keys.json:1:2 openai is left out: X is not set"]);
    expect(some.problems).toEqual([]);
  });

  test("of none left are a problem", () => {
    const none = read({ openai: { keys: ["${X}"] }, google: { keys: ["${Y}"] } });
    expect(none.problems).toEqual([
      "cannot read api_keys.json:1:1: expected at least one provider with keys, found none of those it names",
    ]);
    expect(none.warnings).toHaveLength(2);
  });

  test("that are not there come from the provider's variables", () => {
    const env = { OPENAI_API_KEYS: "a,b", OPENAI_API_KEY: "c", GEMINI_API_KEY: "g" };
    expect(providersOf(read({ openai: { keys: [] }, google: {} }, env))).toEqual([
      "openai (openai): a*1 b*1",
      "google (google): g*1",
    ]);
    const without = read({ openai: { keys: ["k"] }, openrouter: {} });
    expect(without.warnings).toEqual([
      expect.stringContaining("neither OPENROUTER_API_KEYS nor OPENROUTER_API_KEY is set"),
    ]);
  });

  test("of Azure go to its endpoint, by either name of the variable", () => {
    const env = {
      AZURE_OPENAI_ENDPOINT: "https://x.openai.azure.com",
      AZURE_OPENAI_API_VERSION: "2024-10-21",
      AZURE_API_KEYS: "z",
    };
    const azure = read({ azure: {} }, env);
    expect(providersOf(azure)).toEqual(["azure-openai (azure-openai https://x.openai.azure.com): z*1"]);
    expect(azure.draft.providers[0]?.azureVersion).toEqual({
      kind: "dated",
      query: "api-version=2024-10-21",
    });
    expect(read({ azure: { keys: ["k"] }, openai: { keys: ["k"] } }).warnings).toEqual([
      expect.stringContaining("AZURE_OPENAI_ENDPOINT is not set"),
    ]);
  });

  test("of others: Bedrock is left out aloud, Ollama needs none, strangers are told", () => {
    const bedrock = read({ bedrock: { keys: ["k"] }, ollama: {} }, { OLLAMA_HOST: "10.0.0.1:11434" });
    expect(providersOf(bedrock)).toEqual(["ollama (ollama http://10.0.0.1:11434): "]);
    expect(bedrock.warnings).toHaveLength(1);
    expect(read({ opnai: { keys: ["k"] }, google: { keys: ["k"] } }).problems).toEqual([
      'cannot read api_keys.json:1:2 opnai: expected a provider that weir knows (did you mean openai?), found "opnai"',
    ]);
  });

  test("that cannot be keys are told without showing them", () => {
    const broken = read({ openai: { keys: ["a secret with blanks", "${}"] } });
    expect(broken.problems).toHaveLength(2);
    expect(broken.problems.join()).not.toContain("secret");
  });

  test("are offered to every model that is theirs, the least used first", () => {
    const offered = read({ openai: { keys: ["k"] } });
    expect(offered.draft.providers[0]?.isOffered).toBe(true);
    expect(optionOf(offered, "strategy")).toStartWith("least-used @ api_keys.json:1:1");
  });
});
