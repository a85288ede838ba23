// The slot for the next attempt: by level, untried first, marks as a preference, health ignored when it must be.
import { describe, expect, test } from "bun:test";
import { chooseSlot, firstUsable, hasUntried, type Request } from "../../src/core/choose.ts";
import { nextSnapshot } from "../../src/core/pool.ts";
import type { Route } from "../../src/core/route.ts";
import { beginAttempt, settleAttempt } from "../../src/core/state.ts";
import type { OutcomeKind } from "../../src/core/outcome.ts";
import type { Slot } from "../../src/core/seams.ts";
import { COOLDOWN, makeBackend, makeSpec } from "../support/slots.ts";

type Rows = readonly (readonly [
  id: string,
  fields?: { weight?: number; priority?: number; models?: readonly string[] },
])[];

function routeOf(rows: Rows): Route {
  const backends = rows.map(([id, fields]) => makeBackend(id, fields));
  const route = nextSnapshot(undefined, makeSpec({ p: { backends } })).providers[0]?.route;
  if (route === undefined) throw new Error("no route");
  return route;
}

const request = (tried: readonly string[] = [], nowMs = 0): Request => ({
  wanted: { family: "openai", model: "m", listed: false, estimatedTokens: 0, nowMs },
  tried: new Set(tried),
  random: () => 0,
});
const chosen = (route: Route, tried: readonly string[] = [], nowMs = 0): string | undefined =>
  chooseSlot(route, request(tried, nowMs))?.backend.id;

function suffer(route: Route, id: string, kind: OutcomeKind, times = 1): void {
  const slot = route.slots.find(({ backend }) => backend.id === id) as Slot;
  for (let at = 0; at < times; at += 1) {
    beginAttempt(slot, 0);
    settleAttempt(slot, {
      outcome: { kind, detail: kind },
      startedMs: 0,
      nowMs: 0,
      random: 0,
      policy: COOLDOWN,
      model: "m",
    });
  }
}

describe("the choice", () => {
  test("stays on the first level while that has a usable slot", () => {
    const route = routeOf([["c", { priority: 2 }], ["a"], ["b"], ["d", { priority: 5 }]]);
    expect(chosen(route)).toBe("a");
    expect(chosen(route, ["a"])).toBe("b");
    expect(chosen(route, ["a", "b"])).toBe("c");
    expect(chosen(route, ["a", "b", "c"])).toBe("d");
    expect(chosen(route, ["a", "b", "c", "d"])).toBeUndefined();
    suffer(route, "a", "rate_limited");
    suffer(route, "b", "revoked");
    expect(chosen(route)).toBe("c");
    expect(chosen(route, [], 5000)).toBe("a");
  });

  test("passes over drained slots and other models' slots", () => {
    expect(chosen(routeOf([["a", { weight: 0 }], ["b"]]))).toBe("b");
    expect(chosen(routeOf([["a", { weight: 0 }], ["b"]]), ["b"])).toBeUndefined();
    expect(
      chosen(
        routeOf([
          ["a", { models: ["x"] }],
          ["b", { priority: 3 }],
        ]),
      ),
    ).toBe("b");
  });

  test("prefers keys that were not refused the model, but asks the others when nobody else is left", () => {
    const route = routeOf([["a"], ["b", { priority: 1 }]]);
    suffer(route, "a", "model_not_found");
    expect(chosen(route)).toBe("b");
    expect(chosen(route, ["b"])).toBe("a");
    suffer(route, "b", "model_not_found");
    expect(chosen(route)).toBe("a");
    expect(chosen(route, ["a"])).toBe("b");
    suffer(route, "a", "revoked");
    expect(chosen(route)).toBe("b");
  });

  test("ignores health when more than half of the route rests for it, never a key's cause", () => {
    const route = routeOf([["a"], ["b"], ["c"]]);
    suffer(route, "a", "failed", 3);
    expect(chosen(route, ["b", "c"])).toBeUndefined();
    suffer(route, "b", "failed", 3);
    expect(chosen(route, ["b", "c"])).toBe("a");
    suffer(route, "a", "quota_exhausted");
    expect(chosen(route, ["b", "c"])).toBeUndefined();
  });

  test("of a lone backend ignores its health", () => {
    const route = routeOf([["a"]]);
    suffer(route, "a", "unreachable", 10);
    expect(chosen(route)).toBe("a");
    suffer(route, "a", "rate_limited");
    expect(chosen(route)).toBeUndefined();
  });

  test("lets one request through when a rest is due, and the others when that was good", () => {
    const route = routeOf([["a"], ["b"]]);
    suffer(route, "a", "failed", 3);
    const slot = chooseSlot(route, request(["b"], 5000));
    expect(slot?.backend.id).toBe("a");
    beginAttempt(slot as Slot, 5000);
    expect(chosen(route, ["b"], 5001)).toBeUndefined();
    const outcome = { kind: "success", detail: "" } as const;
    settleAttempt(slot as Slot, { outcome, startedMs: 5000, nowMs: 5002, random: 0, policy: COOLDOWN });
    expect(chosen(route, ["b"], 5002)).toBe("a");
  });
});

describe("the question for an untried slot", () => {
  test("counts those of all levels that may be used", () => {
    const route = routeOf([["a"], ["b", { priority: 1 }], ["c", { weight: 0 }]]);
    expect(hasUntried(route, request())).toBe(true);
    expect(hasUntried(route, request(["a"]))).toBe(true);
    expect(hasUntried(route, request(["a", "b"]))).toBe(false);
    suffer(route, "b", "rate_limited");
    expect(hasUntried(route, request(["a"]))).toBe(false);
    expect(hasUntried(route, request(["a"], 5000))).toBe(true);
  });

  test("does not count keys that were refused the model", () => {
    const route = routeOf([["a"], ["b"]]);
    suffer(route, "b", "model_not_found");
    expect(hasUntried(route, request(["a"]))).toBe(false);
  });
});

describe("the first usable slot", () => {
  test("is the first in order, whatever its use, priority and marks", () => {
    const route = routeOf([["a", { priority: 9 }], ["b"]]);
    suffer(route, "a", "success", 50);
    suffer(route, "a", "model_not_found");
    expect(firstUsable(route, request())?.backend.id).toBe("a");
    expect(firstUsable(route, request(["a"]))?.backend.id).toBe("b");
    suffer(route, "a", "revoked");
    expect(firstUsable(route, request())?.backend.id).toBe("b");
  });
});

test("the first usable slot is no drained one, unless all are", () => {
  expect(firstUsable(routeOf([["a", { weight: 0 }], ["b"]]), request())?.backend.id).toBe("b");
  expect(
    firstUsable(
      routeOf([
        ["a", { weight: 0 }],
        ["b", { weight: 0 }],
      ]),
      request(),
    )?.backend.id,
  ).toBe("a");
});
