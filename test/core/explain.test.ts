// The dry run of a choice: who would be asked, in what order, why not the others, and that asking changes nothing.
import { describe, expect, test } from "bun:test";
import type { Backend } from "../../src/core/backend.ts";
import { explainModel, type Explanation } from "../../src/core/explain.ts";
import { NO_FALLBACKS } from "../../src/core/fallback.ts";
import { nextSnapshot, type PoolSnapshot } from "../../src/core/pool.ts";
import type { RouteSpec } from "../../src/core/pool-spec.ts";
import { beginAttempt, settleAttempt } from "../../src/core/state.ts";
import { COOLDOWN, makeBackend, makeCredential, makeSpec } from "../support/slots.ts";

const NOW_MS = 10_000;

function snapshotOf(
  backends: readonly Backend[],
  route: Partial<RouteSpec> = {},
  strategy = "least-used",
): PoolSnapshot {
  const spec = makeSpec({ openai: { backends, strategy, ownsModel: (model) => model.startsWith("gpt-") } });
  const named = { name: "named", backendIds: backends.map(({ id }) => id), strategy, ...route };
  return nextSnapshot(undefined, {
    ...spec,
    routes: [named],
    aliases: new Map([["nick", { model: "named", hidden: false }]]),
  });
}

const explain = (snapshot: PoolSnapshot, model = "named"): Explanation =>
  explainModel(snapshot, { family: "openai", model, nowMs: NOW_MS, fallbacks: NO_FALLBACKS });

const reasons = ({ excluded }: Explanation) => excluded.map(({ backend, reason }) => `${backend}: ${reason}`);
const order = ({ candidates }: Explanation) => candidates.map(({ backend }) => backend);

function settle(
  snapshot: PoolSnapshot,
  id: string,
  outcome: Parameters<typeof settleAttempt>[1]["outcome"],
): void {
  const slot = snapshot.slots.find(({ backend }) => backend.id === id);
  if (slot === undefined) throw new Error(`no slot ${id}`);
  beginAttempt(slot, NOW_MS);
  settleAttempt(slot, { outcome, startedMs: NOW_MS, nowMs: NOW_MS, random: 0, policy: COOLDOWN });
}

describe("an explanation", () => {
  test("names a resting key with its cause and how long it still rests", () => {
    const snapshot = snapshotOf([makeBackend("a"), makeBackend("b")]);
    settle(snapshot, "a", { kind: "rate_limited", detail: "429 rate limit", retryAfterMs: 12_000 });
    const told = explain(snapshot);
    expect(order(told)).toEqual(["b"]);
    expect(reasons(told)).toEqual(["a: rests 12 s: 429 rate limit"]);
    expect(told.excluded[0]).toMatchObject({ kind: "rest", state: "resting", forMs: 12_000 });
    expect(told.candidates[0]?.state).toBe("untried");
    settle(snapshot, "b", { kind: "success", detail: "200 ok" });
    expect(explain(snapshot).candidates[0]?.state).toBe("usable");
  });

  test("names a used-up limit and when it is free", () => {
    const credential = makeCredential("k", { limits: { requestsPerMinute: 2 } });
    const snapshot = snapshotOf([makeBackend("a", { credential })]);
    expect(explain(snapshot).candidates[0]?.limits).toEqual([
      { kind: "rpm", used: 0, limit: 2, of: "key", remaining: 2 },
    ]);
    const [slot] = snapshot.slots;
    slot?.keyState.limits?.acquire(NOW_MS, 0);
    slot?.keyState.limits?.acquire(NOW_MS, 0);
    const told = explain(snapshot);
    expect(order(told)).toEqual([]);
    expect(reasons(told)).toEqual(["a: limited: rpm of the key is used up, free in 60 s"]);
    expect(told.verdict).toBe("nobody can serve it now; the first is back in 60 s");
  });

  test("of an unknown model lists near names", () => {
    const told = explain(snapshotOf([makeBackend("a", { models: ["named"] })]), "namde");
    expect(told).toMatchObject({ resolution: null, candidates: [], excluded: [] });
    expect(told.near).toContain("named");
    expect(told.verdict).toStartWith("404 model_not_found");
  });

  test("says of a drained backend that it gets nothing new", () => {
    const told = explain(snapshotOf([makeBackend("a", { weight: 0 }), makeBackend("b")]));
    expect(reasons(told)).toEqual(["a: weight 0: drained, gets nothing new"]);
  });

  test("says of a lower priority whom it stands behind, and takes it when the first is out", () => {
    const shares = new Map([
      ["a", { weight: 1, priority: 1 }],
      ["b", { weight: 1, priority: 2 }],
    ]);
    const snapshot = snapshotOf([makeBackend("a"), makeBackend("b")], { shares });
    expect(reasons(explain(snapshot))).toEqual(["b: priority 2: used only when nobody of priority 1 can be"]);
    settle(snapshot, "a", { kind: "revoked", detail: "401" });
    expect(order(explain(snapshot))).toEqual(["b"]);
  });

  test("says of a family that is not spoken", () => {
    const told = explain(snapshotOf([makeBackend("a", { families: ["anthropic"] }), makeBackend("b")]));
    expect(reasons(told)).toEqual(["a: does not speak the openai family"]);
  });

  test("tells the step that found the model, and what an alias stands for", () => {
    const snapshot = snapshotOf([makeBackend("a")]);
    expect(explain(snapshot).resolution).toMatchObject({ by: "route", route: "named", aliasOf: null });
    expect(explain(snapshot, "nick").resolution).toMatchObject({ by: "alias", aliasOf: "named" });
    expect(explain(snapshot, "gpt-9").resolution).toMatchObject({ by: "naming rule", route: "openai" });
    expect(explain(snapshot, "openai/x").resolution).toMatchObject({ by: "prefix" });
    expect(explain(snapshot, "openai/x").candidates[0]?.sentModel).toBe("x");
  });

  test("puts first whom the strategy would take, whatever the strategy, and changes nothing", () => {
    for (const strategy of [
      "least-used",
      "least-connections",
      "usage-based",
      "smooth-weighted-round-robin",
    ]) {
      const snapshot = snapshotOf([makeBackend("a"), makeBackend("b"), makeBackend("c")], {}, strategy);
      const route = snapshot.routes.get("named");
      if (route === undefined) throw new Error("no route");
      const choice = { nowMs: NOW_MS, random: () => 0.3, isUsable: () => true };
      for (const taken of [0, 1]) {
        const [level] = route.levels;
        if (level === undefined) throw new Error("no level");
        const told = [explain(snapshot), explain(snapshot)];
        expect(told[0]).toEqual(told[1]);
        const picked = level.slots[route.strategy.pick(level, choice)]!;
        if (strategy !== "usage-based" && strategy !== "least-connections")
          expect([strategy, taken, order(told[0]!)[0]]).toEqual([strategy, taken, picked.backend.id]);
        beginAttempt(picked, NOW_MS);
        expect([strategy, order(explain(snapshot)).at(-1)]).toEqual([strategy, picked.backend.id]);
        settleAttempt(picked, {
          outcome: { kind: "success", detail: "" },
          startedMs: NOW_MS,
          nowMs: NOW_MS,
          random: 0,
          policy: COOLDOWN,
        });
      }
    }
  });

  test("gives each candidate the share of its weight", () => {
    const told = explain(snapshotOf([makeBackend("a", { weight: 3 }), makeBackend("b")]));
    expect(told.candidates.map(({ backend, share }) => [backend, share])).toEqual([
      ["a", 0.75],
      ["b", 0.25],
    ]);
  });

  test("tells the models that a failing request goes on with, lists of lists and prefixes included", () => {
    const fallbacks = {
      ...NO_FALLBACKS,
      general: new Map([
        ["big", ["small"]],
        ["small", ["tiny", "big"]],
      ]),
      whenNone: ["last"],
    };
    const chain = (model: string) =>
      explainModel(snapshotOf([makeBackend("a")]), { family: "openai", model, nowMs: NOW_MS, fallbacks })
        .fallbacks;
    expect(chain("big")).toEqual(["small", "tiny", "last"]);
    expect(chain("openai/big")).toEqual(["small", "tiny", "last", "big"]);
    expect(chain("other")).toEqual(["last"]);
  });
});
