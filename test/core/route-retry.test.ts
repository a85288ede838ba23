// Which of a route's own numbers bounds the retries after an outcome.
import { expect, test } from "bun:test";
import type { Outcome } from "../../src/core/outcome.ts";
import { findRetryBound, type RouteRetry } from "../../src/core/route-retry.ts";

const EVERY: RouteRetry = {
  max: 99,
  timeouts: 1,
  rateLimits: 2,
  authentication: 3,
  serverErrors: 4,
  unavailable: 5,
  badRequests: 6,
  contentPolicy: 7,
};

test.each<[string, number | undefined, Omit<Outcome, "detail">]>([
  ["a time-out", 1, { kind: "failed", timedOut: true }],
  ["a time-out while connecting", 1, { kind: "unreachable", timedOut: true }],
  ["status 408", 1, { kind: "failed", status: 408 }],
  ["status 504", 1, { kind: "failed", status: 504 }],
  ["a rate limit", 2, { kind: "rate_limited", status: 429 }],
  ["a used-up quota", 2, { kind: "quota_exhausted", status: 429 }],
  ["a refused key", 3, { kind: "revoked", status: 401 }],
  ["status 500", 4, { kind: "failed", status: 500 }],
  ["status 503", 5, { kind: "unavailable", status: 503 }],
  ["status 400", 6, { kind: "rejected", status: 400 }],
  ["status 422", 6, { kind: "rejected", status: 422 }],
  ["a prompt that is too long", 6, { kind: "rejected", status: 400, cause: "context_window" }],
  ["refused content", 7, { kind: "rejected", status: 400, cause: "content_policy" }],
  ["a refused connection", undefined, { kind: "unreachable" }],
  ["a reset", undefined, { kind: "failed" }],
  ["a conflict", undefined, { kind: "failed", status: 409 }],
  ["status 404", undefined, { kind: "rejected", status: 404 }],
  ["a missing model", undefined, { kind: "model_not_found", status: 404 }],
  ["a success", undefined, { kind: "success", status: 200 }],
  ["a client that left", undefined, { kind: "abandoned" }],
])("%s is bounded by the number of its class: %p", (_, most, outcome) => {
  expect(findRetryBound(EVERY, { ...outcome, detail: "" })?.most).toBe(most as number);
});

test("a class without a number is left to the general rule", () => {
  expect(findRetryBound({ max: 5, timeouts: 1 }, { kind: "rate_limited", detail: "" })).toBeUndefined();
});

test("503 and 529 go by the number for server errors when they have none of their own", () => {
  const outcome: Outcome = { kind: "unavailable", status: 503, detail: "" };
  expect(findRetryBound({ serverErrors: 2 }, outcome)).toEqual({ name: "unavailable", most: 2 });
});
