import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { createEventReader } from "../../../src/views/top/event-text.ts";
import { type FeedNews, followEvents } from "../../../src/views/top/feed.ts";
import { learn } from "../../../src/views/top/run.ts";
import { until } from "../../support/until.ts";
import { backendsOf, failure, logLine, sampleView, showWeir } from "./sample.ts";

test("events are read alike however they are cut", () => {
  const text =
    ':\n\nevent: status\ndata: {"a":1}\n\nevent:log\r\ndata: one\r\ndata: two\r\n\r\nid: 7\n\ndata: open';
  fc.assert(
    fc.property(fc.array(fc.nat(text.length)), (cuts) => {
      const read = createEventReader();
      const edges = [0, ...cuts.toSorted((a, b) => a - b), text.length];
      const events = edges.flatMap((edge, at) => read(text.slice(edge, edges[at + 1] ?? edge)));
      expect(events).toEqual([
        { name: "status", data: '{"a":1}' },
        { name: "log", data: "one\ntwo" },
      ]);
    }),
  );
});

test("an event without an end is refused before it fills the memory", () => {
  const read = createEventReader();
  const piece = "x".repeat(8 * 1024 * 1024);
  expect(() => {
    for (let at = 0; at < 10; at += 1) read(piece);
  }).toThrow("longer than");
});

const news = (...all: FeedNews[]) =>
  all.reduce(learn, { view: sampleView(backendsOf(3)), log: [logLine(1), logLine(2)] });

test("a change is put into the view, and rows without one stay the same", () => {
  const before = sampleView(backendsOf(3));
  const change = {
    instance: {},
    totals: { requests: 5 },
    providers: {},
    models: {},
    backends: { "openai-1": { inFlight: 99 } },
    keys: {},
  };
  const { view } = learn({ view: before, log: [] }, { kind: "status", message: { kind: "change", change } });
  expect(view.totals).toEqual({ ...before.totals, requests: 5 });
  expect(view.backends.map(({ inFlight }) => inFlight)).toEqual([0, 99, 2]);
  expect(view.backends[0]).toBe(before.backends[0]);
});

test("failures and lines that come twice are kept once, in their order", () => {
  const { view, log } = news(
    { kind: "failure", failure: failure(3) },
    { kind: "failure", failure: failure(3) },
    { kind: "line", line: logLine(4) },
    { kind: "log", lines: [logLine(2), logLine(3), logLine(4)] },
  );
  expect(view.failures.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  expect(log.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
});

test("failures and lines are kept within bounds", () => {
  const many = Array.from({ length: 2000 }, (_, at) => at + 3);
  const { view, log } = news(...many.map((seq): FeedNews => ({ kind: "failure", failure: failure(seq) })), {
    kind: "log",
    lines: many.map((seq) => logLine(seq)),
  });
  expect(view.failures).toHaveLength(100);
  expect(view.failures.at(-1)?.seq).toBe(2002);
  expect(log).toHaveLength(500);
});

test("lines of a weir that was restarted replace those of the one before", () => {
  const view = sampleView(backendsOf(3));
  const other = { ...view, instance: { ...view.instance, startedAtMs: view.instance.startedAtMs + 1 } };
  const { log } = news(
    { kind: "status", message: { kind: "whole", view: other } },
    { kind: "log", lines: [logLine(1, { message: "started" })] },
  );
  expect(log.map(({ message }) => message)).toEqual(["started"]);
});

test("lines stay when the clock of the same weir is set", () => {
  const { instance } = sampleView(backendsOf(3));
  const set = { instance: { startedAtMs: instance.startedAtMs - 3_600_000 }, totals: {}, providers: {} };
  const change = { ...set, models: {}, backends: {}, keys: {} };
  const { view, log } = news({ kind: "status", message: { kind: "change", change } });
  expect(view.instance.startedAtMs).toBe(set.instance.startedAtMs);
  expect(log).toHaveLength(2);
});

interface Heard extends AsyncDisposable {
  readonly all: readonly FeedNews[];
  readonly reasons: () => readonly string[];
}

function hear(url: string, key?: string): Heard {
  const stop = new AbortController();
  const all: FeedNews[] = [];
  const followed = followEvents({
    address: { url, key },
    tell: (each) => void all.push(each),
    random: () => 0,
    signal: stop.signal,
  });
  return {
    all,
    reasons: () => all.flatMap((each) => (each.kind === "lost" ? [each.reason] : [])),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await followed;
    },
  };
}

test("a stream begins with the whole view and the log, and goes on with changes", async () => {
  const view = sampleView(backendsOf(3));
  await using weir = showWeir(view);
  await using heard = hear(weir.url);
  await until(() => heard.all.some(({ kind }) => kind === "log"), "the log was told");
  expect(heard.all[0]).toEqual({ kind: "status", message: { kind: "whole", view } });
  weir.show({ ...view, totals: { ...view.totals, requests: 5 } });
  const changed = (): boolean =>
    heard.all.some(
      (each) =>
        each.kind === "status" && each.message.kind === "change" && each.message.change.totals.requests === 5,
    );
  await until(changed, "the change was told");
});

test("pauses between tries grow, and a good stream makes them short again", async () => {
  const weir = showWeir(sampleView(backendsOf(3)));
  await using heard = hear(weir.url);
  await until(() => heard.all.length > 0, "the first news");
  await weir[Symbol.asyncDispose]();
  const waits = (): readonly number[] =>
    heard.all.flatMap((each) => (each.kind === "lost" ? [each.waitMs] : []));
  const grows = (): boolean => waits().some((wait, at) => wait > (waits()[at - 1] ?? Infinity));
  await until(grows, "a pause was longer than the one before", 10_000);
  const seen = heard.all.length;
  await using back = showWeir(sampleView(backendsOf(3)), { port: Number(new URL(weir.url).port) });
  await until(() => heard.all.slice(seen).some(({ kind }) => kind === "status"), "it is back", 10_000);
  await back[Symbol.asyncDispose]();
  await until(() => heard.all.at(-1)?.kind === "lost", "lost again");
  expect(waits().at(-1)).toBe(Math.min(...waits()));
});

test("why there is no stream is told in words", async () => {
  await using weir = showWeir(sampleView(backendsOf(3)), { key: "right" });
  await using refused = hear(weir.url, "wrong");
  using odd = Bun.serve({ port: 0, fetch: () => new Response("event: status\ndata: {}\n\n") });
  await using misled = hear(odd.url.origin);
  await until(() => refused.reasons().length > 0 && misled.reasons().length > 0, "both were told");
  expect(refused.reasons()[0]).toBe("it refuses this admin key (WEIR_ADMIN_KEY)");
  expect(misled.reasons()[0]).toBe("the status is not that of a weir of this version");
});
