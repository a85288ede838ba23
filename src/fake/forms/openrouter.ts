// OpenRouter's errors: the code is the status as a number, and the limits stand in the error's metadata.
// Sources: https://openrouter.ai/docs/api-reference/errors, https://openrouter.ai/docs/api-reference/limits and a
// recorded answer in https://github.com/Gitlawb/openclaude/issues/936 (X-RateLimit-Reset is epoch milliseconds).
import { wholeSeconds } from "./form.ts";
import type { ErrorFacts, ErrorName, Form, Headers } from "./form.ts";

export const openrouterForm: Form = {
  name: "openrouter",
  error: (name, facts) => {
    const [code, message] = row(name, facts);
    if (name !== "rate_limit") {
      return { status: code, headers: {}, body: { error: { message, code }, user_id: "user_fake" } };
    }
    const headers: Headers = {
      "X-RateLimit-Limit": String(facts.hit?.limit ?? 20),
      "X-RateLimit-Remaining": "0",
      "X-RateLimit-Reset": String(Math.ceil(facts.nowMs + facts.retryAfterMs)),
    };
    return {
      status: code,
      headers: { ...headers, "retry-after": wholeSeconds(facts.retryAfterMs) },
      body: {
        error: { message, code, metadata: { headers, provider_name: null } },
        user_id: "user_fake",
      },
    };
  },
  limitHeaders: (views, nowMs) => {
    const view = views.requests ?? views.day;
    if (view === undefined) return {};
    return {
      "X-RateLimit-Limit": String(view.limit),
      "X-RateLimit-Remaining": String(view.remaining),
      "X-RateLimit-Reset": String(Math.ceil(nowMs + view.resetMs)),
    };
  },
};

function row(name: ErrorName, facts: ErrorFacts): readonly [code: number, message: string] {
  switch (name) {
    case "rate_limit":
      return [
        429,
        facts.hit?.name === "day"
          ? "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day"
          : "Rate limit exceeded: free-models-per-min. ",
      ];
    case "quota":
    case "billing":
      return [402, "Insufficient credits. Add more using https://openrouter.ai/settings/credits"];
    case "auth":
      return [401, facts.key === "" ? "No auth credentials found" : "User not found."];
    case "forbidden":
      return [403, "Your input was flagged by moderation."];
    case "model_not_found":
      return [404, `No endpoints found for ${facts.model}.`];
    case "not_found":
      return [404, "Not Found"];
    case "bad_request":
      return [400, 'Input required: specify "prompt" or "messages"'];
    case "context_length":
      return [
        400,
        `This endpoint's maximum context length is ${facts.contextWindow} tokens. However, you requested about ${facts.promptTokens} tokens.`,
      ];
    case "content_filter":
      return [403, "The request was flagged by the content filter of the provider."];
    case "too_large":
      return [413, "Request Entity Too Large"];
    case "unprocessable":
      return [422, "Provider could not follow the request."];
    case "server_error":
      return [500, "Internal Server Error"];
    case "bad_gateway":
      return [502, "Provider returned error"];
    case "unavailable":
    case "overloaded":
      return [503, "No instances available"];
    case "gateway_timeout":
      return [504, "Provider timed out"];
  }
}
