// Which model names a pattern covers.
import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { coversModel, matchesPattern } from "../../src/core/backend.ts";

describe("a pattern", () => {
  test("covers what a regular expression of it covers", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "-", "."), maxLength: 8 });
    const pattern = fc.string({ unit: fc.constantFrom("a", "b", "-", ".", "*"), maxLength: 6 });
    fc.assert(
      fc.property(pattern, letters, (pattern, name) => {
        const regex = new RegExp(`^${pattern.replaceAll(".", "\\.").replaceAll("*", ".*")}$`);
        expect(matchesPattern(pattern, name)).toBe(regex.test(name));
      }),
      { numRuns: 5000 },
    );
  });

  test("does not let head, middle and tail share characters", () => {
    expect(matchesPattern("ab*ba", "aba")).toBe(false);
    expect(matchesPattern("a*b*b", "ab")).toBe(false);
    expect(matchesPattern("a*b*b", "abb")).toBe(true);
    expect(matchesPattern("*", "")).toBe(true);
    expect(matchesPattern("", "")).toBe(true);
    expect(matchesPattern("", "a")).toBe(false);
  });

  test("takes other signs for themselves, and case matters", () => {
    expect(matchesPattern("gpt.4?", "gpt-4o")).toBe(false);
    expect(matchesPattern("GPT*", "gpt-4o")).toBe(false);
    expect(matchesPattern("org/*", "org/a/b")).toBe(true);
  });

  test("is slow on no name", () => {
    expect(matchesPattern(`${"*a".repeat(50)}*b`, "a".repeat(100_000))).toBe(false);
  });
});

test("no patterns cover every model, some cover theirs", () => {
  expect(coversModel([], "any")).toBe(true);
  expect(coversModel(["a", "b*"], "bc")).toBe(true);
  expect(coversModel(["a", "b*"], "c")).toBe(false);
});
