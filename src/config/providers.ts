// The table of known providers: address, families, key placement, naming rule. A new provider is one more row.
import { type Family, type KeyPlacement, matchesPattern } from "../core/backend.ts";
import type { ModelsRoute } from "../core/pool-spec.ts";

/** How a provider serves one family. */
export interface FamilyRoute {
  /**
   * Path on the provider's origin, no slash at the end. It is what stands before `/chat/completions` (openai),
   * `/messages` (anthropic) and `/models/{model}:generateContent` (gemini).
   */
  readonly path: string;
  readonly key: KeyPlacement;
}

export interface Provider {
  /** Lower case; used in configuration files and in `provider/model`. */
  readonly name: string;
  /** What stands before `_API_KEYS`, `_BASE_URL` and so on in variables; the first is the usual one. */
  readonly prefixes: readonly string[];
  /** Further names that files may use for it. */
  readonly aliases?: readonly string[];
  /** Hosted ones are paid services; engines are one's own inference servers. */
  readonly kind: "hosted" | "engine";
  /** Absent where every user has an address of their own. */
  readonly origin?: string;
  /** The family whose path a base URL with a path replaces. */
  readonly main: Family;
  readonly families: Readonly<Partial<Record<Family, FamilyRoute>>>;
  /**
   * Naming rule, read by `ownsModel`: patterns (`*` wildcard) of the names that only this provider gives. Names of
   * open weights, which many serve, belong to nobody. A pattern without a slash covers no name with one; one that
   * begins with the provider's name and a slash (`groq/compound*`) says that the slash is part of the name there,
   * so that it is no `provider/model` to be shortened.
   */
  readonly owns: readonly string[];
  /** Exceptions to `owns`. */
  readonly notOwns?: readonly string[];
  /** Operations that the server has at its root rather than below the path of the openai family. */
  readonly rootPaths?: readonly string[];
  /**
   * Absent where no list tells what can be called. The answer has the shape of the family: `data[].id` (openai,
   * anthropic; Together answers the bare array) or `models[].name`, each after `models/` (gemini).
   */
  readonly modelsRoute?: ModelsRoute;
}

const BEARER: KeyPlacement = { in: "header", name: "authorization", prefix: "Bearer " };
const X_API_KEY: KeyPlacement = { in: "header", name: "x-api-key", prefix: "" };
const X_GOOG_API_KEY: KeyPlacement = { in: "header", name: "x-goog-api-key", prefix: "" };
const API_KEY: KeyPlacement = { in: "header", name: "api-key", prefix: "" };

const at = (path: string, key: KeyPlacement = BEARER): FamilyRoute => ({ path, key });

/** What most hosted rows have in common; a row overrides what differs. */
const HOSTED = {
  kind: "hosted",
  main: "openai",
  families: { openai: at("/v1") },
  owns: [],
  modelsRoute: { family: "openai", path: "/models" },
} as const;

/** Engines speak both families with a bearer token, if they were given a key at all. */
const ENGINE = { ...HOSTED, kind: "engine", families: { openai: at("/v1"), anthropic: at("/v1") } } as const;

const list = (names: string) => names.split(" ");

/** Names with a colon are local ones of Ollama: `mistral-small:24b`. */
const OLLAMA_TAG = "*:*";

export const PROVIDERS: readonly Provider[] = [
  // https://platform.openai.com/docs/api-reference
  {
    ...HOSTED,
    name: "openai",
    prefixes: ["OPENAI"],
    origin: "https://api.openai.com",
    owns: [
      ...list("gpt-* ft:gpt-* chatgpt-* o1* o3* o4* ft:o4-* codex-* computer-use-* davinci-* babbage-*"),
      ...list("text-embedding-3-* text-embedding-ada-002 omni-moderation-* text-moderation-*"),
      ...list("dall-e-* sora-* whisper-1 tts-1*"),
    ],
    notOwns: ["gpt-oss*", "gpt-j-*", "gpt-neo*"],
  },
  // https://platform.claude.com/docs/en/api/overview,
  // https://platform.claude.com/docs/en/cli-sdks-libraries/libraries/openai-sdk
  {
    ...HOSTED,
    name: "anthropic",
    prefixes: ["ANTHROPIC"],
    origin: "https://api.anthropic.com",
    main: "anthropic",
    families: { anthropic: at("/v1", X_API_KEY), openai: at("/v1") },
    owns: ["claude-*"],
    modelsRoute: {
      family: "anthropic",
      path: "/models?limit=1000",
      headers: { "anthropic-version": "2023-06-01" },
    },
  },
  // https://ai.google.dev/api, https://ai.google.dev/api/rest/v1/models/list, https://ai.google.dev/api/compatibility
  {
    ...HOSTED,
    name: "google",
    prefixes: ["GOOGLE", "GEMINI"],
    origin: "https://generativelanguage.googleapis.com",
    main: "gemini",
    families: { gemini: at("/v1beta", X_GOOG_API_KEY), openai: at("/v1beta/openai") },
    owns: list("gemini-* imagen-* veo-* lyria-* learnlm-*"),
    modelsRoute: { family: "gemini", path: "/models?pageSize=1000" },
  },
  // https://learn.microsoft.com/azure/foundry/openai/api-version-lifecycle. Its list has the models of the
  // region, not the deployments: https://learn.microsoft.com/rest/api/azureopenai/models/list
  {
    name: "azure-openai",
    prefixes: ["AZURE_OPENAI"],
    aliases: ["azure"],
    kind: "hosted",
    main: "openai",
    families: { openai: at("/openai/v1", API_KEY) },
    owns: [],
  },
  // https://www.developersdigest.tech/reference/api-compatibility/openrouter,
  // https://openrouter.ai/docs/api_reference/errors-and-debugging
  {
    ...HOSTED,
    name: "openrouter",
    prefixes: ["OPENROUTER"],
    origin: "https://openrouter.ai",
    families: { openai: at("/api/v1"), anthropic: at("/api/v1") },
    owns: ["openrouter/*"],
    notOwns: ["openrouter/*/*"],
  },
  // https://console.groq.com/docs/openai, https://console.groq.com/docs/compound
  {
    ...HOSTED,
    name: "groq",
    prefixes: ["GROQ"],
    origin: "https://api.groq.com",
    families: { openai: at("/openai/v1") },
    owns: ["groq/compound*"],
  },
  // https://docs.mistral.ai/resources/migration-guides
  {
    ...HOSTED,
    name: "mistral",
    prefixes: ["MISTRAL"],
    origin: "https://api.mistral.ai",
    owns: [
      ...list("mistral-* ministral-* magistral-* codestral-* devstral-* pixtral-* voxtral-*"),
      ...list("open-mistral-* open-mixtral-*"),
    ],
    notOwns: [OLLAMA_TAG],
  },
  // https://api-docs.deepseek.com, https://api-docs.deepseek.com/guides/anthropic_api
  {
    ...HOSTED,
    name: "deepseek",
    prefixes: ["DEEPSEEK"],
    origin: "https://api.deepseek.com",
    families: { openai: at(""), anthropic: at("/anthropic/v1", X_API_KEY) },
    owns: ["deepseek-*"],
    notOwns: ["*-distill-*", OLLAMA_TAG],
  },
  // https://docs.x.ai/api/integrations. Its /v1/messages is "fully deprecated":
  // https://docs.x.ai/developers/rest-api-reference/inference/legacy
  { ...HOSTED, name: "xai", prefixes: ["XAI"], origin: "https://api.x.ai", owns: ["grok-*"] },
  // https://docs.together.ai/docs/inference/openai-compatibility,
  // https://librechat.ai/docs/configuration/librechat_yaml/ai_endpoints/togetherai (the list is a bare array)
  {
    ...HOSTED,
    name: "together",
    prefixes: ["TOGETHER"],
    aliases: ["together-ai"],
    origin: "https://api.together.ai",
  },
  // https://www.developersdigest.tech/reference/api-compatibility/fireworks,
  // https://docs.fireworks.ai/tools-sdks/anthropic-compatibility
  {
    ...HOSTED,
    name: "fireworks",
    prefixes: ["FIREWORKS"],
    aliases: ["fireworks-ai"],
    origin: "https://api.fireworks.ai",
    families: { openai: at("/inference/v1"), anthropic: at("/inference/v1") },
    owns: ["accounts/*"],
  },
  // https://inference-docs.cerebras.ai, https://www.developersdigest.tech/reference/api-compatibility/cerebras
  { ...HOSTED, name: "cerebras", prefixes: ["CEREBRAS"], origin: "https://api.cerebras.ai" },
  // https://docs.perplexity.ai/docs/grounded-llm/openai-compatibility: /v1/responses. /chat/completions, which
  // had no /v1, ended in September 2026: https://docs.perplexity.ai/docs/agent-api/migrate-from-sonar/overview
  {
    ...HOSTED,
    name: "perplexity",
    prefixes: ["PERPLEXITY"],
    origin: "https://api.perplexity.ai",
    owns: ["sonar", "sonar-*", "perplexity/sonar*"],
  },
  // https://help.aliyun.com/en/model-studio/anthropic-api-messages,
  // https://www.alibabacloud.com/help/en/model-studio/compatibility-of-openai-with-dashscope.
  // Keys of mainland China need https://dashscope.aliyuncs.com as base URL.
  {
    ...HOSTED,
    name: "dashscope",
    prefixes: ["DASHSCOPE"],
    origin: "https://dashscope-intl.aliyuncs.com",
    families: { openai: at("/compatible-mode/v1"), anthropic: at("/apps/anthropic/v1", X_API_KEY) },
    owns: [
      ...list("qwen*-max* qwen*-plus* qwen*-turbo* qwen*-flash* qwen-long* qwen-mt-* qwen-vl-ocr*"),
      ...list("qwq-plus* qvq-max* qvq-plus* text-embedding-v* gte-rerank*"),
    ],
    notOwns: [OLLAMA_TAG],
  },
  // https://platform.kimi.ai/docs/api/overview. Keys of mainland China need https://api.moonshot.cn as base URL.
  {
    ...HOSTED,
    name: "moonshot",
    prefixes: ["MOONSHOT"],
    origin: "https://api.moonshot.ai",
    families: { openai: at("/v1"), anthropic: at("/anthropic/v1") },
    owns: ["kimi-*", "moonshot-*"],
    notOwns: [OLLAMA_TAG],
  },
  // https://docs.litellm.ai/docs/providers/nvidia_nim
  {
    ...HOSTED,
    name: "nvidia",
    prefixes: ["NVIDIA"],
    aliases: ["nvidia-nim"],
    origin: "https://integrate.api.nvidia.com",
    owns: ["nvidia/*"],
    notOwns: ["nvidia/*/*"],
  },
  // https://docs.sambanova.ai/docs/en/features/anthropic-compatibility,
  // https://docs.sambanova.ai/docs/api-reference/messages/create-a-message
  {
    ...HOSTED,
    name: "sambanova",
    prefixes: ["SAMBANOVA"],
    origin: "https://api.sambanova.ai",
    families: { openai: at("/v1"), anthropic: at("/v1") },
  },
  // https://huggingface.co/docs/inference-providers/index,
  // https://huggingface.co/docs/inference-providers/integrations/claude-code
  {
    ...HOSTED,
    name: "huggingface",
    prefixes: ["HUGGINGFACE"],
    origin: "https://router.huggingface.co",
    families: { openai: at("/v1"), anthropic: at("/v1") },
  },
  // https://github.com/vllm-project/vllm/blob/main/docs/serving/online_serving/README.md
  {
    ...ENGINE,
    name: "vllm",
    prefixes: ["VLLM"],
    aliases: ["hosted-vllm"],
    rootPaths: ["/tokenize", "/detokenize", "/pooling", "/classify"],
  },
  // https://docs.sglang.io/docs/basic_usage/anthropic_api
  { ...ENGINE, name: "sglang", prefixes: ["SGLANG"] },
  // https://docs.ollama.com/api/openai-compatibility, https://docs.ollama.com/api/anthropic-compatibility
  { ...ENGINE, name: "ollama", prefixes: ["OLLAMA"] },
  // https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md
  {
    ...ENGINE,
    name: "llamacpp",
    prefixes: ["LLAMACPP"],
    aliases: ["llama.cpp"],
    rootPaths: ["/tokenize", "/detokenize"],
  },
];

const plain = (name: string) => name.toLowerCase().replaceAll(/[-_]/g, "");

const byName = new Map(
  PROVIDERS.flatMap((provider) =>
    [provider.name, ...provider.prefixes, ...(provider.aliases ?? [])].map(
      (name) => [plain(name), provider] as const,
    ),
  ),
);

/** By name, variable prefix or alias; `_`, `-` and case do not matter. */
export function findProvider(name: string): Provider | undefined {
  return byName.get(plain(name));
}

/** True when the provider's naming rule fits this model. */
export function ownsModel(provider: Provider, model: string): boolean {
  const fits = (pattern: string) =>
    pattern.includes("/") === model.includes("/") && matchesPattern(pattern, model);
  return provider.owns.some(fits) && !(provider.notOwns ?? []).some(fits);
}
