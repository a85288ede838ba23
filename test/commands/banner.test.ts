// What is printed at the start, for people who paste it.
import { expect, test } from "bun:test";
import { describeStart } from "../../src/commands/banner.ts";
import { configOf, K1, K2 } from "../config/load-env.ts";

const linesOf = (env: Record<string, string>) => describeStart(configOf(env), 81).split("\n");

test("the start says where weir listens, how many keys each provider has, never a key, and the lines to paste", () => {
  expect(linesOf({ OPENAI_API_KEYS: `${K1},${K2}`, ANTHROPIC_API_KEYS: K1 })).toEqual([
    "weir listens on http://127.0.0.1:81",
    "  openai: 2 keys",
    "  anthropic: 1 key",
    "  dashboard: http://127.0.0.1:81/dashboard",
    "",
    "  export OPENAI_BASE_URL=http://127.0.0.1:81/v1",
    "  export ANTHROPIC_BASE_URL=http://127.0.0.1:81",
    "",
    "",
  ]);
});

test("the start shows Anthropic's line as a comment where nothing speaks its API", () => {
  expect(linesOf({ OPENAI_API_KEYS: K1 }).slice(-4)).toEqual([
    "  export OPENAI_BASE_URL=http://127.0.0.1:81/v1",
    "  # export ANTHROPIC_BASE_URL=http://127.0.0.1:81 (nothing configured speaks its API)",
    "",
    "",
  ]);
});
