import { expect, test } from "bun:test";
import { noteLoad } from "../../src/core/measures.ts";
import { nextSnapshot } from "../../src/core/pool.ts";
import { makeBackend, makeCredential, makeSpec } from "../support/slots.ts";
import { finishAttempt, namesOf, requestEnd, startAttempt, tallyOf, viewOf } from "../support/views.ts";

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test("a view of an untouched pool is whole, plain and says that nothing is known yet", () => {
  const snapshot = nextSnapshot(
    undefined,
    makeSpec({ p: { backends: [makeBackend("a"), makeBackend("b")] } }),
  );
  const view = viewOf(snapshot, tallyOf(), 5000);
  expect(plain(view)).toEqual(view as never);
  expect(view.totals).toMatchObject({
    requests: 0,
    successShare: null,
    balanceRatio: null,
    firstByte: { samples: 0, p50Ms: null },
    keysTotal: 2,
    keysUsable: 2,
    backendsUsable: 2,
  });
  expect(view.instance).toMatchObject({
    startedAtMs: 1e9,
    atMs: 1e9 + 5000,
    uptimeMs: 5000,
    strategy: "least-used",
  });
  expect(view.backends[0]).toMatchObject({ state: "untried", model: "*", lastUsedAtMs: null, engine: null });
});

test("success is judged by what weir and its backends could do about it", () => {
  const snapshot = nextSnapshot(undefined, makeSpec({ p: { backends: [makeBackend("a")] } }));
  const tally = tallyOf();
  for (const [status, attempts] of [
    [200, 1],
    [200, 1],
    [200, 1],
    [400, 1],
    [429, 0],
  ] as const)
    tally.take(requestEnd({ status, attempts }), 0);
  expect(viewOf(snapshot, tally, 0).totals).toMatchObject({
    requests: 5,
    rejected: 1,
    refused: 1,
    successShare: 0.75,
    recentSuccessShare: 0.75,
  });
  tally.take(requestEnd({ status: 503, attempts: 2 }), 59_000);
  expect(viewOf(snapshot, tally, 61_000).totals).toMatchObject({ successShare: 0.6, recentSuccessShare: 0 });
  expect(viewOf(snapshot, tally, 120_000).totals).toMatchObject({
    successShare: 0.6,
    recentSuccessShare: null,
  });
});

test("limits are shown with what was taken, and those that a provider told beside them", () => {
  const credential = makeCredential("k", { limits: { requestsPerMinute: 10, concurrency: 4 } });
  const backend = makeBackend("a", { credential, limits: { tokensPerMinute: 1000 } });
  const snapshot = nextSnapshot(undefined, makeSpec({ p: { backends: [backend] } }));
  const [slot] = snapshot.slots;
  if (slot === undefined) throw new Error("no slot");
  slot.keyState.limits?.acquire(0, 100);
  slot.state.limits?.acquire(0, 100);
  Object.assign(slot.keyState, {
    learned: { requests: { limit: 60, remaining: 20, resetMs: 30_000 }, atMs: 0 },
  });
  const limits = (nowMs: number) => viewOf(snapshot, tallyOf(), nowMs).backends[0]?.limits;
  const learned = { name: "rpm", of: "key", learned: true, limit: 60 };
  expect(limits(1000)).toEqual([
    { name: "tpm", of: "backend", learned: false, used: 100, limit: 1000, remaining: 900, resetAtMs: null },
    { name: "concurrency", of: "key", learned: false, used: 1, limit: 4, remaining: 3, resetAtMs: null },
    { name: "rpm", of: "key", learned: false, used: 1, limit: 10, remaining: 9, resetAtMs: null },
    { ...learned, used: 40, remaining: 20, resetAtMs: 1e9 + 30_000 },
  ] as never);
  // Its window is over: all of it is back.
  expect(limits(31_000)?.[3]).toEqual({ ...learned, used: 0, remaining: 60, resetAtMs: null } as never);
  expect(limits(601_000)).toHaveLength(3);
});

test("an address that needs no key is no key, though it has a row among them", () => {
  const { secret: _, ...credential } = makeCredential("address");
  const engine = makeBackend("e", { kind: "engine", credential });
  const spec = makeSpec({ p: { backends: [makeBackend("a")] }, gpu: { kind: "engine", backends: [engine] } });
  const view = viewOf(nextSnapshot(undefined, spec), tallyOf(), 0);
  expect(view.keys).toHaveLength(2);
  expect(view.totals).toMatchObject({ keysTotal: 1, keysUsable: 1, backendsTotal: 2 });
  expect(view.providers.map(({ keysTotal, keysUsable }) => [keysTotal, keysUsable])).toEqual([
    [1, 1],
    [0, 0],
  ]);
});

test("an engine that several backends share counts once", () => {
  const backends = ["a", "b"].map((id) => makeBackend(id, { kind: "engine", origin: "http://gpu:8000" }));
  const snapshot = nextSnapshot(undefined, makeSpec({ gpu: { kind: "engine", backends } }));
  for (const { state } of snapshot.slots)
    noteLoad(state.measures, {
      engine: "vllm",
      running: 5,
      waiting: 2,
      cacheShare: 0.4,
      atMs: 0,
      intervalMs: 3000,
    });
  const view = viewOf(snapshot, tallyOf(), 100);
  expect(view.providers[0]).toMatchObject({ running: 5, waiting: 2 });
  expect(view.backends[1]?.engine).toEqual({
    name: "vllm",
    running: 5,
    waiting: 2,
    cacheShare: 0.4,
    promptTokens: null,
    generationTokens: null,
  });
  // A reading of long ago says nothing of now.
  expect(viewOf(snapshot, tallyOf(), 20_000).providers[0]).toMatchObject({ running: null, waiting: null });
});

test("models are the routes, the configured names, and what was used", () => {
  const spec = makeSpec({
    p: { backends: [makeBackend("a", { models: ["gpt-4o", "o*"] }), makeBackend("b")] },
  });
  const routes = [
    { name: "chat", backendIds: ["a", "b"], strategy: "simple-shuffle" },
    { name: "qwen/*", backendIds: ["b"], strategy: "least-used" },
  ];
  const snapshot = nextSnapshot(undefined, { ...spec, routes });
  const tally = tallyOf();
  startAttempt(tally, namesOf("a", { label: "chat" }), 0);
  finishAttempt(tally, namesOf("a", { label: "chat" }), {}, 0);
  startAttempt(tally, namesOf("a"), 0);
  const view = viewOf(snapshot, tally, 0);
  expect(view.models.map(({ name, kind, backendsTotal }) => [name, kind, backendsTotal])).toEqual([
    ["chat", "route", 2],
    ["gpt-4o", "model", 2],
    ["other", "other", 0],
    ["qwen/*", "pattern", 1],
  ]);
  expect(view.models[0]).toMatchObject({ attempts: 1, succeeded: 1, strategy: "simple-shuffle" });
  expect(view.backends[0]?.routes).toEqual(["chat"]);
});

test("a route that is called as unknown names are counted has one row", () => {
  const spec = makeSpec({ p: { backends: [makeBackend("a")] } });
  const routes = [{ name: "other", backendIds: ["a"], strategy: "least-used" }];
  const tally = tallyOf();
  startAttempt(tally, namesOf("a"), 0);
  const { models } = viewOf(nextSnapshot(undefined, { ...spec, routes }), tally, 0);
  expect(models.map(({ name, kind, attempts }) => [name, kind, attempts])).toEqual([["other", "route", 1]]);
});

test("a key has its share of the provider and the weight of its backends", () => {
  const backends = [makeBackend("a", { weight: 3 }), makeBackend("b")];
  const snapshot = nextSnapshot(undefined, makeSpec({ p: { backends } }));
  const tally = tallyOf();
  for (const id of ["a", "a", "a", "b"]) {
    startAttempt(tally, namesOf(id), 0);
    finishAttempt(tally, namesOf(id), {}, 5);
  }
  const view = viewOf(snapshot, tally, 10);
  expect(view.keys.map(({ share, weight }) => [share, weight])).toEqual([
    [0.75, 3],
    [0.25, 1],
  ]);
  expect(view.providers[0]?.balanceRatio).toBe(1);
});
