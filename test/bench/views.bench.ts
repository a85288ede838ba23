// What counting and showing cost: an event, a second's tick, a view of 1,000 backends, a push, a scrape, memory.
// Run: bun test/bench/views.bench.ts
import type { AttemptNames, ProxyEvent } from "../../src/core/event.ts";
import { createHistory } from "../../src/core/history.ts";
import { createModelLabels } from "../../src/core/model-label.ts";
import { nextSnapshot } from "../../src/core/pool.ts";
import { diffStatus } from "../../src/core/status-change.ts";
import { createTally } from "../../src/core/tally.ts";
import { viewStatus } from "../../src/core/view-status.ts";
import { dashboardPage } from "../../src/views/api/dashboard.ts";
import { readMetrics } from "../../src/views/metric-values.ts";
import { metricsPage } from "../../src/views/metrics-page.ts";
import { makeBackend, makeSpec } from "../support/slots.ts";

const BACKENDS = 1000;
const around = {
  version: "0",
  startedMs: 0,
  readiness: { ready: true },
  draining: false,
  droppedLogLines: 0,
  process: {
    rssBytes: 0,
    eventLoopLagMs: 0,
    openConnections: 0,
    openDescriptors: 0,
    descriptorLimit: 0,
    heldBodyBytes: 0,
  },
  inFlight: 0,
  queued: 0,
};

const rssMb = (): number => {
  Bun.gc(true);
  return Math.round(process.memoryUsage.rss() / 1024 ** 2);
};

function time(name: string, times: number, act: () => unknown): void {
  for (let index = 0; index < times / 10; index += 1) act();
  const startedMs = performance.now();
  for (let index = 0; index < times; index += 1) act();
  const eachUs = (1000 * (performance.now() - startedMs)) / times;
  console.log(
    `${name.padEnd(44)} ${eachUs < 10 ? `${Math.round(eachUs * 1000)} ns` : `${Math.round(eachUs)} µs`}`,
  );
}

const ids = Array.from({ length: BACKENDS }, (_, index) => `backend-${index}`);
const before = rssMb();
const snapshot = nextSnapshot(
  undefined,
  makeSpec({ openai: { backends: ids.map((id) => makeBackend(id, { models: ["gpt-4o"] })) } }),
);
const tally = createTally(0);
const history = createHistory(tally);
let nowMs = 0;
for (; nowMs < 700_000; nowMs += 1000) {
  tally.tick(snapshot, nowMs);
  history.tick(snapshot, nowMs);
}
console.log(`1,000 idle backends, ten minutes: ${rssMb()} MB (${before} MB before)`);

const label = createModelLabels(() => snapshot);
time("a label of a model", 1_000_000, () => label("openai", "gpt-4o"));

let call = 0;
function request(): void {
  call += 1;
  nowMs += 0.05;
  const backend = ids[call % BACKENDS] ?? "";
  const names: AttemptNames = {
    requestId: "r",
    provider: "openai",
    backend,
    key: "***",
    keyId: `key-${backend}`,
    route: "openai",
    model: "gpt-4o",
    label: "gpt-4o",
    attempt: 1,
  };
  const usage = { inputTokens: 10, outputTokens: 20 };
  const events: readonly ProxyEvent[] = [
    { kind: "attempt_started", ...names },
    { kind: "attempt_answered", ...names, firstByteMs: 12.3 },
    {
      kind: "attempt_finished",
      ...names,
      outcome: "success",
      detail: "",
      firstByteMs: 12.3,
      durationMs: 400,
      usage,
    },
    {
      kind: "request_finished",
      requestId: "r",
      family: "openai",
      method: "POST",
      path: "/",
      route: "openai",
      backend,
      status: 200,
      attempts: 1,
      fallbacks: 0,
      ending: "complete",
      firstByteMs: 12.4,
      durationMs: 401,
      queuedMs: 0,
      overheadMs: 0.2,
      usage,
    },
  ];
  for (const event of events) tally.take(event, nowMs);
}
time("four events of a request, made and counted", 1_000_000, request);

for (let second = 0; second < 700; second += 1) {
  nowMs += 1000;
  tally.tick(snapshot, nowMs);
  history.tick(snapshot, nowMs);
  for (let index = 0; index < 20; index += 1) request();
}
console.log(`1,000 used backends, ten minutes: ${rssMb()} MB`);
time("tick of 1,000 backends", 200, () => {
  nowMs += 1000;
  tally.tick(snapshot, nowMs);
  history.tick(snapshot, nowMs);
});
const view = () => viewStatus(snapshot, tally, { moment: { nowMs, wallMs: nowMs }, around });
time("view of 1,000 backends", 200, view);
time("view and its JSON", 100, () => JSON.stringify(view()));
console.log(`whole view: ${Math.round(JSON.stringify(view()).length / 1024)} KiB`);
let last = view();
let bytes = 0;
time("100 requests, view, change and its JSON", 100, () => {
  for (let index = 0; index < 100; index += 1) request();
  const next = view();
  bytes = JSON.stringify(diffStatus(last, next)).length;
  last = next;
});
console.log(`such a change: ${Math.round(bytes / 1024)} KiB`);
time("values of /metrics", 50, () => readMetrics(view(), tally));
const page = metricsPage(view, tally);
const ask = new Request("http://x/metrics");
const scrapes: number[] = [];
for (let index = 0; index < 20; index += 1) {
  const startedMs = performance.now();
  await (await page.respond(ask, undefined)).text();
  scrapes.push(performance.now() - startedMs);
}
console.log(
  `a scrape: first ${Math.round(scrapes[0] ?? 0)} ms, later ${Math.round(scrapes.toSorted((a, b) => a - b)[10] ?? 0)} ms`,
);
const dashboard = dashboardPage(view);
const asks: number[] = [];
for (let index = 0; index < 20; index += 1) {
  const startedMs = performance.now();
  await (await dashboard.respond(ask, undefined)).text();
  asks.push(performance.now() - startedMs);
}
console.log(
  `/api/dashboard: first ${Math.round(asks[0] ?? 0)} ms, later ${Math.round(asks.toSorted((a, b) => a - b)[10] ?? 0)} ms`,
);
