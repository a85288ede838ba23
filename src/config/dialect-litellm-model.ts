// LiteLLM's model strings (`azure/my-deployment`): which provider is meant, and what the model is called there.
import { ownsModel, type Provider, PROVIDERS } from "./providers.ts";

export type ModelReading =
  | {
      readonly kind: "model";
      readonly base: Provider;
      /** The name upstream; `*` may stand in it. */
      readonly model: string;
    }
  | { readonly kind: "refused"; readonly expected: string };

/** Prefixes of LiteLLM's by the names of weir's table. */
const PREFIXES: Readonly<Record<string, string>> = {
  openai: "openai",
  "text-completion-openai": "openai",
  azure: "azure-openai",
  azure_text: "azure-openai",
  anthropic: "anthropic",
  anthropic_text: "anthropic",
  gemini: "google",
  openrouter: "openrouter",
  groq: "groq",
  mistral: "mistral",
  deepseek: "deepseek",
  xai: "xai",
  together_ai: "together",
  fireworks_ai: "fireworks",
  cerebras: "cerebras",
  perplexity: "perplexity",
  dashscope: "dashscope",
  moonshot: "moonshot",
  nvidia_nim: "nvidia",
  sambanova: "sambanova",
  huggingface: "huggingface",
  hosted_vllm: "vllm",
  vllm: "vllm",
  ollama: "ollama",
  ollama_chat: "ollama",
};

/** Servers of the OpenAI family wherever they are. */
const OPENAI_LIKE = new Set(
  "custom_openai openai_like litellm_proxy lm_studio llamafile xinference docker_model_runner".split(" "),
);

const TRANSLATED = new Set(
  [
    "bedrock bedrock_converse vertex_ai vertex_ai_beta sagemaker sagemaker_chat cohere cohere_chat replicate",
    "watsonx watsonx_text databricks snowflake palm azure_ai ai21 cloudflare clarifai nlp_cloud petals oobabooga",
    "aleph_alpha baseten triton predibase maritalk gigachat oci sap github_copilot voyage jina_ai infinity",
  ]
    .join(" ")
    .split(" "),
);

export interface ModelTerms {
  /** `custom_llm_provider`, which stands in for a prefix. */
  readonly provider: string | undefined;
  /** True when the row has an address of its own. */
  readonly hasAddress: boolean;
}

export function readModelString(text: string, { provider, hasAddress }: ModelTerms): ModelReading {
  const slash = text.indexOf("/");
  const prefix = provider ?? (slash > 0 ? text.slice(0, slash) : undefined);
  const model = prefix !== undefined && text.startsWith(`${prefix}/`) ? text.slice(prefix.length + 1) : text;
  if (prefix !== undefined && TRANSLATED.has(prefix))
    return refused(
      `a provider that weir can pipe to, for ${prefix} needs requests translated, which weir does not do`,
    );
  if (prefix !== undefined && OPENAI_LIKE.has(prefix))
    return hasAddress
      ? found("openai", model)
      : refused(`api_base beside it, as ${prefix} is wherever users put it`);
  const known = prefix === undefined ? undefined : PREFIXES[prefix];
  if (known !== undefined) return found(known, bareModel(known, model));
  const owner = PROVIDERS.find((each) => each.kind === "hosted" && ownsModel(each, text));
  if (owner !== undefined && provider === undefined) return { kind: "model", base: owner, model: text };
  // Nobody else's name, and an address: a server of the OpenAI family that has it.
  if (hasAddress && text !== "*") return found("openai", model);
  return refused(
    `provider/model with one of ${Object.keys(PREFIXES).join(", ")}; for another server of the OpenAI family, openai/model and its api_base`,
  );
}

const refused = (expected: string): ModelReading => ({ kind: "refused", expected });

function found(name: string, model: string): ModelReading {
  const base = PROVIDERS.find((provider) => provider.name === name);
  if (base === undefined) throw new RangeError(`cannot read model: no provider ${name} in the table`);
  return { kind: "model", base, model };
}

/** Marks that choose among LiteLLM's own ways of calling, and the part of Fireworks' names that it fills in. */
function bareModel(provider: string, model: string): string {
  switch (provider) {
    case "azure-openai":
      return model.replace(/^(o_series|gpt5_series|responses)\//, "");
    case "openai":
      return model.replace(/^(responses|chat)\//, "");
    case "fireworks":
      return /^accounts\/|#|^\*$/.test(model) ? model : `accounts/fireworks/models/${model}`;
    default:
      return model;
  }
}

/** Variables that LiteLLM takes a row's key from when the row has none; beside the provider's own `P_API_KEY`. */
const KEY_VARIABLES: Readonly<Record<string, readonly string[]>> = {
  "azure-openai": ["AZURE_API_KEY"],
  openrouter: ["OR_API_KEY"],
  together: ["TOGETHERAI_API_KEY", "TOGETHER_AI_API_KEY", "TOGETHER_AI_TOKEN"],
  fireworks: ["FIREWORKS_AI_API_KEY", "FIREWORKSAI_API_KEY"],
  perplexity: ["PERPLEXITYAI_API_KEY"],
  nvidia: ["NVIDIA_NIM_API_KEY"],
  huggingface: ["HF_TOKEN"],
};

export const keyVariablesOf = ({ name, prefixes }: Provider): readonly string[] => [
  ...prefixes.map((prefix) => `${prefix}_API_KEY`),
  ...(KEY_VARIABLES[name] ?? []),
];

const BASE_VARIABLES: Readonly<Record<string, readonly string[]>> = {
  "azure-openai": ["AZURE_API_BASE"],
  vllm: ["HOSTED_VLLM_API_BASE"],
  ollama: ["OLLAMA_API_BASE"],
};

/** Variables that LiteLLM takes the address from when the row has none. */
export const baseVariablesOf = ({ name }: Provider): readonly string[] => BASE_VARIABLES[name] ?? [];
