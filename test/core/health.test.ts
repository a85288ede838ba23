import { describe, expect, test } from "bun:test";
import { nextHealth, UNPROBED } from "../../src/core/health.ts";
import { beginAttempt, noteAnswer, settleAttempt } from "../../src/core/state.ts";
import { noteProbe } from "../../src/core/backend-state.ts";
import { isResting } from "../../src/core/rest.ts";
import type { Slot } from "../../src/core/seams.ts";
import { COOLDOWN, makeBackend, makeSlot } from "../support/slots.ts";

const probe = (slot: Slot, good: boolean, nowMs: number) =>
  noteProbe(slot.state, { good, detail: "probe: no answer", nowMs, threshold: 3, dueMs: nowMs + 16_000 });

const request = (slot: Slot, kind: "success" | "failed", nowMs: number) => {
  beginAttempt(slot, nowMs);
  if (kind === "success") noteAnswer(slot, nowMs);
  return settleAttempt(slot, {
    outcome: { kind, detail: kind },
    startedMs: nowMs,
    nowMs: nowMs + 1,
    random: 0,
    policy: COOLDOWN,
  });
};

const engine = () => makeSlot(makeBackend("b", { kind: "engine" }));

describe("an engine's standing", () => {
  test("is unknown, and not at rest, until the first probe has ended", () => {
    const slot = engine();
    expect(slot.state.health).toEqual(UNPROBED);
    expect(isResting(slot.state.rest, 0)).toBe(false);
  });

  test("is up after one good probe, from anywhere", () => {
    for (const standing of ["unknown", "up", "down"] as const)
      expect(nextHealth({ standing, failures: 7 }, true, 3)).toEqual({ standing: "up", failures: 0 });
  });

  test("is down after three failures in a row once it was up, and not before", () => {
    const slot = engine();
    expect(probe(slot, true, 0)).toBe("came_up");
    expect(probe(slot, false, 1)).toBeUndefined();
    expect(probe(slot, false, 2)).toBeUndefined();
    expect(probe(slot, true, 3)).toBeUndefined();
    expect(probe(slot, false, 4)).toBeUndefined();
    expect(probe(slot, false, 5)).toBeUndefined();
    expect(isResting(slot.state.rest, 5)).toBe(false);
    expect(probe(slot, false, 6)).toBe("went_down");
    expect(slot.state.rest).toMatchObject({ cause: "down", detail: "probe: no answer", sinceMs: 6 });
  });

  test("is down after the first failure if it never was up", () => {
    const slot = engine();
    expect(probe(slot, false, 0)).toBe("went_down");
    expect(isResting(slot.state.rest, 1)).toBe(true);
  });
});

describe("a rest for being down", () => {
  test("is renewed by each failed probe, keeps its beginning, and ends with a good one", () => {
    const slot = engine();
    probe(slot, false, 0);
    expect(probe(slot, false, 5000)).toBeUndefined();
    expect(slot.state.rest).toMatchObject({ sinceMs: 0, untilMs: 21_000 });
    expect(probe(slot, true, 10_000)).toBe("came_up");
    expect(slot.state.rest).toBeUndefined();
  });

  test("outlives a request that was answered all the same", () => {
    const slot = engine();
    probe(slot, false, 0);
    request(slot, "success", 100);
    expect(slot.state.rest?.cause).toBe("down");
    expect(slot.state.failuresInRow).toBe(0);
  });

  test("that nobody renews runs out into one trial request at a time", () => {
    const slot = engine();
    probe(slot, false, 0);
    beginAttempt(slot, 16_001);
    expect(isResting(slot.state.rest, 16_002)).toBe(true);
    probe(slot, true, 16_003);
    expect(slot.state.rest).toBeUndefined();
  });

  test("ends no rest for failures: that comes back behind it with its own end", () => {
    const slot = engine();
    for (const nowMs of [0, 1, 2]) request(slot, "failed", nowMs);
    const before = slot.state.rest;
    expect(before).toMatchObject({ cause: "failures", untilMs: 5003 });
    probe(slot, false, 10);
    expect(slot.state.rest?.cause).toBe("down");
    probe(slot, true, 20);
    expect(slot.state.rest).toEqual(before);
    probe(slot, true, 30);
    expect(slot.state.rest).toEqual(before);
  });

  test("does not end before the rest for failures that it hides", () => {
    const slot = engine();
    for (const nowMs of [0, 1, 2]) request(slot, "failed", nowMs);
    noteProbe(slot.state, { good: false, detail: "x", nowMs: 3, threshold: 3, dueMs: 100 });
    expect(slot.state.rest).toMatchObject({ cause: "down", untilMs: 5003 });
  });

  test("forgets the failures behind it when a request is answered", () => {
    const slot = engine();
    for (const nowMs of [0, 1, 2]) request(slot, "failed", nowMs);
    probe(slot, false, 10);
    request(slot, "success", 11);
    expect(slot.state.rest?.cause).toBe("down");
    probe(slot, true, 20);
    expect(slot.state.rest).toBeUndefined();
  });

  test("that begins during a trial leaves the failures' rest due for another trial", () => {
    const slot = engine();
    for (const nowMs of [0, 1, 2]) request(slot, "failed", nowMs);
    beginAttempt(slot, 6000);
    expect(slot.state.rest?.onTrial).toBe(true);
    probe(slot, false, 6001);
    probe(slot, true, 6002);
    expect(slot.state.rest).toMatchObject({ cause: "failures", onTrial: false });
    expect(isResting(slot.state.rest, 6003)).toBe(false);
  });

  test("comes back in front when failures took its place", () => {
    const slot = engine();
    probe(slot, false, 0);
    beginAttempt(slot, 1);
    settleAttempt(slot, {
      outcome: { kind: "unavailable", detail: "503", retryAfterMs: 60_000 },
      startedMs: 1,
      nowMs: 2,
      random: 0,
      policy: COOLDOWN,
    });
    probe(slot, false, 5000);
    expect(slot.state.rest).toMatchObject({ cause: "down", untilMs: 60_002 });
    probe(slot, true, 6000);
    expect(slot.state.rest).toMatchObject({ cause: "failures", untilMs: 60_002 });
  });
});
