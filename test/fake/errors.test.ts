// The errors of each provider, by their meaning, and the limits of keys with chosen time.
import { afterAll, expect, test } from "bun:test";
import { FORM_NAMES } from "../../src/fake/forms/form.ts";
import { startFake } from "../../src/fake/server.ts";
import { chatBody } from "./raw.ts";
import type { ErrorName, FormName } from "../../src/fake/forms/form.ts";

let clockMs = Date.UTC(2026, 0, 1);
const fake = startFake({ now: () => clockMs });
afterAll(() => fake.stop());

interface Call {
  readonly key?: string;
  readonly fake?: unknown;
  readonly path?: string;
  readonly body?: unknown;
}

async function call({ key = "sk-a", fake: action, path = "/v1/chat/completions", body }: Call = {}) {
  const answer = await fetch(fake.url + path, {
    method: "POST",
    headers: {
      authorization: `Bearer ${key}`,
      ...(action !== undefined && { "x-fake": JSON.stringify(action) }),
    },
    body: JSON.stringify(body ?? chatBody({ max_tokens: 1 })),
  });
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as never };
}

const expected: Record<FormName, Partial<Record<ErrorName, [status: number, body: object]>>> = {
  openai: {
    rate_limit: [429, { error: { type: "requests", code: "rate_limit_exceeded" } }],
    quota: [429, { error: { type: "insufficient_quota", code: "insufficient_quota" } }],
    auth: [401, { error: { code: "invalid_api_key" } }],
    model_not_found: [404, { error: { code: "model_not_found" } }],
    context_length: [400, { error: { code: "context_length_exceeded", param: "messages" } }],
    too_large: [413, { error: { type: "invalid_request_error" } }],
    unprocessable: [422, { error: { type: "invalid_request_error" } }],
    server_error: [500, { error: { type: "server_error" } }],
    bad_gateway: [502, { error: { type: "server_error" } }],
    overloaded: [503, { error: { type: "server_error" } }],
  },
  azure: {
    rate_limit: [429, { error: { code: "429" } }],
    quota: [429, { error: { code: "insufficient_quota" } }],
    auth: [401, { error: { code: "401" } }],
    model_not_found: [404, { error: { code: "DeploymentNotFound" } }],
  },
  anthropic: {
    rate_limit: [429, { type: "error", error: { type: "rate_limit_error" } }],
    quota: [
      429,
      { error: { type: "rate_limit_error", details: { error_code: "enforced_spend_limit_reached" } } },
    ],
    billing: [400, { error: { type: "invalid_request_error" } }],
    auth: [401, { error: { type: "authentication_error" } }],
    forbidden: [403, { error: { type: "permission_error" } }],
    model_not_found: [404, { error: { type: "not_found_error" } }],
    too_large: [413, { error: { type: "request_too_large" } }],
    overloaded: [529, { error: { type: "overloaded_error" } }],
  },
  gemini: {
    rate_limit: [429, { error: { code: 429, status: "RESOURCE_EXHAUSTED" } }],
    auth: [400, { error: { status: "INVALID_ARGUMENT", details: [{ reason: "API_KEY_INVALID" }] } }],
    model_not_found: [404, { error: { status: "NOT_FOUND" } }],
    overloaded: [503, { error: { status: "UNAVAILABLE" } }],
  },
  groq: {
    rate_limit: [429, { error: { type: "requests", code: "rate_limit_exceeded" } }],
    auth: [401, { error: { code: "invalid_api_key" } }],
    server_error: [500, { error: { type: "server_error" } }],
  },
  openrouter: {
    rate_limit: [429, { error: { code: 429, metadata: { headers: { "X-RateLimit-Remaining": "0" } } } }],
    quota: [402, { error: { code: 402 } }],
    auth: [401, { error: { code: 401 } }],
  },
};

for (const form of FORM_NAMES) {
  test(`the errors of ${form} have their provider's status and body`, async () => {
    for (const [error, [status, body]] of Object.entries(expected[form])) {
      const answer = await call({ fake: { error, form } });
      expect(answer.status).toBe(status);
      expect(answer.body).toMatchObject(body);
    }
  });
}

test("an error's form follows the path when nothing else says so", async () => {
  const shapes = [
    ["/v1/messages", { type: "error" }],
    ["/v1beta/models/gemini-2.5-flash:generateContent", { error: { status: "INTERNAL" } }],
    [
      "/openai/deployments/gpt/chat/completions?api-version=2024-10-21",
      { error: { code: "InternalServerError" } },
    ],
    ["/api/v1/chat/completions", { error: { type: "server_error" } }],
  ] as const;
  for (const [path, shape] of shapes) {
    expect((await call({ path, fake: { error: "server_error" } })).body).toMatchObject(shape);
  }
});

test("a bare status gets the body that goes with it, and an own body if one is given", async () => {
  expect((await call({ fake: 529 })).body).toMatchObject({ error: { type: "server_error" } });
  expect((await call({ fake: { status: 500, body: { oops: 1 } } })).body).toEqual({ oops: 1 } as never);
  const wait = await call({ fake: { error: "rate_limit", retry_after: "1500ms" } });
  expect(wait.headers.get("retry-after")).toBe("2");
  expect(wait.headers.get("retry-after-ms")).toBe("1500");
});

/** Uses one key's minute up and returns the refusal after ten seconds. */
async function refused(form: FormName, limits: object, path?: string) {
  clockMs += 3_600_000;
  fake.configure({ keys: { "sk-a": { ...limits, form } } });
  const first = await call({ ...(path !== undefined && { path }) });
  expect(first.status).toBe(200);
  clockMs += 10_000;
  return { first, refusal: await call({ ...(path !== undefined && { path }) }) };
}

test("an RPM limit refuses in OpenAI's form and admits again when the window has moved", async () => {
  const { first, refusal } = await refused("openai", { rpm: 1, tpm: 5000 });
  expect(first.headers.get("x-ratelimit-limit-requests")).toBe("1");
  expect(first.headers.get("x-ratelimit-remaining-requests")).toBe("0");
  expect(first.headers.get("x-ratelimit-reset-requests")).toBe("1m0s");
  expect(Number(first.headers.get("x-ratelimit-remaining-tokens"))).toBeLessThan(5000);
  expect(refusal.status).toBe(429);
  expect(refusal.headers.get("retry-after")).toBe("50");
  expect(refusal.headers.get("x-ratelimit-reset-requests")).toBe("50s");
  expect(refusal.body).toMatchObject({
    error: {
      type: "requests",
      code: "rate_limit_exceeded",
      message: expect.stringContaining("try again in 50s"),
    },
  });
  clockMs += 49_999;
  expect((await call()).status).toBe(429);
  clockMs += 1;
  expect((await call()).status).toBe(200);
});

test("a TPM limit counts the prompt and the answer", async () => {
  const prompt = Math.ceil(JSON.stringify(chatBody({ max_tokens: 1 })).length / 4);
  const { refusal } = await refused("openai", { tpm: 2 * prompt + 1 });
  expect(refusal.body).toMatchObject({
    error: {
      type: "tokens",
      message: expect.stringContaining(`Used ${prompt + 1}, Requested ${prompt + 1}.`),
    },
  });
});

test("an RPD limit holds for a day", async () => {
  const { refusal } = await refused("openai", { rpd: 1 });
  expect(refusal.headers.get("retry-after")).toBe(String(86_400 - 10));
  expect(refusal.headers.get("x-ratelimit-reset-requests")).toBe("23h59m50s");
});

test("a fixed window starts with its first use", async () => {
  clockMs += 3_600_000;
  fake.configure({ keys: { "sk-a": { rpm: 2, window: "fixed" } } });
  await call();
  clockMs += 50_000;
  await call();
  expect((await call()).headers.get("retry-after")).toBe("10");
  clockMs += 10_000;
  expect((await call()).status).toBe(200);
  expect((await call()).status).toBe(200);
});

test("Azure's refusal names its wait in seconds and milliseconds", async () => {
  const { refusal } = await refused("azure", { rpm: 1 });
  expect(refusal.headers.get("retry-after")).toBe("50");
  expect(refusal.headers.get("retry-after-ms")).toBe("50000");
  expect(refusal.headers.get("x-ratelimit-reset-requests")).toBe("50");
  expect(refusal.body).toMatchObject({
    error: { message: expect.stringContaining("retry after 50 seconds") },
  });
});

test("Anthropic's headers carry resets in RFC 3339, on success too", async () => {
  const { first, refusal } = await refused("anthropic", { rpm: 1, tpm: 50_000 }, "/v1/messages");
  const reset = new Date(clockMs + 50_000).toISOString().replace(".000Z", "Z");
  expect(first.headers.get("anthropic-ratelimit-requests-reset")).toBe(reset);
  expect(first.headers.get("anthropic-ratelimit-tokens-remaining")).toBe("50000");
  expect(refusal.headers.get("anthropic-ratelimit-requests-remaining")).toBe("0");
  expect(refusal.headers.get("retry-after")).toBe("50");
});

test("Gemini's refusal carries a retry delay and a quota id, and no headers", async () => {
  const path = "/v1beta/models/gemini-2.5-flash:generateContent";
  const { refusal } = await refused("gemini", { rpm: 1 }, path);
  const details = (refusal.body as { error: { details: Record<string, unknown>[] } }).error.details;
  expect(details.at(-1)).toMatchObject({ retryDelay: "50s" });
  expect(details[0]).toMatchObject({
    violations: [{ quotaId: "GenerateRequestsPerMinutePerProjectPerModel-FreeTier", quotaValue: "1" }],
  });
  const daily = await refused("gemini", { rpd: 1 }, path);
  expect(JSON.stringify(daily.refusal.body)).toContain("GenerateRequestsPerDayPerProjectPerModel-FreeTier");
});

test("Groq's request headers mean the day and its token headers the minute", async () => {
  const { first, refusal } = await refused("groq", { rpm: 1, rpd: 1000, tpm: 6000 });
  expect(first.headers.get("x-ratelimit-limit-requests")).toBe("1000");
  expect(first.headers.get("retry-after")).toBeNull();
  expect(refusal.headers.get("retry-after")).toBe("50");
});

test("OpenRouter's reset is in epoch milliseconds, in the body and the headers", async () => {
  const { refusal } = await refused("openrouter", { rpm: 1 });
  const reset = String(clockMs + 50_000);
  expect(refusal.headers.get("x-ratelimit-reset")).toBe(reset);
  expect(refusal.body).toMatchObject({ error: { metadata: { headers: { "X-RateLimit-Reset": reset } } } });
});

test("a key may be unknown, revoked, out of money or without the model", async () => {
  fake.configure({
    keys: {
      "sk-dead": { revoked: true },
      "sk-broke": { quota_exhausted: true },
      "sk-mini": { models: ["gpt-4o-mini", "o*"] },
    },
  });
  expect((await call({ key: "sk-who" })).status).toBe(401);
  expect((await call({ key: "sk-dead" })).status).toBe(401);
  expect((await call({ key: "sk-broke" })).body).toMatchObject({ error: { code: "insufficient_quota" } });
  expect((await call({ key: "sk-mini" })).body).toMatchObject({ error: { code: "model_not_found" } });
  expect((await call({ key: "sk-mini", body: chatBody({ model: "o3" }) })).status).toBe(200);
});

test("a context window bounds the prompt, and a list of models bounds the models", async () => {
  fake.configure({ context_window: 50, models: ["gpt-4o"] });
  const long = chatBody({ messages: [{ role: "user", content: "x".repeat(400) }] });
  expect((await call({ body: long })).body).toMatchObject({ error: { code: "context_length_exceeded" } });
  expect((await call({ body: chatBody({ model: "gpt-5" }) })).status).toBe(404);
  expect((await call()).status).toBe(200);
});

test("a request that is not JSON, or names no model, is refused", async () => {
  fake.configure({});
  const answer = await fetch(`${fake.url}/v1/chat/completions`, { method: "POST", body: "{nope" });
  expect(answer.status).toBe(400);
  expect((await call({ body: { messages: [] } })).status).toBe(400);
});
