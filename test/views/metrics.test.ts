import { expect, test } from "bun:test";
import { noteLoad } from "../../src/core/measures.ts";
import { nextSnapshot } from "../../src/core/pool.ts";
import { METRICS } from "../../src/views/metric-table.ts";
import { metricsPage } from "../../src/views/metrics-page.ts";
import grafana from "../../src/views/grafana.json" with { type: "json" };
import { lintExposition, parseExposition, sumOf } from "../support/exposition.ts";
import { makeBackend, makeCredential, makeSpec } from "../support/slots.ts";
import { finishAttempt, namesOf, requestEnd, startAttempt, tallyOf, viewOf } from "../support/views.ts";

/** Something of everything: limits told and configured, a rest, an engine, retries, names that need escapes. */
function scene() {
  const odd = 'odd "name"\\\nof a route';
  const credential = makeCredential("k", { limits: { requestsPerMinute: 10 } });
  const spec = makeSpec({
    p: { backends: [makeBackend("a", { credential, limits: { concurrency: 3 } }), makeBackend("b")] },
    gpu: { kind: "engine", backends: [makeBackend("e", { kind: "engine" })] },
  });
  const snapshot = nextSnapshot(undefined, {
    ...spec,
    routes: [{ name: odd, backendIds: ["a"], strategy: "least-used" }],
  });
  const tally = tallyOf();
  const [slot, , engine] = snapshot.slots;
  if (slot === undefined || engine === undefined) throw new Error("no slots");
  const rest = { cause: "quota", detail: "", sinceMs: 0, untilMs: 9000, onTrial: false } as const;
  Object.assign(slot.keyState, { rest, learned: { tokens: { limit: 100, remaining: 7 }, atMs: 0 } });
  Object.assign(engine.state, { rest: { ...rest, cause: "failures" } });
  noteLoad(engine.state.measures, { running: 2, waiting: 1, cacheShare: 0.5, atMs: 0, intervalMs: 3000 });
  const names = namesOf("a", { keyId: "k", label: odd, route: odd });
  startAttempt(tally, names, 0);
  finishAttempt(tally, names, { outcome: "failed", detail: "reset" }, 1);
  startAttempt(tally, { ...names, attempt: 2, after: "failed" }, 1);
  finishAttempt(tally, names, { firstByteMs: 250, usage: { inputTokens: 3, outputTokens: 4 } }, 2);
  tally.take(requestEnd({ route: odd, backend: "a", firstByteMs: 30, durationMs: 400, fallbacks: 1 }), 2);
  tally.tick(snapshot, 2000);
  return { odd, tally, view: () => viewOf(snapshot, tally, 2000) };
}

async function scrape({ view, tally }: ReturnType<typeof scene>): Promise<string> {
  const response = await metricsPage(view, tally).respond(new Request("http://x/metrics"), undefined);
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  return response.text();
}

test("promtool finds nothing wrong with the metrics", async () => {
  const found = await lintExposition(await scrape(scene()));
  if (found === undefined) console.warn("promtool is not installed: the metrics were not checked by it");
  else expect(found).toBe("");
});

test("every metric of the table has a value in a scene that has something of everything", async () => {
  const text = await scrape(scene());
  const names = new Set(parseExposition(text).map(({ name }) => name.replace(/_(bucket|sum|count)$/, "")));
  const hidden = ["weir_open_sockets", "weir_open_descriptors", "weir_descriptor_limit"];
  expect(Object.keys(METRICS).filter((name) => !names.has(name))).toEqual(hidden);
});

test("labels are those of the table", async () => {
  for (const { name, labels } of parseExposition(await scrape(scene()))) {
    const row = Object.entries(METRICS).find(
      ([known]) => name.replace(/_(bucket|sum|count)$/, "") === known || name === known,
    );
    const told = Object.keys(labels).filter((label) => label !== "le");
    expect([name, told.toSorted()]).toEqual([name, (row?.[1].labels ?? []).toSorted()]);
  }
});

test("values are right, and odd names are escaped", async () => {
  const all = scene();
  const text = await scrape(all);
  const samples = parseExposition(text);
  expect(text).toContain(String.raw`route="odd \"name\"\\\nof a route"`);
  expect(sumOf(samples, "weir_retries_total", { cause: "failed" })).toBe(1);
  expect(sumOf(samples, "weir_attempts_total", { backend: "a", outcome: "success" })).toBe(1);
  expect(sumOf(samples, "weir_tokens_total", { direction: "output" })).toBe(4);
  expect(sumOf(samples, "weir_key_limit_remaining", { key: "k", limit: "tpm", source: "learned" })).toBe(7);
  expect(sumOf(samples, "weir_key_resting_seconds_total", { key: "k", cause: "quota" })).toBe(2);
  expect(sumOf(samples, "weir_key_state", { key: "k", state: "resting" })).toBe(1);
  expect(sumOf(samples, "weir_key_state", { key: "k" })).toBe(1);
  expect(sumOf(samples, "weir_engine_cache_usage_ratio", { backend: "e" })).toBe(0.5);
});

test("buckets of a histogram add up to its count, and hold what is at most their bound", async () => {
  const samples = parseExposition(await scrape(scene()));
  const bucket = (le: string) => sumOf(samples, "weir_request_duration_seconds_bucket", { le });
  expect([bucket("0.25"), bucket("0.5"), bucket("1800"), bucket("+Inf")]).toEqual([0, 1, 1, 1]);
  expect(sumOf(samples, "weir_request_duration_seconds_count")).toBe(1);
  expect(sumOf(samples, "weir_request_duration_seconds_sum")).toBeCloseTo(0.4);
});

test("the Grafana dashboard asks only for metrics and labels that exist", () => {
  const expressions = JSON.stringify(grafana).match(/"(?:expr|query|definition)":"(?:[^"\\]|\\.)*"/g) ?? [];
  expect(expressions.length).toBeGreaterThan(15);
  const known = new Set(Object.keys(METRICS));
  for (const expression of expressions)
    for (const [name] of expression.matchAll(/\bweir_\w+/g))
      expect([...known]).toContain(name.replace(/_(bucket|sum|count)$/, ""));
});
