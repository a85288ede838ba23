// Azure OpenAI's errors and rate-limit headers: codes are strings, resets are whole seconds.
// Sources: https://learn.microsoft.com/azure/ai-services/openai/how-to/quota (429, retry-after, retry-after-ms) and
// recorded answers in https://github.com/openai/openai-python/issues/937. Azure documents no form of its own for
// some errors; those carry OpenAI's code.
import { wholeSeconds } from "./form.ts";
import type { ErrorFacts, ErrorName, Form, Headers, LimitViews } from "./form.ts";

export const azureForm: Form = {
  name: "azure",
  error: (name, facts) => {
    const [status, code, message] = row(name, facts);
    const wait: Headers =
      name === "rate_limit"
        ? {
            "retry-after": wholeSeconds(facts.retryAfterMs),
            "retry-after-ms": String(Math.ceil(facts.retryAfterMs)),
            "policy-id":
              facts.hit?.name === "tokens" ? "DeploymentRatelimit-Token" : "DeploymentRatelimit-Call",
          }
        : {};
    return {
      status,
      headers: { ...wait, "apim-request-id": facts.requestId, "x-ms-region": "Fake Central" },
      body: { error: { code, message } },
    };
  },
  limitHeaders: (views: LimitViews) => {
    const headers: Record<string, string> = {};
    for (const [name, view] of [
      ["requests", views.requests ?? views.day],
      ["tokens", views.tokens],
    ] as const) {
      if (view === undefined) continue;
      headers[`x-ratelimit-limit-${name}`] = String(view.limit);
      headers[`x-ratelimit-remaining-${name}`] = String(view.remaining);
      headers[`x-ratelimit-reset-${name}`] = String(Math.ceil(view.resetMs / 1000));
    }
    return headers;
  },
};

function row(
  name: ErrorName,
  facts: ErrorFacts,
): readonly [status: number, code: string | null, message: string] {
  switch (name) {
    case "rate_limit": {
      const what = facts.hit?.name === "tokens" ? "token" : "call";
      const seconds = wholeSeconds(facts.retryAfterMs);
      return [
        429,
        "429",
        `Requests to the ChatCompletions_Create Operation under Azure OpenAI API version ${facts.apiVersion} have exceeded ${what} rate limit of your current OpenAI S0 pricing tier. Please retry after ${seconds} seconds. Please go here: https://aka.ms/oai/quotaincrease if you would like to further increase the default rate limit.`,
      ];
    }
    case "quota":
    case "billing":
      return [
        429,
        "insufficient_quota",
        "You exceeded your current quota, please check your plan and billing details.",
      ];
    case "auth":
      return [
        401,
        "401",
        "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.",
      ];
    case "forbidden":
      return [403, "403", "Access denied due to Virtual Network/Firewall rules."];
    case "model_not_found":
      return [
        404,
        "DeploymentNotFound",
        "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again.",
      ];
    case "not_found":
      return [404, "404", "Resource not found"];
    case "bad_request":
      return [400, "BadRequest", "The request body could not be parsed as JSON."];
    case "context_length":
      return [
        400,
        "context_length_exceeded",
        `This model's maximum context length is ${facts.contextWindow} tokens. However, your messages resulted in ${facts.promptTokens} tokens. Please reduce the length of the messages.`,
      ];
    case "content_filter":
      return [
        400,
        "content_filter",
        "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify your prompt and retry.",
      ];
    case "too_large":
      return [413, "RequestEntityTooLarge", "The request body is too large."];
    case "unprocessable":
      return [422, "UnprocessableEntity", "The request was well formed but could not be followed."];
    case "server_error":
      return [
        500,
        "InternalServerError",
        "The server had an error while processing your request. Sorry about that!",
      ];
    case "bad_gateway":
      return [502, "BadGateway", "Bad gateway."];
    case "unavailable":
    case "overloaded":
      return [503, "ServiceUnavailable", "The service is temporarily unable to process your request."];
    case "gateway_timeout":
      return [504, "GatewayTimeout", "The operation was timeout."];
  }
}
