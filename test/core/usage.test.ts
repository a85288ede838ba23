// Token counts as each family reports them, and nothing that only looks like them.
import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { readUsage } from "../../src/core/usage.ts";

const read = (body: unknown) =>
  readUsage(new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body)));
const counts = (inputTokens: number, outputTokens: number) => ({ inputTokens, outputTokens });

describe("the usage of an answer", () => {
  test.each<[string, object, ReturnType<typeof counts>]>([
    [
      "a chat completion",
      {
        choices: [],
        usage: {
          prompt_tokens: 9,
          completion_tokens: 12,
          total_tokens: 21,
          prompt_tokens_details: { cached_tokens: 4 },
          completion_tokens_details: { reasoning_tokens: 3 },
        },
        system_fingerprint: "fp",
      },
      counts(9, 12),
    ],
    ["an embedding", { data: [], model: "e", usage: { prompt_tokens: 8, total_tokens: 8 } }, counts(8, 0)],
    [
      "a response",
      {
        output: [],
        usage: { input_tokens: 36, output_tokens: 87, total_tokens: 123 },
        user: null,
        metadata: {},
      },
      counts(36, 87),
    ],
    [
      "an image",
      { data: [{ b64_json: "AAAA" }], usage: { total_tokens: 100, input_tokens: 50, output_tokens: 50 } },
      counts(50, 50),
    ],
    [
      "a transcription",
      { text: "t", usage: { type: "tokens", input_tokens: 14, output_tokens: 45, total_tokens: 59 } },
      counts(14, 45),
    ],
    ["a reranking", { results: [], usage: { total_tokens: 56 } }, counts(56, 0)],
    [
      "a message",
      {
        content: [],
        usage: {
          input_tokens: 10,
          cache_creation_input_tokens: 20,
          cache_read_input_tokens: 30,
          output_tokens: 5,
        },
      },
      counts(60, 5),
    ],
    [
      "a message without a cache",
      { usage: { input_tokens: 10, cache_creation_input_tokens: null, output_tokens: 5 } },
      counts(10, 5),
    ],
    [
      "Gemini",
      {
        candidates: [],
        usageMetadata: { promptTokenCount: 4, candidatesTokenCount: 9, totalTokenCount: 13 },
        modelVersion: "g",
      },
      counts(4, 9),
    ],
    [
      "Groq",
      {
        choices: [],
        usage: { queue_time: 0.1, prompt_tokens: 3, completion_tokens: 4 },
        usage_breakdown: null,
        x_groq: {},
      },
      counts(3, 4),
    ],
  ])("of %s is read", (_, body, usage) => {
    expect(read(body)).toEqual(usage);
    expect(read(JSON.stringify(body, undefined, 2))).toEqual(usage);
  });

  test.each<[unknown]>([
    [""],
    ["{}"],
    [{ usage: null }],
    [{ usage: {} }],
    [{ usage: [1] }],
    [{ usage: "9" }],
    [{ usage: { prompt_tokens: "9" } }],
    [{ usage: { prompt_tokens: -1 } }],
    [{ usage: { type: "duration", seconds: 3 } }],
    ['{"usage":{"prompt_tokens":9'],
    ['{"usage"'],
    ['{"usage":'],
    ['{"usages":{"prompt_tokens":9}}'],
  ])("of %j is none", (body) => {
    expect(read(body)).toBeUndefined();
  });

  test("is the last complete one", () => {
    expect(read('{"usage":{"prompt_tokens":1}}\n{"usage":{"prompt_tokens":2}}')).toEqual(counts(2, 0));
    expect(read('{"usage":{"prompt_tokens":1}}\n{"usage":null}')).toEqual(counts(1, 0));
    expect(read('{"usage":{"prompt_tokens":1}}\n{"usage":{"prompt_to')).toEqual(counts(1, 0));
  });

  test("is found behind a body of any length", () => {
    const body = {
      choices: [{ text: "é".repeat(100_000) }],
      usage: { prompt_tokens: 1, completion_tokens: 2 },
    };
    expect(read(body)).toEqual(counts(1, 2));
  });

  test("is not what a text in the answer says", () => {
    const decoys = [
      '"usage": {"prompt_tokens": 99}',
      '{"usage":{"completion_tokens":99}}',
      '\\"usage":{"prompt_tokens":99}',
      "x\\",
      '{"',
      "}}",
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...decoys), { maxLength: 6 }), fc.boolean(), (texts, real) => {
        const content = texts.join("");
        const usage = real ? { usage: { prompt_tokens: 1, completion_tokens: 2 } } : {};
        expect(read({ content, ...usage, note: content })).toEqual(real ? counts(1, 2) : undefined);
      }),
    );
  });
});

test("Gemini's thoughts count as output", () => {
  const json = { usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 7, thoughtsTokenCount: 11 } };
  expect(readUsage(new TextEncoder().encode(JSON.stringify(json)))).toEqual({
    inputTokens: 5,
    outputTokens: 18,
  });
});
