import { describe, expect, test } from "bun:test";
import { Course } from "../../src/bench/course.ts";
import { Figures } from "../../src/bench/figures.ts";
import { formatBytes, formatClock, formatMs, formatRate, formatShare } from "../../src/bench/format.ts";
import { reckonOutcome } from "../../src/bench/outcome.ts";
import { Samples } from "../../src/bench/samples.ts";
import { samplePlan } from "./sample.ts";

const sampled = (...values: readonly number[]): Samples => {
  const samples = new Samples();
  for (const value of values) samples.add(value);
  return samples;
};

describe("samples", () => {
  test("have percentiles to three digits, and the exact ends", () => {
    const samples = sampled(...Array.from({ length: 10_000 }, (_, at) => (at + 1) / 10));
    const read = samples.read()!;
    expect(read).toMatchObject({ count: 10_000, min: 0.1, max: 1000 });
    for (const [value, exact] of [
      [read.p50, 500],
      [read.p90, 900],
      [read.p99, 990],
      [read.p999, 999],
      [read.mean, 500.05],
    ] as const)
      expect(Math.abs(value / exact - 1)).toBeLessThan(0.002);
  });

  test("are the same after a journey to another process and being added up", () => {
    const left = sampled(1, 2, 3);
    const whole = Samples.decode(left.encode());
    whole.merge(Samples.decode(sampled(100, 0).encode()));
    whole.merge(Samples.decode(new Samples().encode()));
    expect(whole.read()).toMatchObject({ count: 5, min: 0, max: 100, p50: 2 });
    left.clear();
    expect(left.read()).toBeUndefined();
  });

  test("count what a clock set back measures as nothing", () => {
    expect(sampled(-5).read()).toMatchObject({ count: 1, min: 0, max: 0 });
  });
});

describe("figures", () => {
  test("are taken once, and add up in the parent", () => {
    const worker = new Figures();
    const total = new Figures();
    for (let second = 0; second < 3; second += 1) {
      worker.counts.ok += 2;
      worker.addError("HTTP 500");
      worker.samples.latency.add(10);
      total.merge(Figures.decode(JSON.parse(JSON.stringify(worker.take()))));
    }
    expect(total.counts.ok).toBe(6);
    expect(total.topErrors(5)).toEqual([{ text: "HTTP 500", times: 3 }]);
    expect(total.samples.latency.count).toBe(3);
    expect(worker.counts.ok).toBe(0);
  });

  test("hold a bounded number of errors, whatever a server answers", () => {
    const figures = new Figures();
    for (let code = 0; code < 5000; code += 1) figures.addError(`HTTP 400 code-${code}`);
    expect(figures.errors.size).toBeLessThan(300);
    expect(figures.topErrors(1)).toEqual([{ text: "other errors", times: 4800 }]);
  });
});

describe("the course", () => {
  test("has the rate of the last five seconds", () => {
    const course = new Course(0);
    for (let second = 1; second <= 10; second += 1) {
      const figures = new Figures();
      figures.counts.ok = second * 10;
      course.add(figures);
      course.tick(second * 1000, []);
    }
    expect(course.now("requestsPerSecond")).toBe(80);
    expect(course.seconds).toHaveLength(10);
    expect(course.total.counts.ok).toBe(550);
  });
});

describe("the outcome", () => {
  const course = new Course(0);
  const figures = new Figures();
  Object.assign(figures.counts, { ok: 90, failed: 10, chunks: 1000 });
  course.add(figures);
  const facts = { plan: samplePlan, course, startedAt: "", endedBy: "plan", problems: [] } as const;
  const state = { inFlight: 0, measuredMs: 2000, phase: "done" } as const;

  test("has rates over what was measured and the client's own cost", () => {
    const outcome = reckonOutcome({
      ...facts,
      states: [
        { ...state, cpuMs: 20 },
        { ...state, cpuMs: 80 },
      ],
    });
    expect(outcome).toMatchObject({ measuredMs: 2000, requestsPerSecond: 50, tokensPerSecond: 500 });
    expect(outcome.client).toMatchObject({
      cpuMs: 100,
      cpuPerRequestUs: 1000,
      cpuPerChunkUs: 100,
      isLimit: false,
    });
  });

  test("says when the client was the limit: one busy process is enough, and so are late timers", () => {
    const busy = reckonOutcome({
      ...facts,
      states: [
        { ...state, cpuMs: 1900 },
        { ...state, cpuMs: 0 },
      ],
    });
    expect(busy.client.isLimit).toBe(true);
    figures.samples.lag.add(50);
    course.add(figures);
    expect(reckonOutcome({ ...facts, states: [{ ...state, cpuMs: 0 }] }).client.isLimit).toBe(true);
  });

  test("of nothing has no numbers that are none", () => {
    const nothing = reckonOutcome({ ...facts, course: new Course(0), states: [] });
    expect(nothing).toMatchObject({ measuredMs: 0, requestsPerSecond: 0 });
    expect(nothing.client.cpuPerRequestUs).toBeUndefined();
  });
});

test("numbers have three digits and a unit", () => {
  expect([0.123, 9.999, 99.96, 999.6, 1234, 12_345, 123_456, undefined].map(formatMs)).toEqual([
    "0.12 ms",
    "10.0 ms",
    "100 ms",
    "1.00 s",
    "1.23 s",
    "12.3 s",
    "123 s",
    "-",
  ]);
  expect([0, 1.25, 123.4, 12_345.6].map(formatRate)).toEqual(["0.0", "1.3", "123", "12,346"]);
  expect([formatShare(99_999, 100_000), formatShare(5, 5), formatShare(0, 0)]).toEqual([
    "99.99 %",
    "100 %",
    "-",
  ]);
  expect([61_000, 3_661_000].map(formatClock)).toEqual(["1:01", "1:01:01"]);
  expect([999, 1500, 2_000_000_000].map(formatBytes)).toEqual(["999 B", "1.5 kB", "2.0 GB"]);
});
