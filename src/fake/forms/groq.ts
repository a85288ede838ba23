// Groq's errors and rate-limit headers. Its "requests" headers always mean the day, its "tokens" headers the minute,
// and retry-after comes only with a 429.
// Sources: https://console.groq.com/docs/rate-limits, https://console.groq.com/docs/errors and a recorded answer in
// https://github.com/continuedev/continue/issues/10920.
import { goDuration, wholeSeconds } from "./form.ts";
import { openaiForm } from "./openai.ts";
import type { ErrorFacts, Form, FormError, Headers, LimitName } from "./form.ts";

const WINDOWS: Record<LimitName, string> = {
  requests: "requests per minute (RPM)",
  tokens: "tokens per minute (TPM)",
  day: "requests per day (RPD)",
};

export const groqForm: Form = {
  name: "groq",
  error: (name, facts): FormError => {
    const headers: Headers = { "x-request-id": facts.requestId };
    if (name === "rate_limit") {
      return {
        status: 429,
        headers: { ...headers, "retry-after": wholeSeconds(facts.retryAfterMs) },
        body: {
          error: {
            message: limitMessage(facts),
            type: facts.hit?.name === "tokens" ? "tokens" : "requests",
            code: "rate_limit_exceeded",
          },
        },
      };
    }
    if (name === "auth") {
      const error = { message: "Invalid API Key", type: "invalid_request_error", code: "invalid_api_key" };
      return { status: 401, headers, body: { error } };
    }
    if (name === "overloaded") {
      const error = {
        message: "Service is over capacity, please try again later.",
        type: "internal_server_error",
      };
      return { status: 498, headers, body: { error } };
    }
    return openaiForm.error(name, facts);
  },
  limitHeaders: (views) => {
    const headers: Record<string, string> = {};
    for (const [name, view] of [
      ["requests", views.day ?? views.requests],
      ["tokens", views.tokens],
    ] as const) {
      if (view === undefined) continue;
      headers[`x-ratelimit-limit-${name}`] = String(view.limit);
      headers[`x-ratelimit-remaining-${name}`] = String(view.remaining);
      headers[`x-ratelimit-reset-${name}`] = goDuration(view.resetMs);
    }
    return headers;
  },
};

function limitMessage(facts: ErrorFacts): string {
  const hit = facts.hit ?? { name: "requests" as const, limit: 30, used: 30, requested: 1 };
  return `Rate limit reached for model \`${facts.model}\` in organization \`org_fake\` service tier \`on_demand\` on ${WINDOWS[hit.name]}: Limit ${hit.limit}, Used ${hit.used}, Requested ${hit.requested}. Please try again in ${goDuration(facts.retryAfterMs)}. Need more tokens? Upgrade to Dev Tier today at https://console.groq.com/settings/billing`;
}
