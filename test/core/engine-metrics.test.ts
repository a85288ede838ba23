import { describe, expect, test } from "bun:test";
import { array, assert, constantFrom, property } from "fast-check";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEngineMetrics } from "../../src/core/engine-metrics.ts";
import { startFake } from "../../src/fake/server.ts";

const page = (name: string): string =>
  readFileSync(join(import.meta.dir, `../fixtures/metrics-${name}.txt`), "utf8");

describe("an engine's page", () => {
  test("of vLLM before 0.10 is read, with its cache by the old name", () => {
    expect(parseEngineMetrics(page("vllm-old"))).toEqual({
      engine: "vllm",
      waiting: 15,
      running: 8,
      cacheShare: 0.7423,
      promptTokens: 1_728_195,
      generationTokens: 453_453,
    });
  });

  test("of vLLM with two data-parallel engines is summed, the cache averaged", () => {
    expect(parseEngineMetrics(page("vllm-parallel"))).toEqual({
      engine: "vllm",
      waiting: 3,
      running: 21,
      cacheShare: 0.4,
      promptTokens: 3000,
      generationTokens: 700,
    });
  });

  test("of SGLang is read, without counting the parts by priority again", () => {
    expect(parseEngineMetrics(page("sglang"))).toEqual({
      engine: "sglang",
      waiting: 2826,
      running: 162,
      cacheShare: 0.28,
      promptTokens: 8_128_902,
      generationTokens: 7_557_572,
    });
  });

  test("of llama.cpp is read, which has no labels and no cache", () => {
    expect(parseEngineMetrics(page("llamacpp"))).toEqual({
      engine: "llamacpp",
      waiting: 46,
      running: 4,
      promptTokens: 5312,
      generationTokens: 17_029,
    });
  });

  test.each(["vllm", "vllm-old", "sglang"] as const)("of the fake's %s is read", async (engine) => {
    const fake = startFake({
      script: { metrics: { engine, waiting: [7, 5], running: [2, 1], kv_cache: [0.2, 0.6] } },
    });
    const text = await (await fetch(`${fake.url}/metrics`)).text();
    expect(parseEngineMetrics(text)).toMatchObject({
      engine: engine === "sglang" ? "sglang" : "vllm",
      waiting: 12,
      running: 3,
      cacheShare: 0.4,
      generationTokens: 0,
    });
    await fake.stop();
  });

  test("with plain names is read as a last resort", () => {
    expect(parseEngineMetrics("num_requests_running 3\nnum_requests_waiting 2\n")).toEqual({
      engine: "unnamed",
      waiting: 2,
      running: 3,
    });
  });

  test.each([
    ["", "nothing"],
    ["404 page not found\n", "a word"],
    ["<!doctype html><html><body>vllm:num_requests_waiting 3</body></html>", "a page for people"],
    ['{"error":"not found"}', "JSON"],
    ["process_cpu_seconds_total 12.5\nvllm:prompt_tokens_total 4\n", "metrics without a queue"],
    ["# TYPE vllm:num_requests_waiting gauge\n# vllm:num_requests_waiting 4\n", "comments"],
    ["vllm:num_requests_waiting NaN\nvllm:num_requests_running +Inf\n", "no number"],
  ])("%j has no reading: %s", (text) => {
    expect(parseEngineMetrics(text)).toBeUndefined();
  });
});

const long = (bytes: number): string => `vllm:num_requests_waiting{a="${"x".repeat(bytes)}"} 4`;

const cache = (text: string): number | undefined =>
  parseEngineMetrics(`vllm:num_requests_waiting 0\n${text}\n`)?.cacheShare;

const waiting = (text: string): number | undefined => parseEngineMetrics(`${text}\n`)?.waiting;

describe("a line", () => {
  test.each([
    ["vllm:num_requests_waiting 4", 4],
    ["vllm:num_requests_waiting\t4", 4],
    ["vllm:num_requests_waiting{} 4", 4],
    ["vllm:num_requests_waiting {} 4", 4],
    ["vllm:num_requests_waiting 4\r", 4],
    ["vllm:num_requests_waiting 4.0 1735689600000", 4],
    ['vllm:num_requests_waiting{a="b"} 4 1735689600000', 4],
    ['vllm:num_requests_waiting{a="b"} 4 # {trace_id="x"} 9 1735689600', 4],
    ['vllm:num_requests_waiting{a="}\\" 9 {",b=","} 4', 4],
    ['vllm:num_requests_waiting{a="\\\\"} 4', 4],
    ['vllm:num_requests_waiting{higher_priority="9"} 4', 4],
    ["vllm:num_requests_waiting 4e1", 40],
    ["vllm:num_requests_waiting 1.5E+1", 15],
    ["vllm:num_requests_waiting +4", 4],
    ["vllm:num_requests_waiting 0", 0],
  ])("%j counts as %d", (text, value) => {
    expect(waiting(text)).toBe(value);
  });

  test.each([
    "vllm:num_requests_waiting",
    "vllm:num_requests_waiting ",
    "vllm:num_requests_waiting -4",
    "vllm:num_requests_waiting NaN",
    "vllm:num_requests_waiting +Inf",
    "vllm:num_requests_waiting 0x10",
    "vllm:num_requests_waiting 4,5",
    "vllm:num_requests_waiting 1e400",
    "vllm:num_requests_waiting 1e300",
    'vllm:num_requests_waiting{a="b 4',
    'vllm:num_requests_waiting{a="b" 4',
    "vllm:num_requests_waiting_total 4",
    "xvllm:num_requests_waiting 4",
    " vllm:num_requests_waiting 4",
  ])("%j does not count", (text) => {
    expect(waiting(text)).toBeUndefined();
  });

  test("that is no number leaves the others of its name", () => {
    expect(waiting('vllm:num_requests_waiting{m="1"} 4\nvllm:num_requests_waiting{m="2"} NaN')).toBe(4);
  });

  test("of ten kilobytes counts, one of a hundred does not", () => {
    expect(waiting(long(10_000))).toBe(4);
    expect(waiting(long(100_000))).toBeUndefined();
  });
});

describe("the cache", () => {
  test("is taken by its new name where both are printed", () => {
    expect(cache("vllm:gpu_cache_usage_perc 0.1\nvllm:kv_cache_usage_perc 0.2")).toBe(0.2);
  });

  test("is a share even of exporters that print percent, and never above 1", () => {
    expect(cache("vllm:gpu_cache_usage_perc 55.0")).toBe(0.55);
    expect(cache("vllm:gpu_cache_usage_perc 1")).toBe(1);
    expect(cache("vllm:gpu_cache_usage_perc 900")).toBe(1);
  });
});

describe("a hostile page", () => {
  test("of 40 MB is read for its first 8, in bounded time", () => {
    const filler = `${"x".repeat(99)}\n`.repeat(400_000);
    // By the processor's time, of which a busy machine takes none.
    const before = process.cpuUsage();
    expect(parseEngineMetrics(`vllm:num_requests_waiting 4\n${filler}`)?.waiting).toBe(4);
    expect(parseEngineMetrics(`${filler}vllm:num_requests_waiting 4\n`)).toBeUndefined();
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(1000);
  });

  test("of empty lines is given up", () => {
    expect(parseEngineMetrics(`${"\n".repeat(300_000)}vllm:num_requests_waiting 4`)).toBeUndefined();
  });

  test("of any text never throws, and counts are finite and not negative", () => {
    const piece = constantFrom(
      "vllm:num_requests_waiting",
      "vllm:num_requests_running",
      "sglang:token_usage",
      "{",
      "}",
      '"',
      "\\",
      'a="b"',
      ",",
      " ",
      "\n",
      "\r",
      "1",
      "-3.5",
      "1e308",
      "NaN",
      "#",
      "\u2028",
    );
    assert(
      property(array(piece, { maxLength: 40 }), (pieces) => {
        const reading = parseEngineMetrics(pieces.join(""));
        if (reading === undefined) return;
        for (const value of [reading.waiting, reading.running, reading.cacheShare ?? 0])
          expect(Number.isFinite(value) && value >= 0).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
