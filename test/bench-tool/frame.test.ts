import { describe, expect, test } from "bun:test";
import { Course } from "../../src/bench/course.ts";
import { Figures } from "../../src/bench/figures.ts";
import { layFrame, type Sight, writeProgress } from "../../src/bench/live/frame.ts";
import { drawSpark } from "../../src/bench/live/spark.ts";

function sightOf({ isStream = true, errors = 5 }: { isStream?: boolean; errors?: number } = {}): Sight {
  const course = new Course(0);
  for (let second = 1; second <= 90; second += 1) {
    const figures = new Figures();
    Object.assign(figures.counts, { ok: second * 10, failed: errors, chunks: second * 500 });
    figures.samples.latency.add(second * 20);
    figures.samples.firstToken.add(200);
    figures.samples.gap.add(20);
    for (let kind = 0; kind < errors; kind += 1) figures.addError(`HTTP 50${kind}`, errors - kind);
    course.add(figures);
    course.tick(second * 1000, [{ inFlight: 1000, cpuMs: 0, measuredMs: second * 1000, phase: "sending" }]);
  }
  return {
    title: "weir bench  http://127.0.0.1:8080/v1/chat/completions",
    terms: `closed loop, 1,000 at a time, 4 processes; chat, streamed, ${"model ".repeat(60)}`,
    course,
    states: [{ inFlight: 1000, cpuMs: 0, measuredMs: 90_000, phase: "sending" }],
    isStream,
    elapsedMs: 90_000,
    wholeMs: 120_000,
    calls: undefined,
    isStopping: false,
  };
}

const linesOf = (sight: Sight, columns: number, rows: number, isUnicode = true): string[] =>
  layFrame(sight, { columns, rows, isUnicode }).map((line) => line.map(({ text }) => text).join(""));

describe("the live view", () => {
  test.each([
    [80, 24],
    [200, 50],
    [120, 30],
    [40, 10],
    [20, 5],
    [1, 1],
  ])("fits %i x %i", (columns, rows) => {
    for (const sight of [sightOf(), sightOf({ isStream: false, errors: 0 })]) {
      const lines = linesOf(sight, columns, rows);
      expect(lines.length).toBeLessThanOrEqual(rows);
      expect(Math.max(...lines.map((line) => Bun.stringWidth(line)))).toBeLessThanOrEqual(columns);
    }
  });

  test.each([
    [80, 24],
    [200, 50],
  ])(
    "shows everything at %i x %i: rates, counts, times, charts and the three most frequent errors",
    (columns, rows) => {
      const text = linesOf(sightOf(), columns, rows).join("\n");
      for (const part of [
        "sending  1:30 of 2:00",
        "now 885",
        "in flight 1,000",
        "450 failed",
        "success 98.91 %",
      ])
        expect(text).toContain(part);
      for (const part of [
        "latency",
        "first token",
        "gap",
        "requests/s",
        "tokens/s",
        "HTTP 500",
        "HTTP 502",
        "█",
      ])
        expect(text).toContain(part);
      expect(text).not.toContain("HTTP 503");
    },
  );

  test("has sparklines of sixty points", () => {
    const chart = linesOf(sightOf(), 80, 24).find((line) => /^latency p95.*█/.test(line))!;
    expect(chart.slice(12, 72)).toMatch(/^[▁-█]{60}$/);
    expect(chart.slice(72)).toBe(" 1.80 s ");
  });

  test("keeps to ASCII where a terminal knows nothing else", () => {
    expect(linesOf(sightOf(), 80, 24, false).join("")).toMatch(/^[ -~]*$/);
  });

  test("is one line for logs", () => {
    const line = writeProgress(sightOf());
    expect(line).toContain("1:30  41,400 done, 450 failed, 1,000 in flight, 885/s, 44,000 tokens/s");
    expect(line).toContain("mostly HTTP 500");
    expect(line).not.toContain("\n");
  });
});

describe("a sparkline", () => {
  const draw = (values: readonly (number | undefined)[], height = 1): string[] =>
    drawSpark(values, { width: 4, height, isUnicode: true });

  test("has the newest at the right, the greatest at the top, and gaps where nothing is known", () => {
    expect(draw([4, 8])).toEqual(["  ▄█"]);
    expect(draw([9, 9, 9, 0, undefined, 1, 100])).toEqual(["  ▁█"]);
    expect(draw([4, 8], 2)).toEqual(["   █", "  ██"]);
  });

  test("of nothing is empty", () => {
    expect([draw([]), draw([0, 0])]).toEqual([["    "], ["    "]]);
  });
});
