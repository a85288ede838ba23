// The look at a stream's beginning: the same verdict however the bytes are split.
import { expect, test } from "bun:test";
import { checkFirstEvent } from "../../src/core/first-event.ts";
import { classifyFirstError } from "../../src/core/outcome.ts";

const encoder = new TextEncoder();

/** The verdict after feeding the text in pieces of `size` bytes, and then the end unless it was clear before. */
function verdictOf(text: string, size: number) {
  const bytes = encoder.encode(text);
  const check = checkFirstEvent();
  for (let at = 0; at < bytes.length; at += size) {
    const verdict = check.observe(bytes.subarray(at, at + size));
    if (verdict.kind !== "undecided") return verdict;
  }
  return check.end();
}

const CASES: readonly (readonly [string, string, string])[] = [
  ["content", "an OpenAI chunk", 'data: {"id":"1","choices":[{"delta":{"role":"assistant"}}]}\n\n'],
  [
    "content",
    "Anthropic's start after a ping",
    'event: ping\ndata: {"type":"ping"}\n\nevent: message_start\ndata: {"type":"message_start"}\n\n',
  ],
  ["content", "an event after comments", ": a\n\n: b\n\ndata: {}\n\n"],
  [
    "content",
    "text that speaks of errors",
    'data: {"choices":[{"delta":{"content":"\\"error\\": {}"}}]}\n\n',
  ],
  ["content", "an error that is null", 'data: {"id":"1","error":null}\n\n'],
  ["content", "lines that end with CR LF", 'data: {"candidates":[]}\r\n\r\n'],
  ["error", "OpenAI's error", 'data: {"error":{"message":"x","code":"server_error"}}\n\n'],
  [
    "error",
    "an error event",
    'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"x"}}\n\n',
  ],
  ["error", "an error in a chunk", 'data: {"id":"1","choices":[],"error":{"code":502,"message":"x"}}\n\n'],
  [
    "error",
    "Google's bare JSON",
    '{\n  "error": {\n    "code": 503,\n    "status": "UNAVAILABLE"\n  }\n}\n\n',
  ],
  ["error", "an error in a word", 'data: {"error":"overloaded"}\n\n'],
  ["empty", "the end at once", "data: [DONE]\n\n"],
  ["empty", "nothing at all", ""],
  ["empty", "only comments", ": keep-alive\n\n"],
];

test.each(CASES)("the beginning is %s: %s, in pieces of any size", (kind, _, text) => {
  for (let size = 1; size <= Math.max(1, text.length); size += 1)
    expect(verdictOf(text, size).kind).toBe(kind as "content");
});

test("the beginning is content once it is longer than any error", () => {
  const check = checkFirstEvent();
  expect(check.observe(encoder.encode(`data: {"error": "${"x".repeat(9000)}`)).kind).toBe("content");
});

test.each([
  [{ cause: "rate_limit" }, "rate_limited"],
  [{ cause: "quota" }, "quota_exhausted"],
  [{ cause: "revoked" }, "revoked"],
  [{ cause: "overloaded" }, "unavailable"],
  [{ cause: "context_window" }, "rejected"],
  [{ code: "502" }, "failed"],
  [{ code: "503" }, "unavailable"],
  [{}, "failed"],
] as const)("an error told in the stream %j concerns whom it would by its status: %s", (error, kind) => {
  expect(classifyFirstError(error)).toMatchObject({ kind, status: 200 });
});
