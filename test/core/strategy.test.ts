// Strategies are found by any spelling of their names.
import { describe, expect, test } from "bun:test";
import {
  createStrategy,
  customPath,
  isMadeOf,
  readStrategyName,
  STRATEGY_NAMES,
} from "../../src/core/strategy.ts";
import { createSimpleShuffle } from "../../src/core/strategy-simple-shuffle.ts";

describe("a strategy's name", () => {
  test("is read whatever its case, dashes and blanks", () => {
    for (const name of ["least-used", "least_used", "LEAST-USED", "Least_Used", "leastUsed", " least-used "])
      expect(readStrategyName(name)).toBe("least-used");
  });

  test("is none when it is unknown", () => {
    for (const name of [
      "",
      "leastuse",
      "least used",
      "random!",
      "__proto__",
      "constructor",
      "custom",
      "custom: ",
    ])
      expect(readStrategyName(name)).toBeUndefined();
    expect(() => createStrategy("nope")).toThrow('unknown name "nope"');
  });

  test("may be an alias of another system", () => {
    const aliases: Readonly<Record<string, readonly string[]>> = {
      "smooth-weighted-round-robin": ["weighted-round-robin", "weighted", "round-robin"],
      "simple-shuffle": ["weighted-random", "random", "simple_shuffle"],
      "least-connections": ["least-conn", "least-busy", "LEAST_CONN"],
      "latency-based": ["latency", "latency-based-routing"],
      "usage-based": ["usage-based-routing", "usage-based-routing-v2"],
      "lowest-cost": ["cost-based-routing"],
      "least-waiting": ["least_waiting"],
    };
    for (const [name, others] of Object.entries(aliases))
      for (const other of [name, ...others]) expect(readStrategyName(other)).toBe(name);
  });

  test("of each spelling leads to a strategy of its own", () => {
    for (const name of STRATEGY_NAMES) {
      expect(createStrategy(name).name).toBe(readStrategyName(name) ?? "");
      expect(createStrategy(name)).not.toBe(createStrategy(name));
    }
    expect(new Set(STRATEGY_NAMES).size).toBe(STRATEGY_NAMES.length);
  });

  test("of a user's own keeps its file as it is", () => {
    expect(readStrategyName(" Custom: ./My_File.ts ")).toBe("custom:./My_File.ts");
    expect(customPath("custom:./My_File.ts")).toBe("./My_File.ts");
    expect(customPath("least-used")).toBeUndefined();
    expect(() => createStrategy("custom:./a.ts")).toThrow('unknown name "custom:./a.ts"');
  });
});

test("a strategy is no longer what is asked for when its name, options or file have changed", () => {
  const custom = new Map([["custom:./a.ts", () => ({ ...createSimpleShuffle(), name: "custom:./a.ts" })]]);
  const latency = createStrategy("latency-based", { options: { latencyBuffer: 0.5 } });
  expect(isMadeOf(latency, "latency-based", { options: { latencyBuffer: 0.5 } })).toBe(true);
  expect(isMadeOf(latency, "latency-based", {})).toBe(false);
  expect(isMadeOf(latency, "least-used", { options: { latencyBuffer: 0.5 } })).toBe(false);
  const own = createStrategy("custom:./a.ts", { custom });
  expect(isMadeOf(own, "custom:./a.ts", { custom })).toBe(true);
  expect(isMadeOf(own, "custom:./a.ts", { custom: new Map() })).toBe(false);
  expect(isMadeOf(createStrategy("least-used"), "least-used", { custom })).toBe(true);
});
