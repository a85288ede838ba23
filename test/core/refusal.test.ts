// What weir says itself: shapes of the three families, honest waits, and when an SDK must not try again.
import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import type { Family } from "../../src/core/backend.ts";
import {
  errorEvent,
  type Refusal,
  refusalBody,
  refuseTags,
  refuseUnknownModel,
  refuseUnusable,
  waitHeaders,
} from "../../src/core/refusal.ts";

const refusal = (status: number, fields: Partial<Refusal> = {}): Refusal => ({
  status,
  code: "c",
  message: "m",
  ...fields,
});
const body = (family: Family, status: number, fields?: Partial<Refusal>): unknown =>
  JSON.parse(refusalBody(family, refusal(status, fields)));

describe("an error of weir's", () => {
  test("has OpenAI's shape", () => {
    expect(body("openai", 404, { param: "model" })).toEqual({
      error: { message: "m", type: "invalid_request_error", code: "c", param: "model" },
    });
    const typeOf = (status: number) =>
      (body("openai", status) as { error: { type: string; param: unknown } }).error;
    expect(typeOf(400)).toMatchObject({ type: "invalid_request_error", param: null });
    expect(typeOf(401).type).toBe("authentication_error");
    expect(typeOf(403).type).toBe("permission_error");
    expect(typeOf(429).type).toBe("rate_limit_error");
    for (const status of [500, 502, 503, 504, 508]) expect(typeOf(status).type).toBe("server_error");
  });

  test("has Anthropic's shape", () => {
    expect(body("anthropic", 429)).toEqual({
      type: "error",
      error: { type: "rate_limit_error", message: "m", code: "c" },
    });
    const typeOf = (status: number) => (body("anthropic", status) as { error: { type: string } }).error.type;
    expect([400, 401, 403, 404, 405, 413, 421, 500, 502, 503, 508, 529].map(typeOf)).toEqual([
      "invalid_request_error",
      "authentication_error",
      "permission_error",
      "not_found_error",
      "invalid_request_error",
      "request_too_large",
      "invalid_request_error",
      "api_error",
      "api_error",
      "overloaded_error",
      "api_error",
      "overloaded_error",
    ]);
  });

  test("has Google's shape", () => {
    expect(body("gemini", 404)).toEqual({ error: { code: 404, message: "m", status: "NOT_FOUND" } });
    const statusOf = (status: number) =>
      (body("gemini", status) as { error: { status: string } }).error.status;
    expect([400, 401, 403, 413, 429, 500, 502, 503, 504].map(statusOf)).toEqual([
      "INVALID_ARGUMENT",
      "UNAUTHENTICATED",
      "PERMISSION_DENIED",
      "INVALID_ARGUMENT",
      "RESOURCE_EXHAUSTED",
      "INTERNAL",
      "UNAVAILABLE",
      "UNAVAILABLE",
      "DEADLINE_EXCEEDED",
    ]);
  });

  test("quotes any text as JSON", () => {
    fc.assert(
      fc.property(
        fc.constantFrom<Family>("openai", "anthropic", "gemini"),
        fc.string({ unit: "binary" }),
        (family, message) => {
          const parsed = JSON.parse(refusalBody(family, refusal(400, { message }))) as {
            error: { message: string };
          };
          expect(parsed.error.message).toBe(message);
        },
      ),
    );
  });
});

const told = (ms: number | undefined, final = false) => Object.fromEntries(waitHeaders(ms, final));

describe("a wait", () => {
  test("is told in whole seconds, rounded up, at least one", () => {
    expect(told(undefined)).toEqual({});
    for (const [ms, seconds] of [
      [0, "1"],
      [1, "1"],
      [1000, "1"],
      [1001, "2"],
      [6999.5, "7"],
      [30_000, "30"],
    ] as const)
      expect(told(ms)).toEqual({ "retry-after": seconds });
  });

  test("of more than 30 s is not for an SDK to sit out", () => {
    expect(told(30_001)).toEqual({ "retry-after": "31", "x-should-retry": "false" });
    expect(told(3_600_000)).toEqual({ "retry-after": "3600", "x-should-retry": "false" });
  });

  test("of a final refusal neither", () => {
    expect(told(undefined, true)).toEqual({ "x-should-retry": "false" });
    expect(told(5, true)).toEqual({ "retry-after": "1", "x-should-retry": "false" });
  });
});

describe("a route without a usable slot", () => {
  test.each([
    ["limited", 429, "rate_limit_exceeded", undefined],
    ["quota", 429, "insufficient_quota", true],
    ["revoked", 503, "no_usable_key", true],
    ["down", 503, "no_backend_available", undefined],
  ] as const)("answers %s with %d", (kind, status, code, final) => {
    const told = refuseUnusable({ kind, soonestMs: 1500 }, "m");
    expect(told).toMatchObject({ status, code, retryAfterMs: 1500 });
    expect(told.final).toBe(final as boolean);
    expect(refuseUnusable({ kind }, "m")).not.toHaveProperty("retryAfterMs");
  });

  test("answers a model that nobody serves with 404", () => {
    expect(refuseUnusable({ kind: "unserved" }, "m")).toMatchObject({
      status: 404,
      code: "model_not_found",
      param: "model",
    });
  });
});

describe("an unknown model", () => {
  test("is told with near names", () => {
    expect(refuseUnknownModel("gpt4", [])).toMatchObject({
      status: 404,
      code: "model_not_found",
      param: "model",
    });
    expect(refuseUnknownModel("gpt4", []).message).not.toContain("did you mean");
    expect(refuseUnknownModel("gpt4", ["gpt-4", "gpt-4o"]).message).toContain(
      'did you mean "gpt-4", "gpt-4o"?',
    );
  });

  test("is echoed at no great length", () => {
    expect(refuseUnknownModel("x".repeat(10_000), []).message.length).toBeLessThan(200);
    expect(refuseUnusable({ kind: "unserved" }, "x".repeat(10_000)).message.length).toBeLessThan(250);
  });
});

const lines = (family: Family) => errorEvent(family, 'cut "off"\nhere').split("\n");

describe("the event that ends a broken stream", () => {
  test("is one event of two lines that both SDKs raise on", () => {
    for (const family of ["openai", "anthropic"] as const) {
      const [event, data, ...end] = lines(family);
      expect(event).toBe("event: error");
      expect(end).toEqual(["", ""]);
      expect(JSON.parse(data?.slice("data: ".length) ?? "")).toEqual({
        type: "error",
        error: { type: "api_error", message: 'cut "off"\nhere', code: "upstream_disconnected", param: null },
      });
    }
  });

  test("is plain data with a code for Google's", () => {
    const [data, ...end] = lines("gemini");
    expect(end).toEqual(["", ""]);
    expect(JSON.parse(data?.slice("data: ".length) ?? "")).toEqual({
      error: { code: 502, message: 'cut "off"\nhere', status: "UNAVAILABLE" },
    });
  });
});

test("tags that no backend has are named, at no great length", () => {
  const refusal = refuseTags("chat", ["paid", "eu"]);
  expect(refusal).toMatchObject({ status: 400, code: "no_matching_tags" });
  expect(refusal.message).toBe(
    'no backend of "chat" has the tags "paid", "eu", and none is tagged "default"',
  );
  expect(refuseTags("chat", ["x".repeat(10_000)]).message.length).toBeLessThan(300);
});
