import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FakeScript } from "../../src/fake/script.ts";
import { type Fake, startFake } from "../../src/fake/server.ts";
import { childrenOf, runBenchProcess, startBench } from "../support/bench.ts";
import { runInTerminal } from "../support/screen.ts";
import { until } from "../support/until.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");
const TIMEOUT_MS = 60_000;
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

function serveFake(script: FakeScript = {}): Fake {
  const fake = startFake({ script });
  stops.push(() => fake.stop());
  return fake;
}

function createFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "weir-bench-"));
  stops.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const argsFor = (fake: { readonly url: string }, ...more: readonly string[]): string[] => [
  "-u",
  fake.url,
  "-m",
  "gpt-4o",
  "--json",
  "-",
  ...more,
];

describe("the figures of weir bench", () => {
  test(
    "agree with the ledger of the server, call for call and chunk for chunk, over several processes",
    async () => {
      const fake = serveFake({ ttft: "50ms", gap: "10ms", tokens: 12 });
      const { code, report } = await runBenchProcess(
        argsFor(fake, "-c", "31", "-w", "3", "-n", "200", "--stream"),
      );
      const { requests, tokens, plan, client, errors, firstTokenMs, gapMs, latencyMs, schema } = report();
      const ledger = fake.ledger.counters();
      expect([code, schema, errors, plan.workers]).toEqual([0, "weir.bench/1", [], 3]);
      expect(requests).toMatchObject({ started: 200, done: 200, ok: 200, failed: 0, unfinished: 0 });
      expect(ledger).toMatchObject({ calls: 200, finished: 200 });
      expect([tokens.chunks, tokens.reportedOutput]).toEqual([ledger.chunks, ledger.chunks]);
      expect([firstTokenMs?.count, gapMs?.count, latencyMs?.count]).toEqual([200, 200 * 11, 200]);
      expect(firstTokenMs!.min).toBeGreaterThanOrEqual(49);
      expect(latencyMs!.min).toBeGreaterThanOrEqual(49 + 11 * 10);
      // A gap after a late chunk is short: what is sure is when the last one is due, and that the end comes after it.
      const lastMs = firstTokenMs!.mean + 11 * gapMs!.mean;
      expect(lastMs).toBeGreaterThan(0.99 * (50 + 11 * 10));
      expect(lastMs).toBeLessThan(1.01 * latencyMs!.mean);
      expect(client.connections).toBe(31);
      expect(client.cpuPerChunkUs).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );

  test(
    "count wrong answers by their kind, and right ones beside them",
    async () => {
      const fake = serveFake({
        tokens: 5,
        rules: [
          { times: 1, do: { fault: "early_end", after: 2 } },
          { times: 1, do: 503 },
          { times: 1, do: { status: 200, body: { fast: "and wrong" } } },
          { times: 1, do: { fault: "reset", after: 2 } },
          { times: 1, do: { fault: "error_later", after: 2, error: "overloaded" } },
        ],
      });
      const { code, report } = await runBenchProcess(argsFor(fake, "-c", "1", "-n", "8", "--stream"));
      const { requests, errors } = report();
      expect([code, requests.ok, requests.failed]).toEqual([0, 3, 5]);
      const texts = errors.map(({ text, times }) => `${times} ${text}`).sort();
      expect(texts).toHaveLength(5);
      expect(texts).toContain("1 the stream ended without its last event");
      expect(texts).toContain("1 the answer is no stream");
      expect(texts.some((text) => text.startsWith("1 HTTP 503"))).toBe(true);
      expect(texts.some((text) => text.startsWith("1 error in the stream: "))).toBe(true);
      expect(
        texts.some((text) => /^1 (?:closed in the middle of an answer|connection broke)$/.test(text)),
      ).toBe(true);
    },
    TIMEOUT_MS,
  );

  test(
    "leave the warm-up out",
    async () => {
      const fake = serveFake({ latency: "20ms", tokens: 1 });
      const { report } = await runBenchProcess(argsFor(fake, "-c", "4", "--warmup", "400ms", "-n", "20"));
      const { requests } = report();
      expect(requests).toMatchObject({ started: 20, ok: 20 });
      expect(requests.warmUp).toBeGreaterThan(0);
      expect(fake.ledger.counters().calls).toBe(20 + requests.warmUp);
    },
    TIMEOUT_MS,
  );

  test(
    "count a call that takes longer than its time-out",
    async () => {
      const fake = serveFake({ rules: [{ do: "hang_headers" }] });
      const { code, report } = await runBenchProcess(argsFor(fake, "-c", "2", "-n", "2", "-t", "1"));
      expect(report().errors).toEqual([{ text: "timeout", times: 2 }]);
      expect(code).toBe(1);
      await until(() => fake.ledger.counters().aborted === 2, "both are cancelled");
    },
    TIMEOUT_MS,
  );
});

describe("an open loop", () => {
  test(
    "measures from the intended time: a server that stalls for a second is seen to",
    async () => {
      const fake = serveFake({ tokens: 1 });
      const bench = startBench(
        argsFor(fake, "--rate", "200", "--arrivals", "even", "-d", "3s", "--drain", "20s"),
      );
      await until(() => fake.ledger.counters().calls > 100, "it runs", 20_000);
      Bun.sleepSync(1000);
      const { requests, latencyMs, errors } = (await bench.ended).report();
      expect([requests.started, requests.ok, errors]).toEqual([600, 600, []]);
      expect(latencyMs!.max).toBeGreaterThan(900);
      // A third of the calls was due in that second; a closed loop would have seen one slow call for each connection.
      expect(latencyMs!.p90).toBeGreaterThan(500);
      expect(fake.ledger.counters().calls).toBe(600);
    },
    TIMEOUT_MS,
  );

  test(
    "shows growing latency at a rate that the server cannot hold",
    async () => {
      let free = Promise.resolve();
      const answer = JSON.stringify({ choices: [{ message: { content: "x" } }] });
      // One at a time, 20 ms each: fifty a second.
      const server = Bun.serve({
        hostname: "127.0.0.1",
        port: 0,
        async fetch() {
          free = free.then(() => Bun.sleep(20));
          await free;
          return new Response(answer);
        },
      });
      stops.push(() => server.stop(true));
      const { report } = await runBenchProcess(
        argsFor({ url: server.url.href }, "--rate", "150", "-d", "2s", "--drain", "30s", "-w", "2"),
      );
      const { seconds, latencyMs, requests } = report();
      const medians = seconds.flatMap(({ latencyP50Ms }) => (latencyP50Ms === null ? [] : [latencyP50Ms]));
      expect(requests.failed).toBe(0);
      expect(medians.at(-1)!).toBeGreaterThan(2 * medians[0]!);
      expect(latencyMs!.max).toBeGreaterThan(2000);
    },
    TIMEOUT_MS,
  );

  test(
    "tells calls that it could not send for want of room",
    async () => {
      const fake = serveFake({ rules: [{ do: "hang_headers" }] });
      const { code, report } = await runBenchProcess(
        argsFor(fake, "--rate", "100", "--arrivals", "even", "-c", "5", "-d", "1s", "--drain", "0"),
      );
      const { requests, errors } = report();
      expect([requests.started, requests.unfinished, requests.failed, code]).toEqual([100, 5, 95, 1]);
      expect(errors).toEqual([{ text: "not sent: too many in flight (-c)", times: 95 }]);
    },
    TIMEOUT_MS,
  );
});

describe("Ctrl-C", () => {
  test(
    "once ends with a report of what was measured",
    async () => {
      const fake = serveFake({ ttft: "10ms", gap: "10ms", tokens: 5 });
      const bench = startBench(argsFor(fake, "-c", "8", "-w", "2", "-d", "10m", "--stream"));
      // Eight more than are looked for below: as many may be on their way.
      await until(() => fake.ledger.counters().finished > 28, "it runs", 20_000);
      bench.kill("SIGINT");
      const { code, report } = await bench.ended;
      const { requests, endedBy, problems } = report();
      expect([code, endedBy, problems]).toEqual([0, "signal", []]);
      await until(() => fake.openCalls === 0, "nothing is left");
      const { calls } = fake.ledger.counters();
      expect(requests.started).toBe(calls);
      expect(requests.ok + requests.unfinished).toBe(calls);
      expect(requests.ok).toBeGreaterThan(20);
    },
    TIMEOUT_MS,
  );

  test(
    "reaches every process of a terminal, and still brings the report of all",
    async () => {
      const fake = serveFake({ ttft: "10ms", gap: "10ms", tokens: 5 });
      const args = [
        "-u",
        fake.url,
        "-m",
        "gpt-4o",
        "-c",
        "4",
        "-w",
        "2",
        "-d",
        "10m",
        "--stream",
        "--no-visual",
      ];
      await using run = runInTerminal({
        command: [process.execPath, MAIN, "bench", ...args],
        env: {},
        columns: 200,
        rows: 50,
      });
      await run.shows(/[1-9]\d* done, 0 failed/);
      run.type("\u0003");
      expect(await run.exited).toBe(0);
      await run.shows("stopped by hand");
      expect(run.screen.text()).not.toContain("broken");
      expect(run.screen.modes.has("1049")).toBe(false);
    },
    TIMEOUT_MS,
  );

  test(
    "is one signal with that of `timeout` and batch systems, which reaches every process at once",
    async () => {
      const fake = serveFake({ ttft: "10ms", gap: "10ms", tokens: 5 });
      const bench = startBench(argsFor(fake, "-c", "8", "-w", "2", "-d", "10m", "--stream"));
      await until(() => fake.ledger.counters().finished > 20, "it runs", 20_000);
      for (const pid of [...childrenOf(bench.pid), bench.pid]) process.kill(pid, "SIGTERM");
      const { code, report } = await bench.ended;
      const { requests, endedBy, problems } = report();
      expect([code, endedBy, problems]).toEqual([0, "signal", []]);
      await until(() => fake.openCalls === 0, "nothing is left");
      expect(requests.started).toBe(fake.ledger.counters().calls);
    },
    TIMEOUT_MS,
  );

  test(
    "twice ends at once with 130, even when the workers do not answer, and leaves no process",
    async () => {
      const fake = serveFake({ rules: [{ do: "hang_headers" }] });
      const bench = startBench(argsFor(fake, "-c", "4", "-w", "2", "-d", "10m"));
      await until(() => fake.openCalls === 4, "it runs", 20_000);
      const workers = childrenOf(bench.pid);
      expect(workers).toHaveLength(2);
      for (const worker of workers) process.kill(worker, "SIGSTOP");
      // Two signals at the same moment would be one.
      const pressing = setInterval(() => bench.kill("SIGINT"), 50);
      const { code, out } = await bench.ended;
      clearInterval(pressing);
      expect([code, out]).toEqual([130, ""]);
      await until(() => fake.openConnections === 0, "every worker is gone", 10_000);
    },
    TIMEOUT_MS,
  );

  test(
    "is not needed when the parent dies: its workers end by themselves",
    async () => {
      const fake = serveFake({ rules: [{ do: "hang_headers" }] });
      const bench = startBench(argsFor(fake, "-c", "4", "-w", "2", "-d", "10m"));
      await until(() => fake.openCalls === 4, "it runs", 20_000);
      bench.kill("SIGKILL");
      await until(() => fake.openConnections === 0, "every worker is gone", 10_000);
      await bench.ended;
    },
    TIMEOUT_MS,
  );
});

describe("weir bench", () => {
  test(
    "tells of a worker that broke, and reports what the others measured",
    async () => {
      const fake = serveFake({ latency: "5ms", tokens: 1 });
      const bench = startBench(argsFor(fake, "-c", "4", "-w", "2", "-d", "3s"));
      await until(() => fake.ledger.counters().finished > 10, "it runs", 20_000);
      process.kill(childrenOf(bench.pid)[0]!, "SIGKILL");
      const { code, report } = await bench.ended;
      expect(code).toBe(1);
      expect(report().requests.ok).toBeGreaterThan(10);
      expect(report().problems).toEqual([expect.stringMatching(/^worker \d ended early with SIGKILL/)]);
    },
    TIMEOUT_MS,
  );

  test(
    "spreads models and keys, sends prompts from a file, and shows no key",
    async () => {
      const fake = serveFake({ tokens: 2, keys: ["sk-one-00001", "sk-two-00002"] });
      const folder = createFolder();
      const prompts = join(folder, "prompts.jsonl");
      writeFileSync(prompts, '"first"\n{"messages":[{"role":"user","content":"second"}],"temperature":0}\n');
      const json = join(folder, "report.json");
      const { code, out, err } = await runBenchProcess(
        [
          "-u",
          `${fake.url}/v1`,
          "-m",
          "a,b",
          "-n",
          "40",
          "-c",
          "4",
          "--prompts",
          prompts,
          "--json",
          json,
          "--header",
          "x-team: blue",
        ],
        { WEIR_API_KEY: "sk-one-00001,sk-two-00002" },
      );
      expect(code).toBe(0);
      const calls = fake.ledger.calls();
      expect(new Set(calls.map(({ model }) => model))).toEqual(new Set(["a", "b"]));
      expect(calls.filter(({ key }) => key === "sk-one-00001")).toHaveLength(20);
      expect(new Set(calls.map(({ headers }) => headers["x-team"]))).toEqual(new Set(["blue"]));
      const file = readFileSync(json, "utf8");
      expect(JSON.parse(file)).toMatchObject({ requests: { ok: 40 }, plan: { apiKeys: 2 } });
      for (const text of [out, err, file]) expect(text).not.toContain("sk-");
      for (const part of ["requests        40", "right           40, 100 %", "p99.9", "of CPU"])
        expect(out).toContain(part);
    },
    TIMEOUT_MS,
  );

  test.each(["messages", "responses", "completions", "embeddings"])(
    "measures %s",
    async (api) => {
      const fake = serveFake({ tokens: 4 });
      const stream = api === "embeddings" ? [] : ["--stream"];
      const { report } = await runBenchProcess(argsFor(fake, "--api", api, "-n", "6", "-c", "2", ...stream));
      const { requests, errors, tokens } = report();
      expect([requests.ok, errors]).toEqual([6, []]);
      expect(tokens.chunks).toBe(api === "embeddings" ? 0 : 24);
    },
    TIMEOUT_MS,
  );

  test(
    "asks for the only model that the server lists, and refuses to choose among several",
    async () => {
      const one = serveFake({ models: ["only-model"], tokens: 1 });
      const { report } = await runBenchProcess(["-u", one.url, "-n", "1", "--json", "-"]);
      expect(report().plan.models).toEqual([{ model: "only-model", weight: 1 }]);
      const two = serveFake({ models: ["a-model", "b-model"] });
      const { code, err } = await runBenchProcess(["-u", two.url, "-n", "1"]);
      expect(code).toBe(1);
      expect(err).toContain("lists 2 (a-model, b-model); name one with --model");
      expect(two.ledger.calls().filter(({ method }) => method === "POST")).toEqual([]);
    },
    TIMEOUT_MS,
  );

  test(
    "ends with 1 when no call succeeded, and with 64 or 1 before any call when it cannot begin",
    async () => {
      const { url } = serveFake({ accept: "refuse" });
      const refused = await runBenchProcess(argsFor({ url }, "-n", "3", "-c", "1"));
      expect([refused.code, refused.report().errors]).toEqual([
        1,
        [{ text: "cannot connect: ECONNREFUSED", times: 3 }],
      ]);
      const wrong = await runBenchProcess(["-c", "x"]);
      expect([wrong.code, wrong.out]).toEqual([64, ""]);
      const missing = await runBenchProcess(argsFor({ url }, "--prompts", "/nowhere/prompts.jsonl"));
      expect([missing.code, missing.err]).toEqual([1, "cannot read /nowhere/prompts.jsonl: ENOENT\n"]);
      const unwritable = await runBenchProcess(["-u", url, "-m", "x", "--json", "/nowhere/report.json"]);
      expect([unwritable.code, unwritable.err]).toEqual([1, "cannot write /nowhere/report.json: ENOENT\n"]);
      // A disk that is full by then takes the file, not the report.
      const full = await runBenchProcess(["-u", url, "-m", "x", "-n", "1", "--json", "/dev/full"]);
      expect([full.code, full.err]).toEqual([1, "cannot write /dev/full: ENOSPC\n"]);
      expect(full.out).toContain("requests        1, ");
    },
    TIMEOUT_MS,
  );

  test(
    "tells that it has no descriptor left, and blames no server for it",
    async () => {
      const fake = serveFake({ ttft: "2s", tokens: 1 });
      const few = ["sh", "-c", 'ulimit -n 120 && exec "$@"', "sh", process.execPath, MAIN];
      const args = argsFor(fake, "-c", "200", "-n", "200", "--ramp-up", "0");
      const { code, err, report } = await startBench(args, {}, few).ended;
      const { requests, errors } = report();
      expect([code, err.startsWith("warning: up to 200 calls at a time need 264 descriptors")]).toEqual([
        0,
        true,
      ]);
      expect(requests.failed).toBeGreaterThan(0);
      expect(errors).toEqual([
        {
          text: "cannot connect: no descriptor is left here: use more workers (-w) or a higher ulimit -n",
          times: requests.failed,
        },
      ]);
    },
    TIMEOUT_MS,
  );

  test(
    "draws its view in a terminal, and leaves the report on the screen when Ctrl-C ends it",
    async () => {
      const fake = serveFake({ ttft: "10ms", gap: "10ms", tokens: 5 });
      await using run = runInTerminal({
        command: [
          process.execPath,
          MAIN,
          "bench",
          "-u",
          fake.url,
          "-m",
          "gpt-4o",
          "-c",
          "4",
          "-d",
          "10m",
          "--stream",
        ],
        env: {},
        columns: 80,
        rows: 24,
      });
      await run.shows(/latency +\d/);
      await run.shows(/requests\/s +[^ ]*[▁-█]/);
      expect(run.screen.modes.has("1049")).toBe(true);
      run.resize(100, 40);
      await run.shows("first token");
      run.type("\u0003");
      expect(await run.exited).toBe(0);
      expect(run.screen.modes.has("1049")).toBe(false);
      expect(run.screen.raw()).toContain("stopped by hand");
      expect(run.screen.unknown).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
