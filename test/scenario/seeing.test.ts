// What the displays say against what really happened: the fake's ledger on the one side, its clients on the other.
import { expect, setDefaultTimeout, test } from "bun:test";
import { runTopCommand } from "../../src/commands/top.ts";
import { startFake } from "../../src/fake/server.ts";
import type { StatusView } from "../../src/core/status.ts";
import { applyStatus, type StatusMessage } from "../../src/core/status-change.ts";
import { parseExposition, sumOf } from "../support/exposition.ts";
import { readEvents } from "../support/sse.ts";
import {
  ANTHROPIC_KEYS,
  callMixed,
  isGood,
  OPENAI_KEYS,
  type Seen,
  startMixedScene,
} from "../support/mixed-calls.ts";
import { runCommand } from "../support/run-command.ts";
import { startWeir, type Weir } from "../support/weir.ts";

// Hundreds of calls, on machines that do other things too.
setDefaultTimeout(60_000);

const CANARY = /canary/;

const json = async (weir: Weir, path: string, init?: RequestInit) =>
  (await fetch(weir.url + path, init)).json();

test("every number that is shown agrees with the fake's ledger and with what clients saw", async () => {
  const { fake, weir } = startMixedScene();
  await using _ = weir;
  const seen = await callMixed(weir, 100);
  await Promise.all([weir.idle(), fake.ledger.settled()]);
  const calls = fake.ledger.calls();
  const answer = await json(weir, "/api/dashboard");
  const view: StatusView = answer.weir;
  const samples = parseExposition(await (await fetch(`${weir.url}/metrics`)).text());
  const usage = await json(weir, "/api/usage");
  const history = await json(weir, "/api/history");
  const usedKeys = usage.providers.flatMap((each: { keys: object[] }) => each.keys);

  const count = (kind: Seen["kind"]) => seen.filter((each) => each.kind === kind).length;
  expect(seen).toHaveLength(100);
  expect(count("broken")).toBeGreaterThan(0);
  expect(count("error")).toBeGreaterThan(0);
  const retries = seen.reduce((sum, { attempts }) => sum + Math.max(0, attempts - 1), 0);
  expect(retries).toBeGreaterThan(0);

  // Requests, as clients saw them.
  const { totals } = view;
  expect(totals).toMatchObject({
    requests: 100,
    succeeded: count("ok"),
    abandoned: 0,
    inFlight: 0,
    queued: 0,
  });
  expect(totals.rejected).toBe(seen.filter(({ status }) => status === 400).length);
  expect(totals.rejected + totals.refused + totals.failed).toBe(count("error") + count("broken"));
  expect(answer.requests).toEqual({
    total: 100,
    success: count("ok"),
    failures: 100 - count("ok"),
    success_rate: count("ok"),
  });
  expect(sumOf(samples, "weir_requests_total")).toBe(100);
  expect(sumOf(samples, "weir_requests_total", { outcome: "succeeded" })).toBe(count("ok"));
  expect(sumOf(samples, "weir_request_overhead_seconds_count")).toBe(100);

  // Attempts, as the ledger has them, by key.
  const good = calls.filter(isGood);
  expect(totals.attempts).toBe(calls.length);
  expect(totals.retries).toBe(retries);
  expect(totals.sentPerMinute).toBe(calls.length);
  expect(totals.completedPerMinute).toBe(good.length);
  expect(sumOf(samples, "weir_attempts_total")).toBe(calls.length);
  expect(sumOf(samples, "weir_retries_total")).toBe(retries);
  expect(
    answer.backends.reduce((sum: number, each: { total_requests: number }) => sum + each.total_requests, 0),
  ).toBe(calls.length);
  for (const key of [...OPENAI_KEYS, ...ANTHROPIC_KEYS]) {
    const own = calls.filter((call) => call.key === key);
    const limited = own.filter(({ status }) => status === 429).length;
    const input = own.filter(isGood).reduce((sum, call) => sum + call.usage.promptTokens, 0);
    const output = own.filter(isGood).reduce((sum, call) => sum + call.usage.completionTokens, 0);
    const slot = weir.slot(key);
    const { id } = slot.backend.credential;
    const counts = { inputTokens: input, outputTokens: output, rateLimited: limited };
    expect(view.keys.find((each) => each.id === id)).toMatchObject({
      ...counts,
      attempts: own.length,
      succeeded: own.filter(isGood).length,
      inFlight: 0,
    });
    expect(view.backends.find((each) => each.id === slot.backend.id)).toMatchObject({
      ...counts,
      attempts: own.length,
      pending: 0,
    });
    expect(usedKeys.find((each: { id: string }) => each.id === id)).toMatchObject({
      ...counts,
      requests: own.length,
    });
    expect(sumOf(samples, "weir_key_attempts_total", { key: id })).toBe(own.length);
    expect(sumOf(samples, "weir_key_attempts_total", { key: id, outcome: "rate_limited" })).toBe(limited);
    expect(sumOf(samples, "weir_tokens_total", { backend: slot.backend.id, direction: "input" })).toBe(input);
    expect(sumOf(samples, "weir_tokens_total", { backend: slot.backend.id, direction: "output" })).toBe(
      output,
    );
  }

  // By model and provider, and the sums of all.
  const tokens = (field: "promptTokens" | "completionTokens") =>
    good.reduce((sum, call) => sum + call.usage[field], 0);
  expect([totals.inputTokens, totals.outputTokens]).toEqual([
    tokens("promptTokens"),
    tokens("completionTokens"),
  ]);
  expect(totals.tokensPerMinute).toBe(tokens("promptTokens") + tokens("completionTokens"));
  for (const [model, provider] of [
    ["gpt-4o", "openai"],
    ["claude-x", "anthropic"],
  ]) {
    const own = calls.filter((call) => call.model === model).length;
    expect(view.models.find(({ name }) => name === model)).toMatchObject({ attempts: own, kind: "model" });
    expect(view.providers.find(({ name }) => name === provider)).toMatchObject({
      attempts: own,
      inFlight: 0,
    });
  }
  const failed = calls.filter((call) => !isGood(call) && call.status !== 400);
  expect(view.providers.reduce((sum, each) => sum + each.failed, 0)).toBe(failed.length);
  expect(view.failures.map(({ requestId }) => requestId)).toHaveLength(Math.min(100, failed.length));
  expect(Array.isArray(history)).toBe(true);
});

/** The rows of a table of the terminal view, by column; the last one may be empty. */
function readTable(text: string, title: string): readonly Readonly<Record<string, string>>[] {
  const [head = "", ...lines] = text.slice(text.indexOf(`\n${title}\n`) + title.length + 2).split("\n");
  const cells = (line: string) => line.trim().split(/\s{2,}/);
  const names = cells(head);
  const rows = lines.slice(0, lines.indexOf("")).map(cells);
  return rows.map((row) => Object.fromEntries(names.map((name, at) => [name, row[at] ?? ""])));
}

test("the terminal's view agrees with the fake's ledger too", async () => {
  const { fake, weir } = startMixedScene();
  await using _ = weir;
  const seen = await callMixed(weir, 100);
  await Promise.all([weir.idle(), fake.ledger.settled()]);
  const calls = fake.ledger.calls();
  const { out, code } = await runCommand(runTopCommand, {}, ["--once", "--url", weir.url]);
  const retries = seen.reduce((sum, { attempts }) => sum + Math.max(0, attempts - 1), 0);
  expect([code, CANARY.test(out)]).toEqual([0, false]);
  expect(out).toContain("requests 100 ");
  expect(out).toMatch(new RegExp(`attempts ${calls.length} +retries ${retries}\\s`));
  const keys = readTable(out, "Keys");
  const backends = readTable(out, "Backends");
  for (const key of [...OPENAI_KEYS, ...ANTHROPIC_KEYS]) {
    const own = calls.filter((call) => call.key === key);
    const label = `***${key.slice(-4)}`;
    const told = {
      Total: String(own.length),
      "Done/m": String(own.filter(isGood).length),
      "429": String(own.filter(({ status }) => status === 429).length),
    };
    expect(keys.find((row) => row["Key"] === label)).toMatchObject(told);
    expect(backends.find((row) => row["Key"] === label)).toMatchObject(told);
  }
});

test("a reader of events that puts the changes together has the same view as one that asks anew", async () => {
  const { fake, weir } = startMixedScene();
  await using _ = weir;
  const abort = new AbortController();
  const events = readEvents(await fetch(`${weir.url}/api/events`, { signal: abort.signal }));
  let view: StatusView | undefined;
  let failures = 0;
  let lines = 0;
  let called: Promise<unknown> | undefined;
  for await (const { event, data } of events) {
    if (event === "failure") failures += 1;
    if (event === "log") lines += 1;
    if (event !== "status") continue;
    view = applyStatus(view, data as StatusMessage);
    called ??= callMixed(weir, 30);
    if (view?.totals.requests === 30 && weir.app.inFlight() === 0) break;
  }
  abort.abort();
  await called;
  await fake.ledger.settled();
  const asked: StatusView = (await json(weir, "/api/dashboard")).weir;
  expect(view?.backends.map(({ attempts }) => attempts)).toEqual(
    asked.backends.map(({ attempts }) => attempts),
  );
  expect(view?.totals.attempts).toBe(asked.totals.attempts);
  expect(view?.keys.map(({ inputTokens }) => inputTokens)).toEqual(
    asked.keys.map(({ inputTokens }) => inputTokens),
  );
  expect(failures).toBe(asked.failures.length);
  expect(lines).toBeGreaterThan(30);
});

test("readers of events are told the end when weir stops, and hold it up for no time", async () => {
  const { weir } = startMixedScene();
  const response = await fetch(`${weir.url}/api/events`);
  const events = readEvents(response);
  expect((await events.next()).value?.event).toBe("status");
  expect((await fetch(`${weir.url}/api/events`, { method: "HEAD" })).headers.get("content-type")).toMatch(
    /event-stream/,
  );
  await weir[Symbol.asyncDispose]();
  for await (const { event } of events) expect(["status", "log", "failure"]).toContain(event);
});

test("usage begins anew after a reset, for one provider or for all, and the status goes on", async () => {
  const { weir } = startMixedScene();
  await using _ = weir;
  await callMixed(weir, 20);
  await weir.idle();
  const sums = (usage: { providers: readonly { provider: string; requests: number }[] }) =>
    Object.fromEntries(usage.providers.map(({ provider, requests }) => [provider, requests]));
  const before = sums(await json(weir, "/api/usage"));
  expect(before["openai"]).toBeGreaterThan(0);
  await json(weir, "/api/usage?provider=openai", { method: "DELETE" });
  expect(sums(await json(weir, "/api/usage"))).toEqual({ openai: 0, anthropic: before["anthropic"] ?? -1 });
  await json(weir, "/api/usage", { method: "DELETE" });
  expect(sums(await json(weir, "/api/usage"))).toEqual({ openai: 0, anthropic: 0 });
  const view: StatusView = (await json(weir, "/api/dashboard")).weir;
  expect(view.totals.requests).toBe(20);
  const unknown = await fetch(`${weir.url}/api/usage?provider=nobody`);
  expect(unknown.status).toBe(400);
  expect(await unknown.text()).toContain("there are: openai, anthropic");
});

test("what the JSON API and the lists of models refuse has the shape of all errors", async () => {
  await using weir = startWeir({
    providers: [{ name: "openai", urls: ["http://127.0.0.1:1"], keys: ["k"] }],
  });
  const paths = [
    "/api/explain",
    "/api/explain?model=m&family=x",
    "/api/history?range=1y",
    "/api/log?level=loud",
    "/api/usage?provider=x",
    "/v1/models/nobody",
    "/api/nothing",
  ];
  for (const path of paths) {
    const response = await fetch(weir.url + path);
    const { error } = (await response.json()) as { error: object };
    const type = response.headers.get("content-type");
    expect([path, type, Object.keys(error).sort()]).toEqual([
      path,
      "application/json",
      ["code", "message", "param", "type"],
    ]);
  }
});

test("no key appears in any page, whatever goes wrong", async () => {
  const { weir } = startMixedScene();
  await using _ = weir;
  await callMixed(weir, 40);
  await weir.post("/v1/chat/completions", { model: "sk-none", messages: [] });
  const paths = [
    "/metrics",
    "/api/dashboard",
    "/api/history?backends=*",
    "/api/history?range=10m&backends=*",
    "/api/history?range=6h",
    "/api/usage",
    "/api/log",
  ];
  for (const path of paths) {
    const response = await fetch(weir.url + path);
    expect([path, response.status]).toEqual([path, 200]);
    expect(await response.text()).not.toMatch(CANARY);
  }
  const abort = new AbortController();
  for await (const { data } of readEvents(await fetch(`${weir.url}/api/events`, { signal: abort.signal }))) {
    expect(JSON.stringify(data)).not.toMatch(CANARY);
    break;
  }
  abort.abort();
});

test("names that callers make up add no series and no rows", async () => {
  const fake = startFake({});
  await using weir = startWeir({ providers: [{ name: "openai", urls: [fake.url], keys: OPENAI_KEYS }] });
  const ask = async (model: string) =>
    (await weir.post("/v1/embeddings", { model, input: "x" }, { headers: { "x-request-id": model } })).text();
  const seriesOf = async () => parseExposition(await (await fetch(`${weir.url}/metrics`)).text()).length;
  for (let index = 0; index < 3; index += 1) await ask(`warm-${index}`);
  const before = await seriesOf();
  for (let index = 0; index < 100; index += 1) await ask(`junk-${index}`);
  expect(await seriesOf()).toBe(before);
  const { models } = (await json(weir, "/api/dashboard")).weir;
  expect(models.map(({ name }: { name: string }) => name)).toEqual(["other"]);
});
