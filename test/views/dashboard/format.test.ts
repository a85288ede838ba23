import { describe, expect, test } from "bun:test";
import {
  describeStanding,
  formatAgo,
  formatCount,
  formatCountdown,
  formatMs,
  formatRatio,
  formatShare,
  formatSpan,
} from "../../../src/views/dashboard/browser/model/format.ts";

describe("numbers", () => {
  const counts: readonly (readonly [number | null, string])[] = [
    [null, "–"],
    [Number.NaN, "–"],
    [0, "0"],
    [7.54, "7.54"],
    [999.6, "1,000"],
    [9999, "9,999"],
    [9999.4, "9,999"],
    [10_000, "10k"],
    [12_345, "12.3k"],
    [999_499, "999k"],
    [999_500, "1M"],
    [4_560_000, "4.56M"],
    [1e12, "1,000G"],
  ];
  for (const [value, text] of counts)
    test(`a count of ${value} is written ${text}`, () => expect(formatCount(value)).toBe(text));

  test("a share is never rounded up to a whole", () => {
    expect([1, 0.99999, 0.9994, 0.5, 0, null].map(formatShare)).toEqual([
      "100 %",
      "99.9 %",
      "99.9 %",
      "50.0 %",
      "0.0 %",
      "–",
    ]);
    expect(formatRatio(0.999)).toBe("0.99");
  });
});

describe("times", () => {
  test("a length keeps two or three digits", () => {
    expect(
      [0.04, 9.94, 9.95, 999.4, 999.5, 9949, 9950, 99_499, 99_500, 3_600_000, null].map(formatMs),
    ).toEqual(["0 ms", "9.9 ms", "10 ms", "999 ms", "1.0 s", "9.9 s", "10 s", "99 s", "1 min", "1 h", "–"]);
  });

  test("a span is rounded down, in two units at most", () => {
    expect([999, 59_999, 60_000, 3_660_000, 7_200_000, 90_000_000, 86_400_000].map(formatSpan)).toEqual([
      "0 s",
      "59 s",
      "1 min",
      "1 h 1 min",
      "2 h",
      "1 d 1 h",
      "1 d",
    ]);
  });

  test("a countdown is rounded up and never below zero", () => {
    expect([-5000, 0, 1, 11_001, 99_000, 100_000, 3_660_000].map(formatCountdown)).toEqual([
      "0 s",
      "0 s",
      "1 s",
      "12 s",
      "99 s",
      "1 min 40 s",
      "1 h 01 min",
    ]);
  });

  test("what never was is a dash", () => {
    expect(formatAgo(null, 5000)).toBe("–");
    expect(formatAgo(4500, 5000)).toBe("now");
    expect(formatAgo(5500, 5000)).toBe("now");
    expect(formatAgo(1000, 14_000)).toBe("13 s ago");
  });
});

describe("a state in words", () => {
  const resting = { state: "resting", reason: "rests 12 s: 429 rate limit", untilAtMs: 12_000 } as const;

  test("counts down to its end", () => {
    expect(describeStanding(resting, 0)).toBe("rests 12 s: 429 rate limit");
    expect(describeStanding(resting, 8500)).toBe("rests 4 s: 429 rate limit");
    expect(describeStanding(resting, 99_000)).toBe("rests 0 s: 429 rate limit");
  });

  test("replaces the time of the rest, not one of the cause", () => {
    const slow = { state: "resting", reason: "rests 2 min: no answer in 10 s", untilAtMs: 90_000 } as const;
    expect(describeStanding(slow, 0)).toBe("rests 90 s: no answer in 10 s");
  });

  test("counts down a time at the end", () => {
    const limited = {
      state: "limited",
      reason: "rpm limit of the key is reached, free in 7 s",
      untilAtMs: 7000,
    } as const;
    expect(describeStanding(limited, 5000)).toBe("limited: rpm limit of the key is reached, free in 2 s");
  });

  test("is the word alone when there is nothing to add, and always holds it", () => {
    expect(describeStanding({ state: "usable", reason: "", untilAtMs: null }, 0)).toBe("usable");
    expect(describeStanding({ state: "down", reason: "down: connection refused", untilAtMs: null }, 0)).toBe(
      "down: connection refused",
    );
    expect(
      describeStanding({ state: "drained", reason: "gets nothing new: weight 0", untilAtMs: null }, 0),
    ).toBe("drained: gets nothing new: weight 0");
    expect(
      describeStanding(
        { state: "resting", reason: "one request tries it: 429 rate limit", untilAtMs: null },
        0,
      ),
    ).toBe("one request tries it: 429 rate limit");
  });
});
