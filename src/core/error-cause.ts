// What an error's names and words mean, in one table for every provider. Names (codes, types, reasons) decide;
// words count only where a provider has no name for the case, and those that rest a key must begin the message,
// because messages quote what callers sent.

export type ErrorCause =
  | "quota"
  | "daily_quota"
  | "rate_limit"
  | "revoked"
  | "model_not_found"
  | "context_window"
  | "content_policy"
  | "overloaded";

interface Rule {
  readonly cause: ErrorCause;
  /** Lower case. */
  readonly names?: readonly string[];
  readonly says?: RegExp;
}

/** The first rule that fits wins: the special before the general. Recorded bodies of each are in the test. */
const RULES: readonly Rule[] = [
  // OpenRouter answers 402 for a moment's reservations too, with a Retry-After (openrouter.ai/docs/api/reference/limits).
  { cause: "rate_limit", names: ["openrouter_in_flight_budget"] },

  // OpenAI (platform.openai.com/docs/guides/error-codes); one-api spells its own insufficient_user_quota.
  {
    cause: "quota",
    names: [
      "insufficient_quota",
      "insufficient_user_quota",
      "billing_hard_limit_reached",
      "billing_not_active",
    ],
  },
  // Anthropic: the tier's monthly cap is a 429 rate_limit_error with this in details (platform.claude.com/docs/en/api/rate-limits).
  { cause: "quota", names: ["enforced_spend_limit_reached", "billing_error"] },
  // Anthropic has only invalid_request_error, 400, for an empty balance (anthropics/claude-code#66314) ...
  { cause: "quota", says: /^Your credit balance is too low/i },
  // ... and for one's own cap: "You have reached your specified [workspace] API usage limits. You will regain access on ...".
  { cause: "quota", says: /^You have reached your (?:specified )?(?:workspace )?API usage limits/i },
  // OpenRouter's metadata.limit_source and metadata.error_type; Google's ErrorInfo.
  {
    cause: "quota",
    names: ["openrouter_credits", "openrouter_key_limit", "insufficient_credits", "billing_disabled"],
  },
  // OpenRouter without metadata (QwenLM/qwen-code#73); DeepSeek's type is unknown_error (api-docs.deepseek.com/quick_start/error_codes).
  { cause: "quota", says: /^This request requires more credits|^Insufficient (?:Balance|credits)\b/i },

  // OpenRouter's cap on free models, until midnight UTC; the words for bodies without metadata (Gitlawb/openclaude#1549).
  {
    cause: "daily_quota",
    names: ["openrouter_free_tier_daily"],
    says: /^Rate limit exceeded: free-models-per-day/i,
  },

  // OpenAI and its kin; Anthropic's two; Google's ErrorInfo, on a 400 (cloud.google.com/apis/design/errors).
  {
    cause: "revoked",
    names: [
      "invalid_api_key",
      "account_deactivated",
      "authentication_error",
      "permission_error",
      "api_key_invalid",
      "api_key_service_blocked",
      "consumer_suspended",
      "unauthenticated",
    ],
  },
  // xAI: 400 with the code "Client specified an invalid argument". Gemini, when a layer between drops the details.
  { cause: "revoked", says: /^Incorrect API key provided|^API key not valid\. Please pass a valid API key/i },

  // OpenAI, Groq; Azure (learn.microsoft.com/azure/ai-services/openai); Together; Mistral, code 1500.
  {
    cause: "model_not_found",
    names: ["model_not_found", "deploymentnotfound", "model_not_available", "invalid_model"],
  },
  // vLLM and SGLang (type NotFoundError), xAI: "The model `x` does not exist"; Ollama: model "x" not found.
  { cause: "model_not_found", says: /^(?:The )?model\b.{0,200}? (?:does not exist|not found)/i },
  // Anthropic: not_found_error, "model: x". Gemini: NOT_FOUND, "models/x is not found for API version v1beta".
  { cause: "model_not_found", says: /^model: \S+$|^models\/\S+ is not found for API version/i },
  // DeepSeek, OpenRouter: 400 both.
  { cause: "model_not_found", says: /^Model Not Exist|is not a valid model ID$/i },

  // OpenAI, Groq, OpenRouter; llama.cpp.
  { cause: "context_window", names: ["context_length_exceeded", "exceed_context_size_error"] },
  // vLLM, SGLang, DeepSeek, Mistral ("too large for model with 32768 maximum context length"), OpenRouter.
  { cause: "context_window", says: /\bmaximum context length\b|\blonger than the m[a-z' ]+ length\b/i },
  // Anthropic: "prompt is too long: 213462 tokens > 200000 maximum" and the sum with max_tokens.
  {
    cause: "context_window",
    says: /^prompt is too long|^input length and `max_tokens` exceed context limit/i,
  },
  // Gemini: "The input token count (1196265) exceeds the maximum number of tokens allowed (1048575)"; xAI; Bedrock.
  {
    cause: "context_window",
    says: /^The input token count\b.{0,40} exceeds the maximum number|\bmaximum prompt length is \d|^Input is too long for requested model/i,
  },

  // OpenAI; Azure's innererror; Alibaba.
  {
    cause: "content_policy",
    names: [
      "content_filter",
      "content_policy_violation",
      "responsibleaipolicyviolation",
      "moderation_blocked",
      "invalid_prompt",
      "data_inspection_failed",
    ],
  },
  // Anthropic and DeepSeek: 400 invalid_request_error both.
  { cause: "content_policy", says: /^Output blocked by content filtering policy|^Content Exists Risk/i },

  // Anthropic; OpenAI; Gemini; OpenRouter; Azure; Mistral, code 3505.
  {
    cause: "overloaded",
    names: [
      "overloaded_error",
      "server_is_overloaded",
      "slow_down",
      "unavailable",
      "provider_overloaded",
      "no_capacity",
      "service_tier_capacity_exceeded",
    ],
  },
  // OpenAI, OpenRouter; Anthropic; Gemini; Mistral; Cerebras; Together; Bedrock.
  {
    cause: "rate_limit",
    names: [
      "rate_limit_exceeded",
      "rate_limit_error",
      "resource_exhausted",
      "rate_limited",
      "too_many_requests_error",
      "dynamic_request_limited",
      "dynamic_token_limited",
      "throttlingexception",
    ],
  },

  // A status as the code: in-band errors of streams have no other (OpenRouter, Gemini); Azure's 429 too.
  { cause: "quota", names: ["402"] },
  { cause: "revoked", names: ["401"] },
  { cause: "rate_limit", names: ["429"] },
  { cause: "overloaded", names: ["503", "529"] },
];

/** The cause that lower-case `names` or the message tell; undefined when neither tells any. */
export function findCause(names: ReadonlySet<string>, message: string): ErrorCause | undefined {
  return RULES.find(
    (rule) => rule.names?.some((name) => names.has(name)) === true || rule.says?.test(message) === true,
  )?.cause;
}
