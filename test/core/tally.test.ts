import { expect, test } from "bun:test";
import { createModelLabels, OTHER } from "../../src/core/model-label.ts";
import { nextSnapshot, withModels } from "../../src/core/pool.ts";
import { MOST_FAILURES } from "../../src/core/status.ts";
import { readMetrics } from "../../src/views/metric-values.ts";
import { makeBackend, makeCredential, makeSpec } from "../support/slots.ts";
import { finishAttempt, namesOf, requestEnd, startAttempt, tallyOf, viewOf } from "../support/views.ts";

const USAGE = { inputTokens: 10, outputTokens: 5 };

test("an attempt counts at its backend, key, provider, model and in the total", () => {
  const tally = tallyOf();
  const names = namesOf("a", { label: "gpt-4o" });
  startAttempt(tally, names, 0);
  const rows = () => [
    tally.total,
    tally.backends.get("a"),
    tally.keys.get("key-a"),
    tally.providers.get("p"),
    tally.models.get("gpt-4o"),
  ];
  for (const row of rows()) expect(row).toMatchObject({ attempts: 1, inFlight: 1, pending: 1 });
  tally.take({ kind: "attempt_answered", ...names, firstByteMs: 4 }, 4);
  for (const row of rows()) expect(row).toMatchObject({ inFlight: 1, pending: 0 });
  tally.take(
    {
      kind: "attempt_finished",
      ...names,
      outcome: "success",
      detail: "",
      firstByteMs: 4,
      durationMs: 9,
      usage: USAGE,
    },
    9,
  );
  for (const row of rows())
    expect(row).toMatchObject({ attempts: 1, inFlight: 0, pending: 0, inputTokens: 10, outputTokens: 5 });
});

test("an attempt that ends without an answer is no longer pending", () => {
  const tally = tallyOf();
  startAttempt(tally, namesOf("a"), 0);
  finishAttempt(tally, namesOf("a"), { outcome: "unreachable" }, 1);
  expect(tally.total).toMatchObject({ inFlight: 0, pending: 0 });
});

test("retries count by what the attempt before came to", () => {
  const tally = tallyOf();
  startAttempt(tally, namesOf("a"), 0);
  startAttempt(tally, namesOf("b", { attempt: 2, after: "rate_limited" }), 1);
  startAttempt(tally, namesOf("b", { attempt: 3, after: "rate_limited" }), 2);
  startAttempt(tally, namesOf("b", { attempt: 2, after: "failed" }), 3);
  expect([...tally.retries]).toEqual([
    ["rate_limited", 2],
    ["failed", 1],
  ]);
});

test("token counts that no answer can have are bounded", () => {
  const tally = tallyOf();
  startAttempt(tally, namesOf("a"), 0);
  finishAttempt(tally, namesOf("a"), { usage: { inputTokens: 1e308, outputTokens: 2.4 } }, 1);
  expect(tally.total).toMatchObject({ inputTokens: 1e9, outputTokens: 2 });
});

test("the newest failures are kept, and no caller's own mistakes", () => {
  const tally = tallyOf();
  for (let index = 0; index < MOST_FAILURES + 20; index += 1) {
    const names = namesOf("a", { requestId: `r-${index}` });
    startAttempt(tally, names, index);
    finishAttempt(tally, names, { outcome: "failed", detail: "connection reset" }, index);
    startAttempt(tally, names, index);
    finishAttempt(tally, names, { outcome: index % 2 === 0 ? "rejected" : "abandoned" }, index);
  }
  expect(tally.failures).toHaveLength(MOST_FAILURES);
  expect(tally.failures[0]).toMatchObject({ seq: 21, requestId: "r-20" });
  expect(tally.failures.at(-1)).toMatchObject({ requestId: `r-${MOST_FAILURES + 19}`, outcome: "failed" });
});

test("requests count by route, backend and outcome, and those without a route under none", () => {
  const tally = tallyOf();
  tally.take(requestEnd({ route: "gpt-4o", backend: "a" }), 0);
  tally.take(requestEnd({ route: "gpt-4o", backend: "a", status: 502 }), 0);
  tally.take(requestEnd({ status: 404, attempts: 0 }), 0);
  const counts = [...tally.routes].map(([route, { outcomes }]) => [
    route,
    [...outcomes].map(([backend, counted]) => [backend, Object.fromEntries(counted)]),
  ]);
  expect(counts).toEqual([
    ["gpt-4o", [["a", { succeeded: 1, failed: 1 }]]],
    ["none", [["none", { rejected: 1 }]]],
  ]);
});

test("what refusals and clients that left took is no measure of speed", () => {
  const tally = tallyOf();
  tally.take(requestEnd({ route: "r", status: 429, attempts: 0, durationMs: 0.1 }), 0);
  tally.take(requestEnd({ route: "r", ending: "abandoned", durationMs: 5 }), 0);
  tally.take(requestEnd({ route: "r", durationMs: 700, firstByteMs: 200 }), 0);
  expect(tally.requests.duration.percentiles(0)).toMatchObject({ samples: 1 });
  expect(tally.requests.firstByte.percentiles(0)).toMatchObject({ samples: 1 });
});

test("rests are added up by cause, once for a key that several backends share, and no longer than they last", () => {
  const credential = makeCredential("k");
  const backends = [makeBackend("a", { credential }), makeBackend("b", { credential })];
  const snapshot = nextSnapshot(undefined, makeSpec({ p: { backends } }));
  const tally = tallyOf();
  const [slot] = snapshot.slots;
  if (slot === undefined) throw new Error("no slot");
  const rest = { cause: "rate_limit", detail: "", sinceMs: 500, untilMs: 3200, onTrial: false } as const;
  Object.assign(slot.keyState, { rest });
  for (let nowMs = 1000; nowMs <= 10_000; nowMs += 1000) tally.tick(snapshot, nowMs);
  expect([...(tally.keys.get("k")?.restedMs ?? [])]).toEqual([["rate_limit", 2700]]);
  expect(tally.backends.size).toBe(0);
});

test("rows stay while their backend is away for a while, and go when it does not come back", () => {
  const tally = tallyOf();
  const full = nextSnapshot(undefined, makeSpec({ p: { backends: [makeBackend("a"), makeBackend("b")] } }));
  const less = nextSnapshot(full, makeSpec({ p: { backends: [makeBackend("b")] } }));
  startAttempt(tally, namesOf("a"), 0);
  finishAttempt(tally, namesOf("a"), {}, 1);
  startAttempt(tally, namesOf("b"), 1);
  finishAttempt(tally, namesOf("b"), {}, 2);
  tally.take(requestEnd({ route: "r", backend: "a" }), 2);
  tally.tick(full, 1000);
  tally.tick(less, 60_000);
  expect(tally.backends.has("a")).toBe(true);
  tally.tick(less, 3_700_000);
  expect([...tally.backends.keys()]).toEqual(["b"]);
  expect([...tally.keys.keys()]).toEqual(["key-b"]);
  expect([...(tally.routes.get("r")?.outcomes.keys() ?? [])]).toEqual([]);
});

test("a row is kept as long as an attempt is under way, so that its end finds it", () => {
  const tally = tallyOf();
  const snapshot = nextSnapshot(undefined, makeSpec({ p: { backends: [makeBackend("b")] } }));
  startAttempt(tally, namesOf("gone"), 0);
  tally.tick(snapshot, 10_000_000);
  finishAttempt(tally, namesOf("gone"), {}, 10_000_001);
  expect(tally.backends.get("gone")).toMatchObject({ attempts: 1, inFlight: 0 });
});

test("models count by names that are known, and everything else as other", () => {
  const spec = makeSpec({
    p: {
      backends: [
        makeBackend("a", { models: ["gpt-4o", "gpt-5*"] }),
        makeBackend("b", { upstreamModel: "up" }),
      ],
    },
  });
  let snapshot = nextSnapshot(undefined, {
    ...spec,
    routes: [
      { name: "chat", backendIds: ["a"], strategy: "least-used" },
      { name: "qwen/*", backendIds: ["a"], strategy: "least-used" },
    ],
  });
  const label = createModelLabels(() => snapshot);
  expect(label("chat", "anything")).toBe("chat");
  expect(label("qwen/*", "qwen/made-up")).toBe("qwen/*");
  expect(label("p", "gpt-4o")).toBe("gpt-4o");
  expect(label("p", "up")).toBe("up");
  expect(label("p", "gpt-5-made-up")).toBe(OTHER);
  expect(label("p", undefined)).toBe(OTHER);
  expect(label("p", "found")).toBe(OTHER);
  snapshot = withModels(snapshot, new Map([["b", ["found"]]]));
  expect(label("p", "found")).toBe("found");
});

test("a hundred thousand made-up names leave the series as they are", () => {
  const spec = makeSpec({ p: { backends: [makeBackend("a", { models: ["gpt-4o", "*"] })] } });
  const snapshot = nextSnapshot(undefined, spec);
  const label = createModelLabels(() => snapshot);
  const tally = tallyOf();
  const count = () =>
    Object.values(readMetrics(viewOf(snapshot, tally, 0), tally)).reduce(
      (sum, values) => sum + values.length,
      0,
    );
  const send = (model: string) => {
    const names = namesOf("a", { model, label: label("p", model), requestId: model });
    startAttempt(tally, names, 0);
    finishAttempt(tally, names, { firstByteMs: 1, usage: USAGE }, 0);
    tally.take(requestEnd({ route: "p", backend: "a", model, firstByteMs: 1 }), 0);
  };
  send("gpt-4o");
  send("junk");
  const before = count();
  for (let index = 0; index < 100_000; index += 1) send(`junk-${index}`);
  expect(count()).toBe(before);
  expect([...tally.models.keys()]).toEqual(["gpt-4o", OTHER]);
});

test("names beyond a bound count as other, though they are known", () => {
  const tally = tallyOf();
  for (let index = 0; index < 600; index += 1) {
    startAttempt(tally, namesOf("a", { label: `known-${index}` }), 0);
    finishAttempt(tally, namesOf("a", { label: `known-${index}` }), {}, 0);
  }
  expect(tally.models.size).toBe(501);
  expect(tally.models.get(OTHER)).toMatchObject({ attempts: 100, inFlight: 0 });
});
