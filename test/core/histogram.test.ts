import { expect, test } from "bun:test";
import { array, assert, double, property } from "fast-check";
import { NO_TIMES, RecentTimes, TimeBuckets } from "../../src/core/histogram.ts";

test("recent times without a sample have no percentiles", () => {
  expect(new RecentTimes().percentiles(0)).toEqual(NO_TIMES);
});

test("percentiles lie within a tenth of the exact ones", () => {
  const times = array(double({ min: 0.02, max: 3_000_000, noNaN: true }), {
    minLength: 1,
    maxLength: 300,
  });
  assert(
    property(times, (durations) => {
      const recent = new RecentTimes();
      for (const duration of durations) recent.add(duration, 1000);
      const sorted = durations.toSorted((a, b) => a - b);
      const exact = (share: number) => sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] ?? 0;
      const { samples, p50Ms, p95Ms, p99Ms } = recent.percentiles(1000);
      expect(samples).toBe(durations.length);
      for (const [found, share] of [
        [p50Ms, 0.5],
        [p95Ms, 0.95],
        [p99Ms, 0.99],
      ] as const) {
        const off = Math.abs((found ?? 0) / exact(share) - 1);
        // A bucket is 9 % wide; the place within it is a guess.
        expect(off).toBeLessThan(0.1);
      }
    }),
  );
});

test("recent times are forgotten after six minutes at the latest, and not before five", () => {
  const recent = new RecentTimes();
  recent.add(100, 59_000);
  expect(recent.percentiles(59_000 + 300_000).samples).toBe(1);
  expect(recent.percentiles(59_000 + 360_000).samples).toBe(0);
  recent.add(200, 500_000);
  expect(recent.percentiles(500_000).samples).toBe(1);
});

test("recent times of every length come and go together", () => {
  const recent = new RecentTimes();
  for (const [minute, duration] of [200, 0.5, 90_000, 3, 1_000_000].entries())
    recent.add(duration, minute * 60_000);
  expect(recent.percentiles(299_000)).toMatchObject({ samples: 5, p50Ms: 203 });
  expect(recent.percentiles(360_000).samples).toBe(4);
  expect(recent.percentiles(480_000)).toMatchObject({ samples: 2 });
  expect(recent.percentiles(600_000)).toEqual(NO_TIMES);
});

test("recent times take nonsense without harm", () => {
  const recent = new RecentTimes();
  for (const odd of [0, -5, 1e300, Number.POSITIVE_INFINITY, Number.NaN]) recent.add(odd, 0);
  const { samples, p50Ms, p99Ms } = recent.percentiles(0);
  expect(samples).toBe(5);
  expect(Number.isFinite(p50Ms)).toBe(true);
  expect(Number.isFinite(p99Ms)).toBe(true);
});

test("buckets count up to and with their bound, and the rest above", () => {
  const buckets = new TimeBuckets([10, 100]);
  for (const duration of [1, 10, 10.5, 100, 5000]) buckets.add(duration);
  expect([...buckets.counts]).toEqual([2, 2, 1]);
  expect(buckets.sumMs).toBe(5121.5);
});
