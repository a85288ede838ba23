// OpenAI's errors and rate-limit headers.
// Sources: https://platform.openai.com/docs/guides/error-codes (codes and messages) and
// https://platform.openai.com/docs/guides/rate-limits (headers; resets are durations such as "1s" and "6m0s").
import { goDuration, wholeSeconds } from "./form.ts";
import type { ErrorFacts, ErrorName, Form, Headers, LimitName, LimitViews } from "./form.ts";

const WINDOWS: Record<LimitName, string> = {
  requests: "requests per min (RPM)",
  tokens: "tokens per min (TPM)",
  day: "requests per day (RPD)",
};

export const openaiForm: Form = {
  name: "openai",
  error: (name, facts) => {
    const [status, message, type, code, param] = row(name, facts);
    const headers: Headers = name === "rate_limit" ? retryHeaders(facts.retryAfterMs) : {};
    return {
      status,
      headers: { ...headers, "x-request-id": facts.requestId },
      body: { error: { message, type, param: param ?? null, code } },
    };
  },
  limitHeaders: openaiLimitHeaders,
};

type Row = readonly [status: number, message: string, type: string, code: string | null, param?: string];

function row(name: ErrorName, facts: ErrorFacts): Row {
  const { model, hit } = facts;
  switch (name) {
    case "rate_limit": {
      const wait = goDuration(facts.retryAfterMs);
      const of = hit ?? { name: "requests" as const, limit: 3, used: 3, requested: 1 };
      const message = `Rate limit reached for ${model} in organization org-fake on ${WINDOWS[of.name]}: Limit ${of.limit}, Used ${of.used}, Requested ${of.requested}. Please try again in ${wait}. Visit https://platform.openai.com/account/rate-limits to learn more.`;
      return [429, message, of.name === "tokens" ? "tokens" : "requests", "rate_limit_exceeded"];
    }
    case "quota":
      return [
        429,
        "You exceeded your current quota, please check your plan and billing details. For more information on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.",
        "insufficient_quota",
        "insufficient_quota",
      ];
    case "billing":
      return [
        429,
        "Your account is not active, please check your billing details on our website.",
        "billing_not_active",
        "billing_not_active",
      ];
    case "auth":
      return [
        401,
        `Incorrect API key provided: ${maskKey(facts.key)}. You can find your API key at https://platform.openai.com/account/api-keys.`,
        "invalid_request_error",
        "invalid_api_key",
      ];
    case "forbidden":
      return [
        403,
        "Country, region, or territory not supported",
        "request_forbidden",
        "unsupported_country_region_territory",
      ];
    case "model_not_found":
      return [
        404,
        `The model \`${model}\` does not exist or you do not have access to it.`,
        "invalid_request_error",
        "model_not_found",
      ];
    case "not_found":
      return [404, "Invalid URL", "invalid_request_error", null];
    case "bad_request":
      return [400, "We could not parse the JSON body of your request.", "invalid_request_error", null];
    case "context_length":
      return [
        400,
        `This model's maximum context length is ${facts.contextWindow} tokens. However, your messages resulted in ${facts.promptTokens} tokens. Please reduce the length of the messages.`,
        "invalid_request_error",
        "context_length_exceeded",
        "messages",
      ];
    case "content_filter":
      return [
        400,
        "Your request was rejected as a result of our safety system.",
        "invalid_request_error",
        "content_policy_violation",
      ];
    case "too_large":
      return [413, "Request body is too large.", "invalid_request_error", null];
    case "unprocessable":
      return [422, "The request was well formed but could not be followed.", "invalid_request_error", null];
    case "server_error":
      return [
        500,
        "The server had an error while processing your request. Sorry about that!",
        "server_error",
        null,
      ];
    case "bad_gateway":
      return [502, "Bad gateway.", "server_error", null];
    case "unavailable":
    case "overloaded":
      return [503, "The engine is currently overloaded, please try again later.", "server_error", null];
    case "gateway_timeout":
      return [504, "The upstream server timed out.", "server_error", null];
  }
}

/** OpenAI sends whole seconds, and milliseconds beside them since late 2023. */
function retryHeaders(ms: number): Headers {
  return { "retry-after": wholeSeconds(ms), "retry-after-ms": String(Math.ceil(ms)) };
}

/** Resets are durations; with both, the minute stands before the day. */
function openaiLimitHeaders(views: LimitViews): Headers {
  const headers: Record<string, string> = {};
  const requests = views.requests ?? views.day;
  for (const [name, view] of [
    ["requests", requests],
    ["tokens", views.tokens],
  ] as const) {
    if (view === undefined) continue;
    headers[`x-ratelimit-limit-${name}`] = String(view.limit);
    headers[`x-ratelimit-remaining-${name}`] = String(view.remaining);
    headers[`x-ratelimit-reset-${name}`] = goDuration(view.resetMs);
  }
  return headers;
}

/** The masked key of OpenAI's 401: the head and the last four characters stay readable. */
function maskKey(key: string): string {
  return key.length < 12 ? "***" : `${key.slice(0, 5)}${"*".repeat(key.length - 9)}${key.slice(-4)}`;
}
