// Strategies are found by any spelling of their names.
import { describe, expect, test } from "bun:test";
import { createStrategy, readStrategyName, STRATEGY_NAMES } from "../../src/core/strategy.ts";

describe("a strategy's name", () => {
  test("is read whatever its case, dashes and blanks", () => {
    for (const name of ["least-used", "least_used", "LEAST-USED", "Least_Used", " least-used "])
      expect(readStrategyName(name)).toBe("least-used");
  });

  test("is none when it is unknown", () => {
    for (const name of ["", "leastused", "least used", "random!", "__proto__", "constructor"])
      expect(readStrategyName(name)).toBeUndefined();
    expect(() => createStrategy("nope")).toThrow('unknown name "nope"');
  });

  test("of each spelling leads to a strategy of its own", () => {
    for (const name of STRATEGY_NAMES) {
      expect(createStrategy(name).name).toBe(readStrategyName(name) ?? "");
      expect(createStrategy(name)).not.toBe(createStrategy(name));
    }
    expect(new Set(STRATEGY_NAMES).size).toBe(STRATEGY_NAMES.length);
  });
});
