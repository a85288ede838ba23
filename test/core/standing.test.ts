import { expect, test } from "bun:test";
import { nextSnapshot } from "../../src/core/pool.ts";
import type { Rest, RestCause } from "../../src/core/rest.ts";
import type { Slot } from "../../src/core/seams.ts";
import { backendStanding, findServing, keyStanding } from "../../src/core/standing.ts";
import { makeBackend, makeSlot, makeSpec } from "../support/slots.ts";

const restOf = (cause: RestCause, fields: Partial<Rest> = {}): Rest => ({
  cause,
  detail: "429 rate limit",
  sinceMs: 0,
  untilMs: 12_000,
  onTrial: false,
  ...fields,
});

function slotWith(fields: { key?: Rest; own?: Rest; attempts?: number }): Slot {
  const slot = makeSlot(makeBackend("a"));
  return {
    ...slot,
    state: {
      ...slot.state,
      attempts: fields.attempts ?? 1,
      ...(fields.own === undefined ? {} : { rest: fields.own }),
    },
    keyState: { ...slot.keyState, ...(fields.key === undefined ? {} : { rest: fields.key }) },
  };
}

test("a backend whose key rests says for how long and why", () => {
  const slot = slotWith({ key: restOf("rate_limit") });
  expect(backendStanding(slot, true, 0)).toEqual({
    state: "resting",
    reason: "rests 12 s: 429 rate limit",
    cause: "rate_limit",
    untilMs: 12_000,
  });
  expect(backendStanding(slot, true, 500).reason).toBe("rests 12 s: 429 rate limit");
  expect(backendStanding(slot, true, 12_000)).toMatchObject({ state: "usable", reason: "" });
});

test("a rest that only a request can end is still told when its time is over", () => {
  const over = slotWith({ own: restOf("failures", { detail: "connection reset", untilMs: 5 }) });
  expect(backendStanding(over, true, 10)).toMatchObject({
    state: "usable",
    reason: "is tried again after: connection reset",
  });
  const tried = slotWith({
    own: restOf("failures", { detail: "connection reset", untilMs: 5, onTrial: true }),
  });
  expect(backendStanding(tried, true, 10)).toMatchObject({
    state: "resting",
    reason: "one request tries it: connection reset",
    untilMs: null,
  });
});

test("an engine that probes found down is down, and nobody knows until when", () => {
  const slot = slotWith({ own: restOf("down", { detail: "connection refused" }) });
  expect(backendStanding(slot, true, 0)).toMatchObject({
    state: "down",
    reason: "down: connection refused",
    untilMs: null,
  });
});

test("a backend without attempts is untried, one behind no route is drained", () => {
  expect(backendStanding(slotWith({ attempts: 0 }), true, 0).state).toBe("untried");
  expect(backendStanding(slotWith({ key: restOf("quota") }), false, 0).state).toBe("drained");
});

test("a backend at a limit says which, and when it is free", () => {
  const spec = makeSpec({ p: { backends: [makeBackend("a", { limits: { requestsPerMinute: 1 } })] } });
  const [slot] = nextSnapshot(undefined, spec).slots;
  if (slot === undefined) throw new Error("no slot");
  slot.state.limits?.acquire(1000, 0);
  expect(backendStanding(slot, true, 2000)).toEqual({
    state: "limited",
    reason: "rpm limit of the backend is reached, free in 59 s",
    cause: null,
    untilMs: 61_000,
  });
});

test("a key's own word does not depend on its backends' failures", () => {
  const { keyState } = slotWith({ own: restOf("failures") });
  expect(keyStanding(keyState, { isServing: true, isUsed: true }, 0).state).toBe("usable");
  expect(keyStanding(keyState, { isServing: true, isUsed: false }, 0).state).toBe("untried");
});

test("only backends in a level of some route serve", () => {
  const spec = makeSpec({ p: { backends: [makeBackend("on"), makeBackend("off", { weight: 0 })] } });
  expect([...findServing(nextSnapshot(undefined, spec))]).toEqual(["on"]);
});
