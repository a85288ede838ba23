import { expect, test } from "bun:test";
import { OPTIONS } from "../../src/config/options.ts";
import { PROVIDER_SUFFIXES } from "../../src/config/prefixed.ts";
import { PROVIDERS } from "../../src/config/providers.ts";
import { warnOfNearMisses } from "../../src/config/near-miss.ts";
import { K1, load } from "./load-env.ts";

const warnings = (...names: string[]) =>
  warnOfNearMisses(new Map(names.map((name) => [name, { name, text: "x", where: name }])));

test.each([
  ["WEIR_PROT", "WEIR_PORT"],
  ["WEIR_ACCESS_KEY", "WEIR_ACCESS_KEYS"],
  ["WEIR_RETRY_MAXIMUM", "WEIR_RETRY_MAX"],
  ["WEIR_PROVIDER", "WEIR_PROVIDERS"],
])("%s was meant to be %s", (name, meant) => {
  expect(warnings(name)).toEqual([`${name} is not a variable of weir's; did you mean ${meant}?`]);
});

test.each([
  ["OPENAI_API_KEYZ", "OPENAI_API_KEYS"],
  ["OPENAI_APIKEYS", "OPENAI_API_KEYS"],
  ["OPENAI_APIKEY", "OPENAI_API_KEY"],
  ["OPENAI_KEYS", "OPENAI_API_KEYS"],
  ["OPENAI_API_KEYS_FIEL", "OPENAI_API_KEYS_FILE"],
  ["OPENAI_API_KEY_FILE", "OPENAI_API_KEYS_FILE"],
  ["GROQ_BASE_URI", "GROQ_BASE_URL"],
  ["VLLM_BASEURLS", "VLLM_BASE_URLS"],
  ["AZURE_OPENAI_APIKEYS", "AZURE_OPENAI_API_KEYS"],
  ["OPENIA_API_KEYS", "OPENAI_API_KEYS"],
  ["ANTHROPC_BASE_URLS", "ANTHROPIC_BASE_URLS"],
])("%s was meant to be %s", (name, meant) => {
  const [text = "", ...others] = warnings(name);
  expect(others).toEqual([]);
  expect(text).toBe(`${name} is not read; did you mean ${meant}?`);
});

test("what begins with WEIR_ is never ignored in silence", () => {
  expect(warnings("WEIR_ZZZZZZZZZZZZZZZZ")).toEqual(["WEIR_ZZZZZZZZZZZZZZZZ is not a variable of weir's"]);
});

test("unrelated variables, and those of SDKs and servers, are no near misses", () => {
  const unrelated = `
    PATH HOME PORT STRIPE_API_KEY ZAI_API_KEYS COHERE_API_KEYS MY_BASE_URL HTTPS_PROXY AWS_SECRET_ACCESS_KEY
    OPENAI_ORG_ID OPENAI_ORGANIZATION OPENAI_PROJECT_ID OPENAI_ADMIN_KEY OPENAI_MODEL OPENAI_API_TYPE OPENAI_LOG
    OPENAI_API_VERSION OPENAI_WEBHOOK_SECRET ANTHROPIC_AUTH_TOKEN ANTHROPIC_MODEL ANTHROPIC_LOG
    ANTHROPIC_SMALL_FAST_MODEL GOOGLE_CLOUD_PROJECT GOOGLE_APPLICATION_CREDENTIALS GOOGLE_GENAI_USE_VERTEXAI
    OLLAMA_HOST OLLAMA_KEEP_ALIVE OLLAMA_NUM_PARALLEL VLLM_HOST_IP VLLM_PORT VLLM_USE_V1 SGLANG_TORCH_PROFILER_DIR
    HUGGINGFACE_HUB_CACHE NVIDIA_VISIBLE_DEVICES NVIDIA_DRIVER_CAPABILITIES NVIDIA_REQUIRE_CUDA WEIR_REEXEC
    WEIR_SERVICE_HOST WEIR_SERVICE_PORT WEIR_SERVICE_PORT_HTTP WEIR_PORT_8080_TCP WEIR_PORT_8080_TCP_ADDR
    WEIR_DASHBOARD_SERVICE_HOST WEIR_DASHBOARD_PORT`;
  expect(warnings(...unrelated.trim().split(/\s+/))).toEqual([]);
});

test("every variable that is read is known", () => {
  expect(warnings(...OPTIONS.flatMap(({ variables }) => variables), "WEIR_PROVIDERS")).toEqual([]);
  const prefixes = PROVIDERS.flatMap((provider) => provider.prefixes);
  expect(
    warnings(...prefixes.flatMap((prefix) => PROVIDER_SUFFIXES.map((suffix) => `${prefix}_${suffix}`))),
  ).toEqual([]);
  expect(warnings("AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_API_VERSION")).toEqual([]);
});

test("a near miss of one's own provider is one too", () => {
  const env = { WEIR_PROVIDERS: "my-gpu", MY_GPU_BASE_URL: "http://a.test", MY_GPU_API_KEYZ: "x" };
  expect(load(env)).toMatchObject({
    config: { warnings: ["MY_GPU_API_KEYZ is not read; did you mean MY_GPU_API_KEYS?"] },
  });
});

test("near misses are told when there is no backend, or a problem besides", () => {
  const told = ["OPENAI_APIKEYS is not read; did you mean OPENAI_API_KEYS?"];
  expect(load({ OPENAI_APIKEYS: K1 })).toEqual({ kind: "empty", warnings: told });
  expect(load({ OPENAI_APIKEYS: K1, WEIR_PORT: "x" })).toMatchObject({ kind: "problems", warnings: told });
});
