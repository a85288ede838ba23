// Anthropic's errors and rate-limit headers (resets in RFC 3339).
// Sources: https://platform.claude.com/docs/en/api/errors (types, request_id, the spend cap's 429 without
// retry-after) and https://platform.claude.com/docs/en/api/rate-limits (anthropic-ratelimit-* headers).
import { wholeSeconds } from "./form.ts";
import type { ErrorFacts, ErrorName, Form, Headers, LimitViews } from "./form.ts";

export const anthropicForm: Form = {
  name: "anthropic",
  error: (name, facts) => {
    const [status, type, message] = row(name, facts);
    const wait: Headers = name === "rate_limit" ? { "retry-after": wholeSeconds(facts.retryAfterMs) } : {};
    const details = name === "quota" ? { details: { error_code: "enforced_spend_limit_reached" } } : {};
    return {
      status,
      headers: { ...wait, "request-id": facts.requestId },
      body: { type: "error", error: { type, message, ...details }, request_id: facts.requestId },
    };
  },
  limitHeaders: (views: LimitViews, nowMs: number) => {
    const headers: Record<string, string> = {};
    const rows = [
      ["requests", views.requests ?? views.day],
      ["tokens", views.tokens],
      ["input-tokens", views.tokens],
    ] as const;
    for (const [name, view] of rows) {
      if (view === undefined) continue;
      headers[`anthropic-ratelimit-${name}-limit`] = String(view.limit);
      headers[`anthropic-ratelimit-${name}-remaining`] = String(
        name === "requests" ? view.remaining : roundTokens(view.remaining, view.limit),
      );
      headers[`anthropic-ratelimit-${name}-reset`] = rfc3339(nowMs + view.resetMs);
    }
    return headers;
  },
};

/** The page says "rounded to the nearest thousand"; with the small limits of tests that would say nothing. */
const roundTokens = (remaining: number, limit: number): number =>
  limit < 10_000 ? remaining : Math.min(limit, Math.round(remaining / 1000) * 1000);

const rfc3339 = (ms: number): string =>
  new Date(Math.ceil(ms / 1000) * 1000).toISOString().replace(".000Z", "Z");

function row(name: ErrorName, facts: ErrorFacts): readonly [status: number, type: string, message: string] {
  switch (name) {
    case "rate_limit": {
      const what = facts.hit?.name === "tokens" ? "input tokens" : "requests";
      return [
        429,
        "rate_limit_error",
        `This request would exceed your organization's rate limit of ${facts.hit?.limit ?? 50} ${what} per minute. For details, refer to: https://docs.claude.com/en/api/rate-limits. You can see the response headers for current usage.`,
      ];
    }
    case "quota":
      return [429, "rate_limit_error", "Your organization has reached its monthly spend limit."];
    case "billing":
      return [
        400,
        "invalid_request_error",
        "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.",
      ];
    case "auth":
      return [401, "authentication_error", "invalid x-api-key"];
    case "forbidden":
      return [
        403,
        "permission_error",
        "Your API key does not have permission to use the specified resource.",
      ];
    case "model_not_found":
      return [404, "not_found_error", `model: ${facts.model}`];
    case "not_found":
      return [404, "not_found_error", "Not found"];
    case "bad_request":
      return [400, "invalid_request_error", "The request body is not valid JSON."];
    case "context_length":
      return [
        400,
        "invalid_request_error",
        `prompt is too long: ${facts.promptTokens} tokens > ${facts.contextWindow} maximum`,
      ];
    case "content_filter":
      return [400, "invalid_request_error", "Output blocked by content filtering policy"];
    case "too_large":
      return [413, "request_too_large", "Request exceeds the maximum size"];
    case "unprocessable":
      return [422, "invalid_request_error", "The request was well formed but could not be followed."];
    case "server_error":
      return [500, "api_error", "Internal server error"];
    case "bad_gateway":
      return [502, "api_error", "Bad gateway"];
    case "unavailable":
      return [503, "api_error", "Service unavailable"];
    case "gateway_timeout":
      return [504, "timeout_error", "Request timed out"];
    case "overloaded":
      return [529, "overloaded_error", "Overloaded"];
  }
}
