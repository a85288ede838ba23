import { expect, test } from "bun:test";
import { describeSpan } from "../../src/core/span.ts";

test("spans are told in one unit, rounded up", () => {
  expect([1, 1000, 59_001, 60_001, 3_600_000, 3_600_001].map(describeSpan)).toEqual([
    "1 s",
    "1 s",
    "60 s",
    "2 min",
    "60 min",
    "2 h",
  ]);
});
