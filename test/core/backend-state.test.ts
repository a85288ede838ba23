// A backend's rest for failures: counted in a row or in a window, or not at all.
import { describe, expect, test } from "bun:test";
import {
  type BackendState,
  createBackendState,
  noteFailure,
  proveBackend,
} from "../../src/core/backend-state.ts";
import type { Outcome } from "../../src/core/outcome.ts";
import type { CooldownPolicy, Rest } from "../../src/core/rest.ts";
import { openTrial } from "../../src/core/record.ts";
import { COOLDOWN } from "../support/slots.ts";

const FAILED: Outcome = { kind: "failed", status: 500, detail: "500 server error" };
const WINDOW: CooldownPolicy = { ...COOLDOWN, threshold: 3, windowMs: 60_000 };

function fail(
  state: BackendState,
  nowMs: number,
  policy: CooldownPolicy,
  outcome: Outcome = FAILED,
): readonly Rest[] {
  openTrial(state, nowMs);
  return noteFailure(state, { outcome, startedMs: nowMs, nowMs, random: 0, policy });
}

/** True for each failure that began a rest. */
const rests = (times: readonly number[], policy: CooldownPolicy): readonly boolean[] => {
  const state = createBackendState("b");
  return times.map((nowMs) => fail(state, nowMs, policy).length > 0);
};

describe("failures in a window", () => {
  test("begin a rest when so many fall into it, whatever succeeds between them", () => {
    const state = createBackendState("b");
    expect(fail(state, 0, WINDOW)).toEqual([]);
    proveBackend(state);
    expect(fail(state, 30_000, WINDOW)).toEqual([]);
    proveBackend(state);
    const [rest] = fail(state, 59_000, WINDOW);
    expect(rest).toMatchObject({ untilMs: 64_000, detail: "3 failures within 60 s, last: 500 server error" });
  });

  test("begin none while they stay apart", () => {
    expect(rests([0, 30_000, 60_000, 90_000, 120_000], WINDOW)).toEqual([false, false, false, false, false]);
    expect(rests([0, 30_000, 60_000, 89_000], WINDOW)).toEqual([false, false, false, true]);
  });

  test("begin a rest with the first where none is allowed", () => {
    expect(rests([0], { ...WINDOW, threshold: 1 })).toEqual([true]);
  });

  test("are forgotten when the rest that they led to is over", () => {
    const state = createBackendState("b");
    for (const nowMs of [0, 1000, 2000]) fail(state, nowMs, WINDOW);
    expect(state.rest?.untilMs).toBe(7000);
    openTrial(state, 7000);
    proveBackend(state);
    expect(state.rest).toBeUndefined();
    expect(fail(state, 8000, WINDOW)).toEqual([]);
    expect(fail(state, 9000, WINDOW)).toEqual([]);
    expect(fail(state, 10_000, WINDOW)).toHaveLength(1);
  });

  test("leave the rest due again, and longer, when the trial fails", () => {
    const state = createBackendState("b");
    for (const nowMs of [0, 1000, 2000]) fail(state, nowMs, WINDOW);
    expect(fail(state, 7000, WINDOW)[0]?.untilMs).toBe(17_000);
  });

  test("are never remembered beyond what a rest takes", () => {
    const state = createBackendState("b");
    for (let nowMs = 0; nowMs < 50; nowMs += 1) fail(state, nowMs, WINDOW);
    expect(state.failuresAtMs).toHaveLength(3);
  });

  test("count in a row again when a reload takes the window away", () => {
    const state = createBackendState("b");
    fail(state, 0, WINDOW);
    expect(fail(state, 1, { ...COOLDOWN, threshold: 3 })).toEqual([]);
    expect(state.failuresAtMs).toBeUndefined();
    expect(fail(state, 2, { ...COOLDOWN, threshold: 3 })[0]?.detail).toContain("3 failures in a row");
  });
});

describe("a backend that never rests", () => {
  const never: CooldownPolicy = { ...COOLDOWN, threshold: Number.POSITIVE_INFINITY };

  test("takes any number of failures, also those that ask for a pause", () => {
    const state = createBackendState("b");
    const asking: Outcome = {
      kind: "unavailable",
      status: 503,
      retryAfterMs: 9000,
      detail: "503 unavailable",
    };
    for (let nowMs = 0; nowMs < 20; nowMs += 1) {
      expect(fail(state, nowMs, never)).toEqual([]);
      expect(fail(state, nowMs, { ...never, windowMs: 1000 }, asking)).toEqual([]);
    }
    expect(state.rest).toBeUndefined();
    expect(state.failuresAtMs).toBeUndefined();
    expect(state.failuresInRow).toBe(40);
  });

  test("is back with the next failure when a reload says so during its rest", () => {
    const state = createBackendState("b");
    for (let nowMs = 0; nowMs < 3; nowMs += 1) fail(state, nowMs, COOLDOWN);
    expect(state.rest).toBeDefined();
    expect(fail(state, 10_000, never)).toEqual([]);
    expect(state.rest).toBeUndefined();
  });
});
