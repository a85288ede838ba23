// What is kept of a backend for strategies: first bytes, failures, tokens and engine load.
import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import {
  createMeasures,
  type EngineLoad,
  failurePenalty,
  firstByteOf,
  loadOf,
  type Measures,
  noteEnd,
  noteFirstByte,
  noteLoad,
  noteSent,
  tokensThisMinute,
  unseenSent,
} from "../../src/core/measures.ts";
import type { OutcomeKind } from "../../src/core/outcome.ts";

const end = (
  measures: Measures,
  kind: OutcomeKind,
  nowMs: number,
  fields: { durationMs?: number; tokens?: number } = {},
) =>
  noteEnd(
    measures,
    { outcome: { kind, detail: "" }, durationMs: fields.durationMs ?? 5, tokens: fields.tokens },
    nowMs,
  );
const load = (fields: Partial<EngineLoad> = {}): EngineLoad => ({
  waiting: 0,
  running: 0,
  atMs: 0,
  intervalMs: 5000,
  ...fields,
});

describe("the time to the first byte", () => {
  test("is unknown before the first, and then what that took", () => {
    const measures = createMeasures();
    expect(firstByteOf(measures)).toBeUndefined();
    noteFirstByte(measures, 80, 1000);
    expect(firstByteOf(measures)).toBe(80);
  });

  test("rises at once, and falls little by little", () => {
    const measures = createMeasures();
    noteFirstByte(measures, 100, 0);
    noteFirstByte(measures, 900, 10);
    expect(firstByteOf(measures)).toBe(900);
    noteFirstByte(measures, 100, 1010);
    expect(firstByteOf(measures)).toBeCloseTo(100 + 800 * Math.exp(-0.1), 6);
    noteFirstByte(measures, 100, 160_000);
    expect(firstByteOf(measures)).toBeCloseTo(100, 0);
  });

  test("does not fade by itself: a slow backend stays slow while nobody asks it", () => {
    const measures = createMeasures();
    noteFirstByte(measures, 4660, 0);
    expect(firstByteOf(measures)).toBe(4660);
  });

  test("stays between the least and the most that was seen", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(10_000), fc.nat(30_000)), { minLength: 1 }), (samples) => {
        const measures = createMeasures();
        let nowMs = 0;
        for (const [ms, gapMs] of samples) {
          nowMs += gapMs;
          noteFirstByte(measures, ms, nowMs);
        }
        const all = samples.map(([ms]) => ms);
        expect(firstByteOf(measures)).toBeGreaterThanOrEqual(Math.min(...all) - 1e-6);
        expect(firstByteOf(measures)).toBeLessThanOrEqual(Math.max(...all) + 1e-6);
      }),
    );
  });

  test("is at least as long as who waited in vain has waited", () => {
    for (const kind of ["failed", "abandoned"] as const) {
      const measures = createMeasures();
      noteFirstByte(measures, 100, 0);
      end(measures, kind, 60_000, { durationMs: 30_000 });
      expect(firstByteOf(measures)).toBe(30_000);
    }
  });

  test("learns nothing from quick failures, and nothing from an answer that broke after its first byte", () => {
    const measures = createMeasures();
    end(measures, "failed", 100, { durationMs: 5 });
    end(measures, "rejected", 100, { durationMs: 5000 });
    expect(firstByteOf(measures)).toBeUndefined();
    noteFirstByte(measures, 200, 10_200);
    end(measures, "failed", 40_000, { durationMs: 30_000 });
    expect(firstByteOf(measures)).toBe(200);
  });
});

describe("the failure penalty", () => {
  test("is nothing without failures, and grows fourfold with each in a row", () => {
    const measures = createMeasures();
    for (const kind of ["success", "rejected", "abandoned"] as const) end(measures, kind, 0);
    expect(failurePenalty(measures, 0)).toBe(0);
    const penalties = [1, 2, 3, 4].map(() => {
      end(measures, "failed", 0);
      return failurePenalty(measures, 0);
    });
    expect(penalties).toEqual([1, 5, 21, 85]);
  });

  test("counts every way to fail that is not the caller's", () => {
    const kinds: readonly OutcomeKind[] = [
      "rate_limited",
      "quota_exhausted",
      "revoked",
      "model_not_found",
      "unreachable",
      "unavailable",
      "failed",
    ];
    for (const kind of kinds) {
      const measures = createMeasures();
      end(measures, kind, 0);
      expect(failurePenalty(measures, 0)).toBe(1);
    }
  });

  test("fades with time, is halved by each success, and ends", () => {
    const measures = createMeasures();
    end(measures, "failed", 0);
    expect(failurePenalty(measures, 30_000)).toBeCloseTo(Math.exp(-1), 6);
    end(measures, "success", 30_000);
    expect(failurePenalty(measures, 30_000)).toBeCloseTo(Math.exp(-1) / 2, 6);
    expect(failurePenalty(measures, 120_000)).toBe(0);
  });

  test("stays finite whatever fails", () => {
    const measures = createMeasures();
    for (let failure = 0; failure < 1000; failure += 1) end(measures, "failed", 0);
    expect(failurePenalty(measures, 0)).toBe(1e6);
  });
});

describe("the tokens of a minute", () => {
  test("are what answers told within it", () => {
    const measures = createMeasures();
    expect(tokensThisMinute(measures, 0)).toBe(0);
    end(measures, "success", 1000, { tokens: 100 });
    end(measures, "success", 30_000, { tokens: 50 });
    expect(tokensThisMinute(measures, 59_000)).toBe(150);
    expect(tokensThisMinute(measures, 91_000)).toBeCloseTo(75, 6);
    expect(tokensThisMinute(measures, 121_000)).toBe(0);
  });

  test("of the minute before count by the part that is still within", () => {
    const measures = createMeasures();
    end(measures, "success", 0, { tokens: 600 });
    end(measures, "success", 70_000, { tokens: 10 });
    expect(tokensThisMinute(measures, 75_000)).toBeCloseTo(10 + 600 * 0.75, 6);
    end(measures, "success", 500_000, { tokens: 7 });
    expect(tokensThisMinute(measures, 500_000)).toBe(7);
  });

  test("never differ from a true sliding window by more than the minute before holds", () => {
    const entry = fc.record({ gapMs: fc.nat(40_000), tokens: fc.nat(1000) });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 40 }), (entries) => {
        const measures = createMeasures();
        let nowMs = 0;
        const told: { readonly atMs: number; readonly tokens: number }[] = [];
        for (const { gapMs, tokens } of entries) {
          nowMs += gapMs;
          end(measures, "success", nowMs, { tokens });
          told.push({ atMs: nowMs, tokens });
          const within = (ms: number) =>
            told.reduce((sum, { atMs, tokens }) => sum + (atMs > nowMs - ms ? tokens : 0), 0);
          expect(tokensThisMinute(measures, nowMs)).toBeGreaterThanOrEqual(0);
          expect(tokensThisMinute(measures, nowMs)).toBeLessThanOrEqual(within(120_001) + 1e-6);
        }
      }),
    );
  });

  test("of an answer that tells none are the mean, of a failure nothing", () => {
    const measures = createMeasures();
    end(measures, "success", 0);
    expect(tokensThisMinute(measures, 0)).toBe(0);
    end(measures, "success", 0, { tokens: 120 });
    end(measures, "success", 0, { tokens: 240 });
    end(measures, "success", 0);
    end(measures, "failed", 0);
    expect(tokensThisMinute(measures, 0)).toBeCloseTo(120 + 240 + 130, 6);
  });

  test("ignore nonsense", () => {
    const measures = createMeasures();
    for (const tokens of [Number.NaN, Number.POSITIVE_INFINITY, -5]) end(measures, "success", 0, { tokens });
    expect(tokensThisMinute(measures, 0)).toBe(0);
    end(measures, "success", 0, { tokens: 10 });
    expect(tokensThisMinute(measures, 0)).toBe(10);
  });
});

describe("an engine's load", () => {
  test("is known for three intervals, and not after a failed scrape", () => {
    const measures = createMeasures();
    expect(loadOf(measures, 0)).toBeUndefined();
    const told = load({ waiting: 4, running: 9, atMs: 1000 });
    noteLoad(measures, told);
    expect(loadOf(measures, 16_000)).toBe(told);
    expect(loadOf(measures, 16_001)).toBeUndefined();
    noteLoad(measures, undefined);
    expect(loadOf(measures, 1000)).toBeUndefined();
  });

  test("does not show what was sent since, nor all of what was sent shortly before", () => {
    const measures = createMeasures();
    for (let sent = 0; sent < 10; sent += 1) noteSent(measures);
    expect(unseenSent(measures)).toBe(10);
    noteLoad(measures, load());
    expect(unseenSent(measures)).toBeCloseTo(10 * Math.exp(-1), 6);
    noteSent(measures);
    expect(unseenSent(measures)).toBeCloseTo(1 + 10 * Math.exp(-1), 6);
    for (let round = 0; round < 5; round += 1) noteLoad(measures, load());
    expect(unseenSent(measures)).toBeLessThan(0.1);
  });

  test("shows what was sent after the same time, however often it is asked for", () => {
    const [often, rarely] = [createMeasures(), createMeasures()];
    for (const measures of [often, rarely]) for (let sent = 0; sent < 10; sent += 1) noteSent(measures);
    for (let round = 0; round < 10; round += 1) noteLoad(often, load({ intervalMs: 1000 }));
    noteLoad(rarely, load({ intervalMs: 10_000 }));
    expect(unseenSent(often)).toBeCloseTo(unseenSent(rarely), 6);
  });
});
