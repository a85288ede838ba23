// Misspelt names find what they were meant to be, and nothing else.
import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { nearestNames } from "../../src/core/nearest.ts";

const MODELS = ["gpt-4o", "gpt-4o-mini", "claude-sonnet-4", "gemini-2.5-pro", "llama-3"];

describe("the nearest names", () => {
  test("are those within a typo, nearest first", () => {
    expect(nearestNames("gpt4o", MODELS, 5)[0]).toBe("gpt-4o");
    expect(nearestNames("GPT-4O", MODELS, 5)[0]).toBe("gpt-4o");
    expect(nearestNames("gpt-o4", MODELS, 1)).toEqual(["gpt-4o"]);
    expect(nearestNames("claude-sonet-4", MODELS, 5)).toEqual(["claude-sonnet-4"]);
    expect(nearestNames("sonnet", MODELS, 5)).toEqual(["claude-sonnet-4"]);
    expect(nearestNames("openai/gpt-4o", MODELS, 5)).toContain("gpt-4o");
  });

  test("are none for what resembles nothing, or is too long to compare", () => {
    expect(nearestNames("whisper", MODELS, 5)).toEqual([]);
    expect(nearestNames("x".repeat(129), ["x".repeat(129)], 5)).toEqual([]);
    expect(nearestNames("abc", ["x".repeat(200)], 5)).toEqual([]);
    expect(nearestNames("abc", [], 5)).toEqual([]);
  });

  test("hold every single edit of a name, and no more than asked for", () => {
    const edit = fc.tuple(
      fc.constantFrom(...MODELS),
      fc.nat(),
      fc.constantFrom("insert", "remove", "replace", "swap"),
    );
    fc.assert(
      fc.property(edit, fc.integer({ min: 0, max: 3 }), ([name, where, how], most) => {
        const at = where % name.length;
        const [head, rest] = [name.slice(0, at), name.slice(at)];
        const typo = {
          insert: `${head}x${rest}`,
          remove: head + rest.slice(1),
          replace: `${head}x${rest.slice(1)}`,
          swap: head + rest.slice(1, 2) + rest.slice(0, 1) + rest.slice(2),
        }[how];
        expect(nearestNames(typo, MODELS, MODELS.length)).toContain(name);
        expect(nearestNames(typo, MODELS, most).length).toBeLessThanOrEqual(most);
      }),
    );
  });
});
