// How long a key or backend rests, and which of two rests holds.
import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import {
  isResting,
  laterRest,
  needsTrial,
  type Rest,
  type RestCause,
  restLength,
} from "../../src/core/rest.ts";
import { COOLDOWN } from "../support/slots.ts";

const CAUSES: readonly RestCause[] = ["rate_limit", "quota", "revoked", "failures", "down"];
const bare = (cause: RestCause, streak: number, hintMs?: number): number =>
  restLength({ cause, streak, ...(hintMs === undefined ? {} : { hintMs }) }, COOLDOWN, 0);
const rest = (untilMs: number, fields: Partial<Rest> = {}): Rest => ({
  cause: "rate_limit",
  detail: "",
  sinceMs: 0,
  untilMs,
  onTrial: false,
  ...fields,
});

describe("a rest without a hint", () => {
  test.each<[RestCause, readonly number[]]>([
    ["rate_limit", [5000, 10_000, 20_000, 40_000, 60_000, 60_000]],
    ["failures", [5000, 10_000, 20_000, 40_000, 60_000, 60_000]],
    ["down", [5000, 10_000, 20_000, 40_000, 60_000, 60_000]],
    ["revoked", [300_000, 600_000, 1_200_000, 2_400_000, 3_600_000, 3_600_000]],
    ["quota", [3_600_000, 3_600_000]],
  ])("for %s doubles up to its cap", (cause, lengths) => {
    expect(lengths.map((_, streak) => bare(cause, streak))).toEqual([...lengths]);
    expect(bare(cause, 1_000_000)).toBe(lengths.at(-1) ?? 0);
  });
});

describe("a hint", () => {
  test("replaces the length of a rate limit, up to 300 s", () => {
    expect(bare("rate_limit", 9, 7000)).toBe(7000);
    expect(bare("rate_limit", 9, 0)).toBe(0);
    expect(bare("rate_limit", 0, 301_000)).toBe(300_000);
    expect(bare("rate_limit", 0, Number.MAX_VALUE)).toBe(300_000);
  });

  test("replaces the length of a quota's rest, up to 24 h", () => {
    expect(bare("quota", 0, 20_000)).toBe(20_000);
    expect(bare("quota", 0, 30 * 86_400_000)).toBe(86_400_000);
  });

  test("only lengthens a backend's rest, up to 300 s, and says nothing of a revoked key", () => {
    expect(bare("failures", 0, 1000)).toBe(5000);
    expect(bare("failures", 0, 90_000)).toBe(90_000);
    expect(bare("failures", 4, 30_000)).toBe(60_000);
    expect(bare("failures", 0, 900_000)).toBe(300_000);
    expect(bare("revoked", 0, 1000)).toBe(300_000);
  });
});

test("jitter only lengthens, by a fifth at most", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...CAUSES),
      fc.nat(2000),
      fc.option(fc.double({ min: 0, max: 1e9, noNaN: true }), { nil: undefined }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (cause, streak, hintMs, random) => {
        const least = bare(cause, streak, hintMs);
        const request = { cause, streak, ...(hintMs === undefined ? {} : { hintMs }) };
        const length = restLength(request, COOLDOWN, random);
        expect(length).toBeGreaterThanOrEqual(least);
        expect(length).toBeLessThanOrEqual(least * 1.2);
        expect(Number.isFinite(length)).toBe(true);
      },
    ),
  );
});

describe("of two rests", () => {
  test("the later deadline wins", () => {
    const long = rest(100, { cause: "revoked" });
    expect(laterRest(undefined, rest(5))).toEqual(rest(5));
    expect(laterRest(long, rest(50))).toEqual(long);
    expect(laterRest(long, rest(150))).toEqual(rest(150));
    expect(laterRest(long, rest(100))).toEqual(rest(100));
  });

  test("neither leaves a trial open", () => {
    expect(laterRest(rest(100, { onTrial: true }), rest(50)).onTrial).toBe(false);
  });
});

test("a slot rests until its deadline, and while its trial is open", () => {
  expect(isResting(undefined, 0)).toBe(false);
  expect(isResting(rest(10), 9.999)).toBe(true);
  expect(isResting(rest(10), 10)).toBe(false);
  expect(isResting(rest(10, { onTrial: true }), 11)).toBe(true);
});

test("every cause but a rate limit needs a trial", () => {
  expect(CAUSES.filter(needsTrial)).toEqual(["quota", "revoked", "failures", "down"]);
});
