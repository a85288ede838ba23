import { describe, expect, test } from "bun:test";
import { Course } from "../../src/bench/course.ts";
import { Figures } from "../../src/bench/figures.ts";
import { type OutcomeFacts, reckonOutcome } from "../../src/bench/outcome.ts";
import { writeJson } from "../../src/bench/report-json.ts";
import { writeReport } from "../../src/bench/report.ts";
import { samplePlan } from "./sample.ts";

function outcomeOf(more: Partial<OutcomeFacts> = {}, errors = 12) {
  const course = new Course(0);
  const figures = new Figures();
  Object.assign(figures.counts, {
    started: 1_234_600,
    ok: 1_234_567,
    failed: 12,
    unfinished: 21,
    connections: 1000,
    resent: 3,
    chunks: 98_765_432,
    bytes: 5e9,
    inputTokens: 1e9,
    outputTokens: 98_765_432,
    warmUp: 99,
  });
  for (const samples of Object.values(figures.samples))
    for (const value of [0, 0.12, 12.34, 599_999]) samples.add(value);
  for (let kind = 0; kind < errors; kind += 1) figures.addError(`HTTP ${500 + kind}`, 100 - kind);
  course.add(figures);
  course.tick(1000, []);
  return reckonOutcome({
    plan: {
      ...samplePlan,
      isStream: true,
      apiKeys: ["sk-very-secret"],
      headers: [["x-team", "secret-team"]],
      warmUpMs: 5000,
    },
    course,
    states: [{ inFlight: 0, cpuMs: 100_000, measuredMs: 600_000, phase: "done" }],
    startedAt: "2026-01-02T03:04:05.000Z",
    endedBy: "signal",
    problems: [],
    ...more,
  });
}

describe("the report", () => {
  test("fits eighty columns", () => {
    const wide = writeReport(outcomeOf())
      .split("\n")
      .filter((line) => Bun.stringWidth(line) > 80);
    expect(wide).toEqual([]);
  });

  test("has totals, every percentile, the ten most frequent errors and the client's own cost", () => {
    const text = writeReport(outcomeOf());
    for (const part of [
      "1,234,579, 2,058 a second",
      "99.99 %",
      "21 cut at the end",
      "stopped by hand",
      "99 calls left out",
    ])
      expect(text).toContain(part);
    for (const part of [
      "p50",
      "p90",
      "p95",
      "p99",
      "p99.9",
      "first token",
      "gap",
      "600 s",
      "HTTP 509",
      "and 2 other kinds",
    ])
      expect(text).toContain(part);
    for (const part of [
      "100.0 s of CPU, 81.0 µs for each request",
      "3 calls sent again",
      "broken          worker 1",
    ])
      expect(writeReport(outcomeOf({ problems: ["worker 1 ended"] }))).toContain(part);
    expect(text).not.toContain("HTTP 510");
  });

  test("says of calls that an open loop cut that they would have been the slowest", () => {
    const load = { kind: "open", perSecond: 5, arrivals: "even", mostInFlight: 9 } as const;
    const cut = writeReport(outcomeOf({ plan: { ...samplePlan, load } }));
    expect(cut).toContain("21 cut at the end, counted as neither; latency is higher");
    expect(writeReport(outcomeOf())).not.toContain("latency is higher");
  });

  test("says when the client was the limit", () => {
    const busy = outcomeOf({ states: [{ inFlight: 0, cpuMs: 600_000, measuredMs: 600_000, phase: "done" }] });
    expect(writeReport(busy)).toContain("may have been the limit, figures are a lower bound; try -w 2");
  });

  test("of nothing has no numbers that are none", () => {
    const nothing = reckonOutcome({
      plan: samplePlan,
      course: new Course(0),
      states: [],
      startedAt: "",
      endedBy: "plan",
      problems: [],
    });
    expect(writeReport(nothing)).not.toMatch(/NaN|undefined|Infinity/);
    expect(writeJson(nothing)).not.toMatch(/NaN|undefined|Infinity/);
  });

  test("for machines has everything but keys and headers", () => {
    const text = writeJson(outcomeOf());
    expect(text).not.toContain("secret");
    const report = JSON.parse(text);
    expect(report).toMatchObject({
      schema: "weir.bench/1",
      startedAt: "2026-01-02T03:04:05.000Z",
      endedBy: "signal",
      plan: { url: samplePlan.url, apiKeys: 1, stream: true, warmUpMs: 5000 },
      requests: { ok: 1_234_567, failed: 12, unfinished: 21, warmUp: 99 },
      client: { cpuMs: 100_000, resent: 3, connections: 1000 },
    });
    expect(report.errors).toHaveLength(12);
    expect(Object.keys(report.latencyMs)).toEqual([
      "count",
      "min",
      "mean",
      "p50",
      "p90",
      "p95",
      "p99",
      "p999",
      "max",
    ]);
  });
});
