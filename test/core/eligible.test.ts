// Who may take a request, when health is ignored, and what is told when nobody may.
import { describe, expect, test } from "bun:test";
import {
  explainNone,
  hindrance,
  ignoresHealth,
  soonestReturn,
  type Wanted,
} from "../../src/core/eligible.ts";
import { levelsOf, type Route } from "../../src/core/route.ts";
import type { RestCause } from "../../src/core/rest.ts";
import type { Slot } from "../../src/core/seams.ts";
import type { Backend } from "../../src/core/backend.ts";
import { createStrategy } from "../../src/core/strategy.ts";
import { makeBackend, makeSlot } from "../support/slots.ts";

const wanted: Wanted = {
  family: "openai",
  model: "m",
  listed: false,
  estimatedTokens: 0,
  nowMs: 1000,
  ignoreHealth: false,
  ignoreMarks: false,
};

interface Observed {
  readonly key?: readonly [RestCause, number];
  readonly health?: readonly [RestCause, number];
  readonly onTrial?: boolean;
  readonly marks?: readonly (readonly [string, number])[];
  readonly served?: readonly string[];
}

let count = 0;
function slotOf(
  fields: Partial<Backend> = {},
  { key, health, onTrial = false, marks = [], served }: Observed = {},
): Slot {
  count += 1;
  const slot = makeSlot(makeBackend(`b${count}`, fields));
  const rest = ([cause, untilMs]: readonly [RestCause, number]) => ({
    cause,
    detail: cause,
    untilMs,
    sinceMs: 0,
    onTrial,
  });
  return {
    backend: slot.backend,
    state: { ...slot.state, ...(health === undefined ? {} : { rest: rest(health) }) },
    keyState: {
      ...slot.keyState,
      refusedModels: new Map(marks),
      ...(key === undefined ? {} : { rest: rest(key) }),
    },
    ...(served === undefined ? {} : { served: new Set(served) }),
  };
}

const routeOf = (...slots: readonly Slot[]): Route => ({
  name: "r",
  strategy: createStrategy("least-used"),
  levels: levelsOf(slots),
  slots,
  tokenMean: {},
});

describe("a slot", () => {
  test("may take what it speaks and covers", () => {
    expect(hindrance(slotOf(), wanted)).toBeUndefined();
    expect(hindrance(slotOf(), { ...wanted, family: "gemini" })).toEqual({ kind: "family" });
    expect(hindrance(slotOf({ models: ["m*"] }), wanted)).toBeUndefined();
    expect(hindrance(slotOf({ models: ["x"] }), wanted)).toEqual({ kind: "model" });
    const { model: _, ...noModel } = wanted;
    expect(hindrance(slotOf({ models: ["x"] }), noModel)).toBeUndefined();
  });

  test("of an engine may take what it lists, once its list counts", () => {
    expect(hindrance(slotOf({}, { served: ["x"] }), wanted)).toBeUndefined();
    expect(hindrance(slotOf({}, { served: ["x"] }), { ...wanted, listed: true })).toEqual({ kind: "model" });
    expect(hindrance(slotOf({}, { served: ["m"] }), { ...wanted, listed: true })).toBeUndefined();
    expect(
      hindrance(slotOf({ upstreamModel: "x" }, { served: ["x"] }), { ...wanted, listed: true }),
    ).toBeUndefined();
    expect(hindrance(slotOf(), { ...wanted, listed: true })).toBeUndefined();
  });

  test("may not take a model that its key was refused, under its upstream name, until the mark ends", () => {
    const marked = slotOf({}, { marks: [["m", 1001]] });
    expect(hindrance(marked, wanted)).toEqual({ kind: "refused_model", untilMs: 1001 });
    expect(hindrance(marked, { ...wanted, nowMs: 1001 })).toBeUndefined();
    expect(hindrance(marked, { ...wanted, ignoreMarks: true })).toBeUndefined();
    expect(hindrance(marked, { ...wanted, model: "other" })).toBeUndefined();
    expect(hindrance(slotOf({ upstreamModel: "up" }, { marks: [["m", 2000]] }), wanted)).toBeUndefined();
    expect(hindrance(slotOf({ upstreamModel: "up" }, { marks: [["up", 2000]] }), wanted)?.kind).toBe(
      "refused_model",
    );
  });

  test("may take nothing while its key or it rests", () => {
    expect(hindrance(slotOf({}, { key: ["quota", 1001] }), wanted)).toEqual({
      kind: "rest",
      cause: "quota",
      detail: "quota",
      untilMs: 1001,
    });
    expect(hindrance(slotOf({}, { key: ["quota", 1000] }), wanted)).toBeUndefined();
    expect(hindrance(slotOf({}, { health: ["failures", 1001] }), wanted)).toMatchObject({
      cause: "failures",
    });
    expect(hindrance(slotOf({}, { health: ["failures", 1000] }), wanted)).toBeUndefined();
  });

  test("may take nothing while it is tried, which is expected to take a second", () => {
    expect(hindrance(slotOf({}, { key: ["revoked", 500], onTrial: true }), wanted)).toMatchObject({
      untilMs: 2000,
    });
  });

  test("may be used despite its health, never despite its key", () => {
    const ignoring = { ...wanted, ignoreHealth: true, ignoreMarks: true };
    expect(hindrance(slotOf({}, { health: ["failures", 9000] }), ignoring)).toBeUndefined();
    for (const cause of ["rate_limit", "quota", "revoked"] as const)
      expect(hindrance(slotOf({}, { key: [cause, 9000] }), ignoring)).toMatchObject({ kind: "rest", cause });
  });
});

const sick = () => slotOf({}, { health: ["failures", 9000] });
const revoked = () => slotOf({}, { key: ["revoked", 9000] });

describe("the health of a route", () => {
  test("is ignored when more than half of it rests", () => {
    expect(ignoresHealth(routeOf(sick()), 1000)).toBe(true);
    expect(ignoresHealth(routeOf(sick(), slotOf()), 1000)).toBe(false);
    expect(ignoresHealth(routeOf(sick(), sick(), slotOf()), 1000)).toBe(true);
    expect(ignoresHealth(routeOf(sick(), sick(), slotOf(), slotOf()), 1000)).toBe(false);
    expect(ignoresHealth(routeOf(sick(), sick(), slotOf()), 9000)).toBe(false);
    expect(ignoresHealth(routeOf(), 1000)).toBe(false);
  });

  test("does not count keys' causes", () => {
    expect(ignoresHealth(routeOf(revoked(), revoked(), revoked()), 1000)).toBe(false);
  });

  test("does not count drained slots", () => {
    const drained = () => slotOf({ weight: 0 });
    expect(ignoresHealth(routeOf(sick(), sick(), drained(), drained()), 1000)).toBe(true);
    expect(
      ignoresHealth(routeOf(sick(), slotOf(), slotOf({ weight: 0 }, { health: ["failures", 9000] })), 1000),
    ).toBe(false);
  });
});

describe("the explanation of a route without a usable slot", () => {
  test.each<[RestCause, string]>([
    ["rate_limit", "limited"],
    ["quota", "quota"],
    ["revoked", "revoked"],
  ])("tells the key's cause %s", (cause, kind) => {
    expect(explainNone(routeOf(slotOf({}, { key: [cause, 4000] })), wanted)).toEqual({
      kind,
      soonestMs: 3000,
    } as never);
  });

  test.each<[RestCause]>([["failures"], ["down"]])("tells the backend's cause %s", (cause) => {
    expect(explainNone(routeOf(slotOf({}, { health: [cause, 4000] })), wanted)).toEqual({
      kind: "down",
      soonestMs: 3000,
    });
  });

  test("tells the cause of the soonest to return", () => {
    const route = routeOf(
      slotOf({}, { key: ["revoked", 300_000] }),
      slotOf({}, { key: ["rate_limit", 6000] }),
      slotOf({}, { key: ["quota", 3_600_000] }),
      slotOf({}, { health: ["failures", 9000] }),
    );
    expect(explainNone(route, wanted)).toEqual({ kind: "limited", soonestMs: 5000 });
  });

  test("is that nobody serves it, when nobody is known to return", () => {
    expect(explainNone(routeOf(), wanted)).toEqual({ kind: "unserved" });
    expect(explainNone(routeOf(slotOf({ models: ["x"] })), wanted)).toEqual({ kind: "unserved" });
    expect(explainNone(routeOf(slotOf({}, { marks: [["m", 9000]] })), wanted)).toEqual({ kind: "unserved" });
    expect(explainNone(routeOf(slotOf({ models: ["x"] }, { key: ["quota", 5000] })), wanted)).toEqual({
      kind: "unserved",
    });
  });

  test("leaves drained slots out", () => {
    const route = routeOf(
      slotOf({}, { key: ["rate_limit", 60_000] }),
      slotOf({ weight: 0 }, { key: ["revoked", 2000] }),
    );
    expect(explainNone(route, wanted)).toEqual({ kind: "limited", soonestMs: 59_000 });
  });
});

describe("the soonest return", () => {
  test("is now when some slot may be used", () => {
    expect(soonestReturn(routeOf(slotOf({}, { key: ["quota", 9000] }), slotOf()), wanted)).toBe(0);
  });

  test("is the first end of a rest", () => {
    const route = routeOf(slotOf({}, { key: ["quota", 9000] }), slotOf({}, { health: ["failures", 3000] }));
    expect(soonestReturn(route, wanted)).toBe(2000);
    expect(soonestReturn(routeOf(slotOf({ models: ["x"] })), wanted)).toBeUndefined();
  });

  test("is not that of a drained slot", () => {
    expect(
      soonestReturn(routeOf(slotOf({}, { key: ["rate_limit", 61_000] }), slotOf({ weight: 0 })), wanted),
    ).toBe(60_000);
  });
});

describe("a tagged route", () => {
  const paid: Wanted = { ...wanted, tagRule: { tags: ["paid"], match: "any" } };

  test("hinders the backends that the request's tags leave out", () => {
    expect(hindrance(slotOf({ tags: ["paid"] }), paid)).toBeUndefined();
    expect(hindrance(slotOf({ tags: ["free"] }), paid)).toEqual({ kind: "tags" });
    expect(hindrance(slotOf(), paid)).toEqual({ kind: "tags" });
  });
});

describe("a route by pattern", () => {
  test("looks for the filled name in lists and among marks", () => {
    const asked: Wanted = { ...wanted, model: "openai/gpt-4o", pattern: "openai/*", listed: true };
    const slot = slotOf({ upstreamModel: "*" }, { served: ["gpt-4o"], marks: [["gpt-4o", 2000]] });
    expect(hindrance(slot, asked)?.kind).toBe("refused_model");
    expect(hindrance(slotOf({ upstreamModel: "my-*" }, { served: ["gpt-4o"] }), asked)?.kind).toBe("model");
  });
});
