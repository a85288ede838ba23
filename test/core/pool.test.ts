// A new snapshot keeps what was observed of what stays, and forgets what went.
import { describe, expect, test } from "bun:test";
import { createPool, familiesOf, nextSnapshot, withModels } from "../../src/core/pool.ts";
import type { PoolSpec } from "../../src/core/pool-spec.ts";
import { levelsOf } from "../../src/core/route.ts";
import { beginAttempt } from "../../src/core/state.ts";
import { makeBackend, makeCredential, makeSlot, makeSpec } from "../support/slots.ts";

const specOf = (...ids: readonly string[]): PoolSpec =>
  makeSpec({ p: { backends: ids.map((id) => makeBackend(id)) } });
const slotsOf = (spec: PoolSpec) => nextSnapshot(undefined, spec).slots;

describe("a snapshot", () => {
  test("joins every backend with fresh states, in order", () => {
    const { version, slots, providers } = nextSnapshot(undefined, specOf("a", "b"));
    expect(version).toBe(1);
    expect(slots.map(({ backend, state, keyState }) => [backend.id, state.id, keyState.id])).toEqual([
      ["a", "a", "key-a"],
      ["b", "b", "key-b"],
    ]);
    expect(providers[0]?.route.slots).toEqual([...slots]);
    expect(providers[0]?.route.slots[0]).toBe(slots[0]);
  });

  test("gives backends of one key one key state", () => {
    const credential = makeCredential("shared");
    const [a, b, c] = slotsOf(
      makeSpec({
        p: {
          backends: [makeBackend("a", { credential }), makeBackend("b", { credential }), makeBackend("c")],
        },
      }),
    );
    expect(a?.keyState).toBe(b!.keyState);
    expect(a?.keyState).not.toBe(c!.keyState);
  });

  test("keeps states by id when other things change", () => {
    const before = nextSnapshot(undefined, specOf("a", "b"));
    beginAttempt(before.slots[0]!, 5);
    const changed = makeSpec({
      p: { backends: [makeBackend("new"), makeBackend("a", { weight: 9, origin: "http://other" })] },
    });
    const after = nextSnapshot(before, changed);
    expect(after.version).toBe(2);
    expect(after.slots[1]?.state).toBe(before.slots[0]!.state);
    expect(after.slots[1]?.keyState).toBe(before.slots[0]!.keyState);
    expect(after.slots[1]?.backend.weight).toBe(9);
    expect(after.slots[0]?.state.attempts).toBe(0);
    expect(before.slots).toHaveLength(2);
  });

  test("keeps a key's state when the key moves to another backend", () => {
    const credential = makeCredential("k");
    const before = nextSnapshot(undefined, makeSpec({ p: { backends: [makeBackend("a", { credential })] } }));
    const after = nextSnapshot(before, makeSpec({ p: { backends: [makeBackend("b", { credential })] } }));
    expect(after.slots[0]?.keyState).toBe(before.slots[0]!.keyState);
    expect(after.slots[0]?.state).not.toBe(before.slots[0]!.state);
  });

  test("forgets what went, for good", () => {
    const one = nextSnapshot(undefined, specOf("a", "b"));
    const two = nextSnapshot(withModels(one, new Map([["b", ["m"]]])), specOf("a"));
    expect(two.slots.map(({ backend }) => backend.id)).toEqual(["a"]);
    expect(two.discovered.size).toBe(0);
    const three = nextSnapshot(two, specOf("a", "b"));
    expect(three.slots[1]?.state).not.toBe(one.slots[1]!.state);
    expect(three.providers[0]?.models).toEqual([]);
  });

  test("keeps the strategy of an unchanged route, and no other", () => {
    const strategyOf = (spec: PoolSpec) => {
      const before = nextSnapshot(undefined, specOf("a", "b"));
      return nextSnapshot(before, spec).providers[0]?.route.strategy === before.providers[0]?.route.strategy;
    };
    expect(strategyOf(specOf("a", "b"))).toBe(true);
    expect(
      strategyOf(makeSpec({ p: { backends: [makeBackend("a", { models: ["x"] }), makeBackend("b")] } })),
    ).toBe(true);
    expect(strategyOf(specOf("a"))).toBe(false);
    expect(strategyOf(specOf("b", "a"))).toBe(false);
    expect(
      strategyOf(makeSpec({ p: { backends: [makeBackend("a", { weight: 2 }), makeBackend("b")] } })),
    ).toBe(false);
    expect(
      strategyOf(makeSpec({ p: { backends: [makeBackend("a", { priority: 1 }), makeBackend("b")] } })),
    ).toBe(false);
    expect(strategyOf(makeSpec({ q: { backends: [makeBackend("a"), makeBackend("b")] } }))).toBe(false);
  });

  test("refuses a provider without a route", () => {
    expect(() => nextSnapshot(undefined, { ...specOf("a"), providerRoutes: [] })).toThrow(
      'provider "p" has no route',
    );
  });

  test("of an empty configuration is empty", () => {
    expect(nextSnapshot(undefined, makeSpec({}))).toMatchObject({ slots: [], providers: [] });
    expect(nextSnapshot(undefined, makeSpec({ p: { backends: [] } })).providers[0]).toMatchObject({
      models: [],
    });
  });
});

describe("discovered models", () => {
  const engines = makeSpec({
    p: { backends: [makeBackend("a", { kind: "engine" }), makeBackend("b", { kind: "engine" })] },
    q: { backends: [makeBackend("c")] },
  });

  test("stand at their provider, once each, and at engines' slots", () => {
    const found = new Map([
      ["a", ["x", "y"]],
      ["b", ["y", "z"]],
      ["c", ["w"]],
      ["gone", ["v"]],
    ]);
    const after = withModels(nextSnapshot(undefined, engines), found);
    expect(after.providers.map(({ models }) => models)).toEqual([["x", "y", "z"], ["w"]]);
    expect(after.slots.map(({ served }) => served && [...served])).toEqual([
      ["x", "y"],
      ["y", "z"],
      undefined,
    ]);
    expect([...after.discovered.keys()]).toEqual(["a", "b", "c"]);
  });

  test("replace those of the same backend only, and outlive a reload", () => {
    const first = withModels(
      nextSnapshot(undefined, engines),
      new Map([
        ["a", ["x"]],
        ["b", ["y"]],
      ]),
    );
    const second = withModels(first, new Map([["a", ["z"]]]));
    expect(nextSnapshot(second, engines).providers[0]?.models).toEqual(["z", "y"]);
    expect(first.providers[0]?.models).toEqual(["x", "y"]);
  });

  test("change no state and no strategy", () => {
    const before = nextSnapshot(undefined, engines);
    const after = withModels(before, new Map([["a", ["x"]]]));
    expect(after.version).toBe(before.version + 1);
    expect(after.slots.map(({ state }) => state)).toEqual(before.slots.map(({ state }) => state));
    expect(after.slots[0]?.state).toBe(before.slots[0]!.state);
    expect(after.providers[0]?.route.strategy).toBe(before.providers[0]!.route.strategy);
  });
});

describe("the pool", () => {
  test("shows its writers' snapshots whole, one after another", () => {
    const pool = createPool(specOf("a"));
    const first = pool.current;
    pool.replace((previous) => nextSnapshot(previous, specOf("a", "b")));
    expect(first.slots).toHaveLength(1);
    expect(pool.current.slots).toHaveLength(2);
    expect(pool.current.slots[0]?.state).toBe(first.slots[0]!.state);
    expect(() =>
      pool.replace(() => {
        throw new Error("no");
      }),
    ).toThrow("no");
    expect(pool.current.version).toBe(2);
  });
});

const shape = (rows: readonly (readonly [weight: number, priority: number])[]) =>
  levelsOf(rows.map(([weight, priority], at) => makeSlot(makeBackend(String(at), { weight, priority })))).map(
    ({ slots, weights }) => slots.map(({ backend }, at) => [backend.id, weights[at]]),
  );

test("a route carries what its spec says of it, and its pattern", () => {
  const spec = specOf("a");
  const terms = {
    hidden: true,
    retry: { max: 1 },
    tagged: { match: "all" },
    timeouts: { idleMs: 9 },
  } as const;
  const route = (name: string) => ({ name, backendIds: ["a"], strategy: "least-used", ...terms });
  const { routes, patterns } = nextSnapshot(undefined, { ...spec, routes: [route("m"), route("m*")] });
  expect(routes.get("m")).toMatchObject(terms);
  expect(routes.get("m")?.pattern).toBeUndefined();
  expect(patterns.map(({ pattern }) => pattern)).toEqual(["m*"]);
});

describe("the levels of a route", () => {
  test("stand by priority, lowest first, in the order of the configuration", () => {
    expect(
      shape([
        [1, 10],
        [2, 0],
        [3, 10],
        [4, 2],
      ]),
    ).toEqual([
      [["1", 2]],
      [["3", 4]],
      [
        ["0", 1],
        ["2", 3],
      ],
    ]);
  });

  test("leave drained slots out, unless all are", () => {
    expect(
      shape([
        [0, 0],
        [2, 1],
      ]),
    ).toEqual([[["1", 2]]]);
    expect(
      shape([
        [0, 0],
        [0, 1],
        [0, 0],
      ]),
    ).toEqual([
      [
        ["0", 1],
        ["2", 1],
      ],
      [["1", 1]],
    ]);
    expect(shape([])).toEqual([]);
  });
});

test("the families of a backend are those it has an endpoint for", () => {
  expect(familiesOf(makeBackend("a", { families: ["gemini", "openai"] }))).toEqual(["openai", "gemini"]);
  expect(familiesOf(makeBackend("a", { families: [] }))).toEqual([]);
});

describe("keys of one quota group", () => {
  const key = (id: string, requestsPerMinute: number, quotaGroup?: string) =>
    makeBackend(id, {
      credential: makeCredential(`key-${id}`, {
        limits: { requestsPerMinute },
        ...(quotaGroup === undefined ? {} : { quotaGroup }),
      }),
    });
  const limitsOf = (snapshot: ReturnType<typeof nextSnapshot>) =>
    snapshot.slots.map(({ keyState }) => keyState.limits);
  const poolOf = (...backends: ReturnType<typeof key>[]) => makeSpec({ p: { backends } });

  test("are limited apart again once a reload has taken the group away", () => {
    const grouped = nextSnapshot(undefined, poolOf(key("a", 2, "g"), key("b", 2, "g")));
    const [shared, same] = limitsOf(grouped);
    expect(shared).toBe(same);
    shared?.acquire(0, 1);
    const [a, b] = limitsOf(nextSnapshot(grouped, poolOf(key("a", 2), key("b", 2))));
    expect(a).not.toBe(b!);
    expect([a?.uses(0)[0]?.used, b?.uses(0)[0]?.used]).toEqual([1, 0]);
    b?.acquire(0, 1);
    expect(a?.uses(0)[0]?.used).toBe(1);
  });

  test("have the limits of the first, however often models are found, and what was taken stays counted", () => {
    let snapshot = nextSnapshot(undefined, poolOf(key("a", 2, "g"), key("b", 9, "g")));
    limitsOf(snapshot)[0]?.acquire(0, 1);
    for (let turn = 0; turn < 2; turn += 1) {
      snapshot = withModels(snapshot, new Map([["a", [`m${turn}`]]]));
      for (const limits of limitsOf(snapshot))
        expect(limits?.uses(0)).toEqual([{ kind: "rpm", used: 1, limit: 2 }]);
    }
  });

  test("may move to another group, and nobody shares with those that they left", () => {
    const before = nextSnapshot(undefined, poolOf(key("a", 2, "g"), key("b", 2, "g"), key("c", 2, "h")));
    const [a, b, c] = limitsOf(
      nextSnapshot(before, poolOf(key("a", 2, "g"), key("b", 2, "h"), key("c", 2, "h"))),
    );
    expect(b).toBe(c);
    expect(a).not.toBe(b!);
  });
});
