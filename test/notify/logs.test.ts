import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Secret } from "../../src/core/credential.ts";
import type { AttemptFinished, RequestFinished } from "../../src/core/event.ts";
import { createLogs, type LogsTerms } from "../../src/notify/logs.ts";
import { until } from "../support/until.ts";

const KEY = "sk-canary-0123456789abcdef";

const REQUEST: RequestFinished = {
  kind: "request_finished",
  requestId: "r-1",
  family: "openai",
  method: "POST",
  path: "/v1/chat/completions",
  model: "gpt-4o",
  route: "openai",
  backend: "openai-1",
  status: 200,
  attempts: 2,
  fallbacks: 0,
  ending: "complete",
  firstByteMs: 12.345,
  durationMs: 99.99,
  queuedMs: 0,
  overheadMs: 1.26,
  usage: { inputTokens: 7, outputTokens: 8 },
};

const ATTEMPT: AttemptFinished = {
  kind: "attempt_finished",
  requestId: "r-1",
  provider: "openai",
  backend: "openai-1",
  key: "***cdef",
  keyId: "openai-k1",
  route: "openai",
  model: "gpt-4o",
  label: "gpt-4o",
  attempt: 2,
  after: "rate_limited",
  outcome: "success",
  status: 200,
  detail: "200 ok",
  firstByteMs: 12.345,
  durationMs: 88,
  usage: { inputTokens: 7, outputTokens: 8 },
};

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "weir-logs-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function start(terms: Partial<LogsTerms> = {}) {
  const lines: string[] = [];
  const logs = createLogs({
    level: "info",
    format: "json",
    wall: Date.now,
    write: (line) => void lines.push(line),
    retryMs: 1,
    ...terms,
  });
  return { logs, lines, rows: () => lines.map((line) => JSON.parse(line)) };
}

describe("logs", () => {
  test("have one line for each request, with what it cost", () => {
    const { logs, rows } = start();
    logs.emit(ATTEMPT);
    logs.emit(REQUEST);
    expect(rows()).toEqual([
      {
        time: expect.any(String),
        level: "info",
        message: "request",
        id: "r-1",
        method: "POST",
        path: "/v1/chat/completions",
        model: "gpt-4o",
        backend: "openai-1",
        status: 200,
        attempts: 2,
        first_byte_ms: 12.3,
        duration_ms: 100,
        tokens_in: 7,
        tokens_out: 8,
      },
    ]);
  });

  test("name weir's own reason for a refusal", () => {
    const { logs, rows } = start();
    logs.emit({ ...REQUEST, status: 429, code: "rate_limit_exceeded", attempts: 0 });
    expect(rows()).toMatchObject([{ status: 429, code: "rate_limit_exceeded" }]);
  });

  test("tell a wait in weir, where there was one", () => {
    const { logs, rows } = start();
    for (const queuedMs of [0.04, 3004.56]) logs.emit({ ...REQUEST, queuedMs, durationMs: 4000 });
    expect(rows().map((row) => row.queued_ms)).toEqual([undefined, 3004.6]);
  });

  test("have the attempts too at debug", () => {
    const { logs, rows } = start({ level: "debug" });
    logs.emit(ATTEMPT);
    expect(rows()).toMatchObject([
      { level: "debug", message: "attempt", id: "r-1", attempt: 2, key: "***cdef", outcome: "success" },
    ]);
  });

  test("hold no secret, whatever brought it there", () => {
    const { logs, lines } = start({ level: "debug" });
    logs.know([new Secret(KEY)]);
    logs.emit({ ...REQUEST, path: `/v1/${KEY}`, model: `m-${KEY}`, requestId: KEY });
    logs.emit({ ...ATTEMPT, detail: `connect to http://u:${KEY}@h failed` });
    logs.emit({ kind: "server_error", reason: `\n${KEY}\n` });
    logs.emit({ kind: "reload_rejected", problems: ["a", `found ${KEY}`] });
    expect(lines).toHaveLength(4);
    expect(lines.join("")).not.toContain("canary");
    expect(JSON.stringify(logs.recentLines())).not.toContain("canary");
  });

  test("cut long values, and no secret in two", () => {
    const { logs, rows } = start();
    logs.know([new Secret(KEY)]);
    logs.emit({ ...REQUEST, model: "m".repeat(1020) + KEY + "m".repeat(1_000_000) });
    const [{ model }] = rows();
    expect(model).toBe(`${"m".repeat(1020)}***m`);
  });

  test("keep the last 500 lines for displays, those of info too where only warnings are written", () => {
    const { logs, lines } = start({ level: "error" });
    for (let count = 1; count <= 600; count += 1) logs.emit({ ...REQUEST, requestId: `r-${count}` });
    logs.emit(ATTEMPT);
    expect(lines).toEqual([]);
    const recent = logs.recentLines();
    expect(recent).toHaveLength(500);
    expect(recent.map(({ seq }) => seq)).toEqual(recent.map((_, at) => at + 101));
    expect(recent.at(-1)).toMatchObject({ level: "info", message: "request", fields: { id: "r-600" } });
  });

  test("go to files as well, as JSON, and count what those lose", async () => {
    const dir = join(root, "logs");
    const files = { dir, maxBytes: 1e6, maxFiles: 3, maxAgeMs: 0 };
    writeFileSync(dir, "in the way");
    const { logs, lines } = start({ format: "text", files });
    logs.emit(REQUEST);
    await until(() => logs.dropped() === 1, "the line is counted as lost");
    await until(() => lines.length === 2, "the trouble is told");
    expect(lines[1]).toContain("cannot write log files, going on without");
    rmSync(dir);
    logs.emit({ ...REQUEST, requestId: "r-2" });
    await until(() => logRows(dir).some(({ id }) => id === "r-2"), "lines arrive again");
    await logs.stop();
    expect(logRows(dir)[0]).toMatchObject({
      message: "log lines were dropped here",
      lines: expect.any(Number),
    });
  });
});

function logRows(dir: string): { id?: string }[] {
  try {
    return readdirSync(dir)
      .map((name) => readFileSync(join(dir, name), "utf8"))
      .join("")
      .split("\n")
      .filter((text) => text !== "")
      .map((text) => JSON.parse(text));
  } catch {
    return [];
  }
}

describe("a trace", () => {
  test("has a line for every attempt and every request, and no key", async () => {
    const trace = join(root, "trace.jsonl");
    const { logs } = start({ trace });
    logs.know([new Secret(KEY)]);
    logs.emit({ ...ATTEMPT, model: KEY });
    logs.emit(REQUEST);
    logs.emit({ kind: "pool_changed", by: "reload", version: 2, backends: 1 });
    await logs.stop();
    const text = readFileSync(trace, "utf8");
    expect(text).not.toContain("canary");
    const rows = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(rows).toEqual([
      {
        time: expect.any(String),
        kind: "attempt",
        id: "r-1",
        attempt: 2,
        after: "rate_limited",
        route: "openai",
        model: "***",
        provider: "openai",
        backend: "openai-1",
        key: "***cdef",
        outcome: "success",
        status: 200,
        detail: "200 ok",
        first_byte_ms: 12.3,
        duration_ms: 88,
        tokens_in: 7,
        tokens_out: 8,
      },
      {
        time: expect.any(String),
        kind: "request",
        id: "r-1",
        method: "POST",
        path: "/v1/chat/completions",
        route: "openai",
        model: "gpt-4o",
        backend: "openai-1",
        status: 200,
        attempts: 2,
        fallbacks: 0,
        ending: "complete",
        first_byte_ms: 12.3,
        duration_ms: 100,
        tokens_in: 7,
        tokens_out: 8,
        queued_ms: 0,
        overhead_ms: 1.3,
      },
    ]);
  });
});
