import { expect, test } from "bun:test";
import type { RequestFinished } from "../../src/core/event.ts";
import { requestOutcome } from "../../src/core/request-outcome.ts";
import type { OutcomeKind } from "../../src/core/outcome.ts";
import type { RequestOutcome } from "../../src/core/status.ts";

const CASES: readonly (readonly [number, number, RequestFinished["ending"], RequestOutcome])[] = [
  [200, 1, "complete", "succeeded"],
  [304, 2, "complete", "succeeded"],
  [400, 1, "complete", "rejected"],
  [404, 0, "complete", "rejected"],
  [422, 3, "complete", "rejected"],
  [429, 0, "complete", "refused"],
  [503, 0, "complete", "refused"],
  [429, 4, "complete", "failed"],
  [401, 1, "complete", "failed"],
  [502, 3, "complete", "failed"],
  [200, 1, "broken", "failed"],
  [499, 1, "abandoned", "abandoned"],
  [200, 1, "abandoned", "abandoned"],
];

for (const [status, attempts, ending, expected] of CASES)
  test(`a request with status ${status} after ${attempts} attempts, ${ending}, counts as ${expected}`, () => {
    expect(requestOutcome({ status, attempts, ending })).toBe(expected);
  });

test("an upload that the caller did not finish is the caller's mistake, an upstream's own time-out is not", () => {
  const late = { status: 408, attempts: 1, ending: "complete" } as const;
  expect(requestOutcome({ ...late, code: "request_timeout" })).toBe("rejected");
  expect(requestOutcome(late)).toBe("failed");
});

/** Status, what the last attempt came to, what it counts as. */
const TOLD: readonly (readonly [number, OutcomeKind, RequestOutcome])[] = [
  [200, "success", "succeeded"],
  [200, "failed", "failed"],
  [200, "rate_limited", "failed"],
  [200, "rejected", "rejected"],
  [307, "failed", "failed"],
  [400, "rejected", "rejected"],
  [400, "quota_exhausted", "failed"],
  [403, "rejected", "rejected"],
  [403, "revoked", "failed"],
  [404, "model_not_found", "rejected"],
];

for (const [status, last, expected] of TOLD)
  test(`an answer with status ${status} that meant ${last} counts as ${expected}`, () => {
    expect(requestOutcome({ status, attempts: 1, last, ending: "complete" })).toBe(expected);
  });

test("what weir itself answered counts by its status, whatever the attempt before came to", () => {
  const refused = { attempts: 1, ending: "complete" } as const;
  expect(requestOutcome({ ...refused, status: 502, code: "upstream_failed", last: "unreachable" })).toBe(
    "failed",
  );
  expect(requestOutcome({ ...refused, status: 408, code: "request_timeout", last: "abandoned" })).toBe(
    "rejected",
  );
});
