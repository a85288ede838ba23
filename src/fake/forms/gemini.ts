// Gemini's errors: google.rpc.Status with details. There are no rate-limit headers; the wait stands in RetryInfo.
// Sources: https://ai.google.dev/gemini-api/docs/troubleshooting (statuses), https://ai.google.dev/gemini-api/docs/rate-limits
// and recorded answers in https://github.com/google-gemini/gemini-cli/issues/8437 (quota ids) and
// https://github.com/GoogleCloudPlatform/php-docs-samples/issues/1235 (billing, of a sister API).
// An invalid key is a 400 with reason API_KEY_INVALID; a missing one is a 403.
import type { ErrorFacts, ErrorName, Form, LimitName } from "./form.ts";

const RPC = "type.googleapis.com/google.rpc.";
const METRIC = "generativelanguage.googleapis.com/generate_content_free_tier_";

const QUOTAS: Record<LimitName, readonly [id: string, metric: string]> = {
  requests: ["GenerateRequestsPerMinutePerProjectPerModel-FreeTier", `${METRIC}requests`],
  tokens: ["GenerateContentInputTokensPerModelPerMinute-FreeTier", `${METRIC}input_token_count`],
  day: ["GenerateRequestsPerDayPerProjectPerModel-FreeTier", `${METRIC}requests`],
};

export const geminiForm: Form = {
  name: "gemini",
  error: (name, facts) => {
    const [code, status, message, details] = row(name, facts);
    return {
      status: code,
      headers: {},
      body: { error: { code, message, status, ...(details === undefined ? {} : { details }) } },
    };
  },
  limitHeaders: () => ({}),
};

type Row = readonly [code: number, status: string, message: string, details?: readonly unknown[]];

function row(name: ErrorName, facts: ErrorFacts): Row {
  switch (name) {
    case "rate_limit":
      return exhausted(facts.hit?.name ?? "requests", facts.hit?.limit ?? 10, facts);
    case "quota":
      return exhausted("day", facts.hit?.limit ?? 250, facts);
    case "billing":
      return [
        403,
        "PERMISSION_DENIED",
        "This API method requires billing to be enabled. Please enable billing on project #0 by visiting https://console.developers.google.com/billing/enable?project=0 then retry. If you enabled billing for this project recently, wait a few minutes for the action to propagate to our systems and retry.",
        [errorInfo("BILLING_DISABLED")],
      ];
    case "auth":
      return facts.key === ""
        ? [
            403,
            "PERMISSION_DENIED",
            "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.",
          ]
        : [
            400,
            "INVALID_ARGUMENT",
            "API key not valid. Please pass a valid API key.",
            [errorInfo("API_KEY_INVALID")],
          ];
    case "forbidden":
      return [403, "PERMISSION_DENIED", "The caller does not have permission"];
    case "model_not_found":
      return [
        404,
        "NOT_FOUND",
        `models/${facts.model} is not found for API version v1beta, or is not supported for generateContent. Call ListModels to see the list of available models and their supported methods.`,
      ];
    case "not_found":
      return [404, "NOT_FOUND", "Requested entity was not found."];
    case "bad_request":
      return [400, "INVALID_ARGUMENT", "Invalid JSON payload received."];
    case "context_length":
      return [
        400,
        "INVALID_ARGUMENT",
        `The input token count (${facts.promptTokens}) exceeds the maximum number of tokens allowed (${facts.contextWindow}).`,
      ];
    case "content_filter":
      return [400, "INVALID_ARGUMENT", "The request was blocked by safety settings."];
    case "too_large":
      return [413, "INVALID_ARGUMENT", "Request payload size exceeds the limit: 20971520 bytes."];
    case "unprocessable":
      return [422, "INVALID_ARGUMENT", "The request was well formed but could not be followed."];
    case "server_error":
      return [
        500,
        "INTERNAL",
        "An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting",
      ];
    case "bad_gateway":
      return [502, "UNAVAILABLE", "Bad gateway"];
    case "unavailable":
    case "overloaded":
      return [503, "UNAVAILABLE", "The model is overloaded. Please try again later."];
    case "gateway_timeout":
      return [504, "DEADLINE_EXCEEDED", "The service was unable to finish processing within the deadline."];
  }
}

const errorInfo = (reason: string) => ({
  "@type": `${RPC}ErrorInfo`,
  reason,
  domain: "googleapis.com",
  metadata: { service: "generativelanguage.googleapis.com" },
});

function exhausted(limit: LimitName, most: number, facts: ErrorFacts): Row {
  const [quotaId, quotaMetric] = QUOTAS[limit];
  const seconds = facts.retryAfterMs / 1000;
  const violation = {
    quotaMetric,
    quotaId,
    quotaDimensions: { location: "global", model: facts.model },
    quotaValue: String(most),
  };
  return [
    429,
    "RESOURCE_EXHAUSTED",
    `You exceeded your current quota, please check your plan and billing details. For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits.\n* Quota exceeded for metric: ${quotaMetric}, limit: ${most}, model: ${facts.model}\nPlease retry in ${seconds}s.`,
    [
      { "@type": `${RPC}QuotaFailure`, violations: [violation] },
      {
        "@type": `${RPC}Help`,
        links: [
          {
            description: "Learn more about Gemini API quotas",
            url: "https://ai.google.dev/gemini-api/docs/rate-limits",
          },
        ],
      },
      { "@type": `${RPC}RetryInfo`, retryDelay: `${Math.ceil(seconds)}s` },
    ],
  ];
}
