// Status by what the body says, and whom it concerns; reliability.md 2.1.
import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import type { ErrorCause } from "../../src/core/error-cause.ts";
import { classifyAnswer, concernsBackend, concernsKey, type OutcomeKind } from "../../src/core/outcome.ts";

const kindOf = (status: number, cause?: ErrorCause): OutcomeKind =>
  classifyAnswer({ status, ...(cause === undefined ? {} : { error: { cause } }) }).kind;

describe("a status without a telling body", () => {
  test.each<[OutcomeKind, readonly number[]]>([
    ["success", [200, 201, 202, 204, 206, 304]],
    ["failed", [300, 301, 302, 303, 307, 308]],
    ["rejected", [400, 404, 405, 406, 410, 411, 413, 415, 418, 422, 424, 431, 451, 499]],
    ["revoked", [401, 403]],
    ["quota_exhausted", [402]],
    ["rate_limited", [429]],
    ["failed", [408, 409, 500, 501, 502, 504, 520, 522, 524, 599]],
    ["unavailable", [503, 529]],
  ])("means %s for %p", (kind, statuses) => {
    for (const status of statuses) expect(kindOf(status)).toBe(kind);
  });
});

describe("a status with a cause in its body", () => {
  test.each<[number, ErrorCause, OutcomeKind]>([
    [429, "quota", "quota_exhausted"],
    [429, "daily_quota", "quota_exhausted"],
    [429, "rate_limit", "rate_limited"],
    [429, "overloaded", "rate_limited"],
    [403, "quota", "quota_exhausted"],
    [403, "content_policy", "rejected"],
    [403, "model_not_found", "model_not_found"],
    [403, "revoked", "revoked"],
    [401, "revoked", "revoked"],
    [401, "quota", "quota_exhausted"],
    [404, "model_not_found", "model_not_found"],
    [400, "model_not_found", "rejected"],
    [400, "quota", "quota_exhausted"],
    [400, "revoked", "revoked"],
    [400, "context_window", "rejected"],
    [400, "content_policy", "rejected"],
    [413, "context_window", "rejected"],
    [422, "context_window", "rejected"],
    [500, "overloaded", "failed"],
    [500, "quota", "failed"],
    [503, "overloaded", "unavailable"],
    [529, "overloaded", "unavailable"],
    [402, "quota", "quota_exhausted"],
  ])("of %d and %s means %s", (status, cause, kind) => {
    expect(kindOf(status, cause)).toBe(kind);
  });

  test("of a success is none", () => {
    for (const cause of ["quota", "revoked", "model_not_found", "overloaded"] as const)
      expect(kindOf(200, cause)).toBe("success");
  });
});

describe("the wait", () => {
  test("of the headers wins over the body's", () => {
    expect(classifyAnswer({ status: 429, retryAfterMs: 7000, error: { retryDelayMs: 1 } }).retryAfterMs).toBe(
      7000,
    );
    expect(classifyAnswer({ status: 429, error: { retryDelayMs: 37_500 } }).retryAfterMs).toBe(37_500);
    expect(classifyAnswer({ status: 429, retryAfterMs: 0 }).retryAfterMs).toBe(0);
    expect(classifyAnswer({ status: 429 })).not.toHaveProperty("retryAfterMs");
  });

  test("beside a daily quota counts for nothing", () => {
    const told = classifyAnswer({
      status: 429,
      retryAfterMs: 7000,
      error: { cause: "daily_quota", retryDelayMs: 5 },
    });
    expect(told).not.toHaveProperty("retryAfterMs");
  });
});

test("every status has an outcome that names it, and concerns key, backend or neither", () => {
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 999 }), (status) => {
      const told = classifyAnswer({ status });
      expect(told.status).toBe(status);
      expect(told.detail).toStartWith(`${status} `);
      expect(concernsKey(told.kind) && concernsBackend(told.kind)).toBe(false);
    }),
  );
});

test("outcomes concern whom they should", () => {
  const all: readonly OutcomeKind[] = [
    "success",
    "rate_limited",
    "quota_exhausted",
    "revoked",
    "model_not_found",
    "rejected",
    "unreachable",
    "unavailable",
    "failed",
    "abandoned",
  ];
  expect(all.filter(concernsKey)).toEqual(["rate_limited", "quota_exhausted", "revoked"]);
  expect(all.filter(concernsBackend)).toEqual(["unreachable", "unavailable", "failed"]);
});
