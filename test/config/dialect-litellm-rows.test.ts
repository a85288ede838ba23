import { describe, expect, test } from "bun:test";
import { providersOf, readForeign, routeOf, targetsOf } from "./dialect-draft.ts";

interface Row {
  readonly name?: string;
  readonly model: string;
  readonly params?: string;
}

const rows = (list: readonly Row[], rest = "", env: Readonly<Record<string, string>> = {}) =>
  readForeign(
    `model_list:\n${list
      .map(
        ({ name = "m", model, params = "api_key: sk-1" }) =>
          `  - { model_name: "${name}", litellm_params: { model: "${model}", ${params} } }\n`,
      )
      .join("")}${rest}`,
    { env },
  );

describe("a model string", () => {
  test.each([
    ["openai/gpt-4o", "openai", "gpt-4o"],
    ["gpt-4o", "openai", "gpt-4o"],
    ["claude-sonnet-4-5", "anthropic", "claude-sonnet-4-5"],
    ["anthropic/claude-sonnet-4-5", "anthropic", "claude-sonnet-4-5"],
    ["gemini/gemini-2.5-pro", "google", "gemini-2.5-pro"],
    ["openrouter/meta-llama/llama-3", "openrouter", "meta-llama/llama-3"],
    ["groq/llama-3.3-70b", "groq", "llama-3.3-70b"],
    ["mistral/mistral-large-latest", "mistral", "mistral-large-latest"],
    ["deepseek/deepseek-chat", "deepseek", "deepseek-chat"],
    ["xai/grok-4", "xai", "grok-4"],
    ["together_ai/Qwen/Qwen3", "together", "Qwen/Qwen3"],
    ["fireworks_ai/accounts/fireworks/models/llama", "fireworks", "accounts/fireworks/models/llama"],
    ["fireworks_ai/llama", "fireworks", "accounts/fireworks/models/llama"],
    ["cerebras/llama", "cerebras", "llama"],
    ["perplexity/sonar", "perplexity", "sonar"],
    ["dashscope/qwen-max", "dashscope", "qwen-max"],
    ["moonshot/kimi-k2", "moonshot", "kimi-k2"],
    ["nvidia_nim/meta/llama3", "nvidia", "meta/llama3"],
    ["sambanova/llama", "sambanova", "llama"],
    ["huggingface/org/model", "huggingface", "org/model"],
  ])("%s is %s's %s", (model, provider, name) => {
    const read = rows([{ model }]);
    expect(read.problems).toEqual([]);
    expect(targetsOf(read, "m")).toEqual([`${provider} sk-1 ${name}`]);
  });

  test("with an address is a server of the OpenAI family there, or the engine it names", () => {
    const base = "api_base: http://10.0.0.1:8000/v1";
    expect(targetsOf(rows([{ model: "openai/a/b", params: base }]), "m")).toEqual([
      "openai-10.0.0.1-8000 http://10.0.0.1:8000/v1 a/b",
    ]);
    expect(targetsOf(rows([{ model: "my-model", params: base }]), "m")).toEqual([
      "openai-10.0.0.1-8000 http://10.0.0.1:8000/v1 my-model",
    ]);
    expect(targetsOf(rows([{ model: "hosted_vllm/a/b", params: base }]), "m")).toEqual([
      "vllm http://10.0.0.1:8000/v1 a/b",
    ]);
    expect(targetsOf(rows([{ model: "litellm_proxy/x", params: base }]), "m")).toEqual([
      "openai-10.0.0.1-8000 http://10.0.0.1:8000/v1 x",
    ]);
  });

  test("of a well-known host means its provider, with all of its families", () => {
    const read = rows([
      { model: "openai/llama", params: "api_base: https://api.groq.com/openai/v1, api_key: g" },
    ]);
    expect(providersOf(read)).toEqual(["groq (groq): g*1"]);
  });

  test("of Ollama needs no address", () => {
    expect(targetsOf(rows([{ model: "ollama/llama3:8b", params: "" }]), "m")).toEqual([
      "ollama http://127.0.0.1:11434 llama3:8b",
    ]);
  });

  test("of Azure says the deployment, and its version how it is addressed", () => {
    const read = rows([
      {
        model: "azure/dep",
        params: 'api_key: a, api_base: "https://x.openai.azure.com/", api_version: "2024-10-21"',
      },
      { model: "azure/o_series/dep2", params: 'api_key: a, api_base: "https://x.openai.azure.com"' },
    ]);
    expect(read.problems).toEqual([]);
    expect(read.draft.providers.map(({ name, azureVersion }) => [name, azureVersion])).toEqual([
      ["azure-x.openai.azure.com", { kind: "dated", query: "api-version=2024-10-21" }],
      ["azure-x.openai.azure.com-v1", { kind: "v1" }],
    ]);
    expect(routeOf(read, "m").targets.map(({ model }) => model)).toEqual(["dep", "dep2"]);
  });

  test.each([
    ["https://x.openai.azure.com/openai/deployments/dep-x", "https://x.openai.azure.com/openai dep-x"],
    ["https://apim.example/team/openai/deployments/dep-x/", "https://apim.example/team/openai dep-x"],
    ["https://apim.example/team", "https://apim.example/team/openai dep"],
    ["https://apim.example/team/openai", "https://apim.example/team/openai dep"],
    ["https://x.openai.azure.com/openai/v1/", "https://x.openai.azure.com/openai/v1 dep"],
  ])("of Azure at %s is called where LiteLLM calls it", (base, expected) => {
    const read = rows([
      { model: "azure/dep", params: `api_key: a, api_base: "${base}", api_version: "2024-10-21"` },
    ]);
    expect(read.problems).toEqual([]);
    expect(targetsOf(read, "m")[0]).toEndWith(` a ${expected}`);
  });

  test("of a provider alone sends the group's name", () => {
    const read = rows([{ model: "azure/", params: 'api_key: a, api_base: "https://x.openai.azure.com"' }]);
    expect(routeOf(read, "m").targets[0]).not.toHaveProperty("model");
  });

  test("of Anthropic at one's own address gets the version that LiteLLM appends", () => {
    expect(
      targetsOf(
        rows([{ model: "anthropic/claude-x", params: "api_key: a, api_base: https://p.example/anthropic" }]),
        "m",
      ),
    ).toEqual(["anthropic-p.example-anthropic-v1 a https://p.example/anthropic/v1 claude-x"]);
  });

  test("of Gemini is served, and how is said once", () => {
    const read = rows([{ model: "gemini/gemini-2.5-pro" }, { model: "gemini/gemini-2.5-flash" }]);
    expect(read.warnings.filter((warning) => warning.includes("OpenAI-compatible"))).toHaveLength(1);
  });
});

describe("a row without a key", () => {
  test("takes its provider's variable, as in LiteLLM", () => {
    expect(providersOf(rows([{ model: "openai/x", params: "" }], "", { OPENAI_API_KEY: "sk-env" }))).toEqual([
      "openai (openai): sk-env*1",
    ]);
    expect(
      providersOf(rows([{ model: "together_ai/x", params: "" }], "", { TOGETHERAI_API_KEY: "t" })),
    ).toEqual(["together (together): t*1"]);
  });

  test("is a problem that names the variables when none is set", () => {
    expect(rows([{ model: "gemini/x", params: "" }]).problems).toEqual([
      "cannot read f.yaml:2:49 model_list[0].litellm_params.model: expected api_key beside it, or GOOGLE_API_KEY or GEMINI_API_KEY in the environment, found neither",
    ]);
  });

  test("sends nobody's key to an address of its own", () => {
    const read = rows([{ model: "openai/x", params: "api_base: https://x.example/v1" }], "", {
      OPENAI_API_KEY: "sk-env",
    });
    expect(providersOf(read)).toEqual(["openai-x.example (openai https://x.example/v1): "]);
    expect(read.warnings).toContainEqual(
      expect.stringContaining("without a key, where LiteLLM sends OPENAI_API_KEY"),
    );
  });

  test("of an engine's may have a placeholder, which is none", () => {
    const read = rows([
      { model: "hosted_vllm/x", params: "api_base: http://10.0.0.1:8000/v1, api_key: dummy" },
    ]);
    expect(providersOf(read)).toEqual(["vllm (vllm http://10.0.0.1:8000/v1): "]);
  });
});

describe("a row whose address cannot be read", () => {
  test.each(['"os.environ/NOWHERE"', '"${NOWHERE}"', '"x.openai.azure.com"'])(
    "(%s) is one problem",
    (base) => {
      const read = rows([{ model: "azure/dep", params: `api_key: a, api_base: ${base}` }]);
      expect(read.problems).toEqual([expect.stringContaining(".api_base: expected")]);
    },
  );
});

describe("rows of one provider", () => {
  test("are one provider with several keys, look-alikes told apart", () => {
    const read = rows([
      { model: "openai/a", params: "api_key: sk-proj-AAAA-1111" },
      { model: "openai/a", params: "api_key: sk-proj-AAAA-2222" },
      { model: "openai/b", params: "api_key: sk-proj-BBBB-1111" },
    ]);
    expect(providersOf(read)).toEqual([
      "openai (openai): sk-proj-AAAA-1111*1 sk-proj-AAAA-2222*1 sk-proj-BBBB-1111*1",
    ]);
  });

  test("are one crowd of engines without keys, and apart with keys", () => {
    const at = (host: string, key = "") => ({
      model: "hosted_vllm/x",
      params: `api_base: http://${host}:8000/v1${key}`,
    });
    expect(providersOf(rows([at("10.0.0.1"), at("10.0.0.2")]))).toEqual([
      "vllm (vllm http://10.0.0.1:8000/v1 http://10.0.0.2:8000/v1): ",
    ]);
    expect(providersOf(rows([at("10.0.0.1", ", api_key: t"), at("10.0.0.2", ", api_key: t")]))).toEqual([
      "vllm-10.0.0.1-8000 (vllm http://10.0.0.1:8000/v1): t*1",
      "vllm-10.0.0.2-8000 (vllm http://10.0.0.2:8000/v1): t*1",
    ]);
  });

  test("that are the same are one, which is said", () => {
    const read = rows([{ model: "openai/a" }, { model: "openai/a" }]);
    expect(targetsOf(read, "m")).toEqual(["openai sk-1 a"]);
    expect(read.warnings.filter((warning) => warning.includes("counts once"))).toHaveLength(1);
  });
});

describe("weights of a group", () => {
  const weighted = (list: readonly string[], rest = "") =>
    routeOf(
      rows(
        list.map((params, at) => ({
          model: "openai/a",
          params: `api_key: sk-${at}${params === "" ? "" : `, ${params}`}`,
        })),
        rest,
      ),
      "m",
    ).targets.map(({ weight }) => weight);

  test("are as written, 1 where one is missing, and 0 where it says so", () => {
    expect(weighted(["weight: 9", "weight: 1"])).toEqual([9, 1]);
    expect(weighted(["", "weight: 3"])).toEqual([1, 3]);
    expect(weighted(["weight: 3", "weight: 0"])).toEqual([3, 0]);
    expect(weighted(["", ""])).toEqual([undefined, undefined]);
  });

  test("are the rows' rpm for simple-shuffle when all have one, else their tpm", () => {
    expect(weighted(["rpm: 60", "rpm: 20"])).toEqual([60, 20]);
    expect(weighted(["tpm: 5, rpm: 60", "tpm: 7"])).toEqual([5, 7]);
    expect(weighted(["rpm: 60", ""])).toEqual([undefined, undefined]);
    expect(weighted(["rpm: 60", "rpm: 20"], "router_settings: { routing_strategy: least-busy }\n")).toEqual([
      undefined,
      undefined,
    ]);
  });

  test("below 0 are a problem", () => {
    expect(rows([{ model: "openai/a", params: "api_key: k, weight: -1" }]).problems).toEqual([
      "cannot read f.yaml:2:81 model_list[0].litellm_params.weight: expected a number, 0 or more, found -1",
    ]);
  });
});

describe("a wildcard", () => {
  test("fills the model's star, and finds its provider's names without the prefix", () => {
    const read = rows([
      { name: "anthropic/*", model: "anthropic/*", params: "api_key: a" },
      { name: "anthropic/*", model: "anthropic/*", params: "api_key: b" },
    ]);
    expect(targetsOf(read, "anthropic/*")).toEqual(["anthropic a *", "anthropic b *"]);
    expect(targetsOf(read, "claude-*")).toEqual(["anthropic a =", "anthropic b ="]);
    expect(routeOf(read, "claude-*").isHidden).toBe(true);
  });

  test("for all names sends them as they are", () => {
    const read = rows([{ name: "*", model: "openai/*" }]);
    expect(targetsOf(read, "*")).toEqual(["openai sk-1 ="]);
    expect(read.draft.routes).toHaveLength(1);
  });

  test("may lead to another name", () => {
    expect(targetsOf(rows([{ name: "llama-*", model: "groq/meta-*" }]), "llama-*")).toEqual([
      "groq sk-1 meta-*",
    ]);
  });
});
