// What providers say in the bodies of errors, and what follows: test/fixtures/error-bodies.txt holds one of each.
import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { classifyAnswer } from "../../src/core/outcome.ts";
import { type ErrorFacts, readErrorBody } from "../../src/core/error-body.ts";
import recorded from "../fixtures/error-bodies.txt" with { type: "text" };

const read = (body: unknown): ErrorFacts =>
  readErrorBody(new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body)));

const lines = recorded.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
const rows = lines.flatMap((line, at) =>
  at % 2 === 0 ? [[...line.split(" | "), lines[at + 1] ?? ""] as [string, string, string]] : [],
);

describe("a recorded body", () => {
  test("stands for each of at least 70 cases", () => {
    expect(rows.length).toBeGreaterThanOrEqual(70);
  });

  test.each(rows)("of %s is told (%s)", (_, expectation, json) => {
    const [status, cause, wait, outcome] = expectation
      .split(" ")
      .map((word) => (word === "-" ? undefined : word));
    const error = read(JSON.parse(json));
    expect(error.cause as string | undefined).toBe(cause as string);
    if (wait === undefined) expect(error.retryDelayMs).toBeUndefined();
    else expect(error.retryDelayMs).toBeCloseTo(Number(wait), 6);
    if (status === undefined) return;
    expect(classifyAnswer({ status: Number(status), error }).kind as string).toBe(outcome as string);
  });
});

const openai = (code: string | null, message: string, type = "invalid_request_error"): object => ({
  error: { message, type, param: null, code },
});

describe("other bodies", () => {
  test("code, type and message are handed on", () => {
    expect(read(openai("rate_limit_exceeded", "Slow", "tokens"))).toEqual({
      code: "rate_limit_exceeded",
      type: "tokens",
      message: "Slow",
      cause: "rate_limit",
    });
    expect(read({ error: { code: 429, status: "RESOURCE_EXHAUSTED" } })).toEqual({
      code: "429",
      type: "RESOURCE_EXHAUSTED",
      cause: "rate_limit",
    });
  });

  test("a body without facts gives none", () => {
    for (const body of [
      "",
      "  \n",
      "{}",
      "[]",
      "null",
      "true",
      "42",
      "{",
      "[[[[",
      "<html><h1>502</h1></html>",
    ])
      expect(read(body)).toEqual({});
    expect(readErrorBody(new Uint8Array([0xff, 0xfe, 0x00, 0x80])).cause).toBeUndefined();
  });

  test("a plain text is the message", () => {
    expect(read("upstream connect error")).toEqual({ message: "upstream connect error" });
    expect(read('"Too many requests"')).toEqual({ message: "Too many requests" });
  });

  test("an error printed as the message of another is opened", () => {
    const details = [{ violations: [{ quotaId: "GenerateRequestsPerDayPerProjectPerModel" }] }];
    const inner = JSON.stringify({ error: { code: 429, details } });
    expect(read({ error: { message: inner, code: 429, status: "Too Many Requests" } }).cause).toBe(
      "daily_quota",
    );
    expect(read(JSON.stringify(JSON.stringify(openai("insufficient_quota", "x")))).cause).toBe("quota");
  });

  test("words that quote a caller do not rest a key", () => {
    for (const quoted of [
      "Your credit balance is too low",
      "Incorrect API key provided",
      "Insufficient Balance",
    ])
      expect(read(openai(null, `Unrecognized request argument: ${quoted}`)).cause).toBeUndefined();
  });

  test("a huge body is read to 64 KiB and costs little", () => {
    const huge = new Uint8Array(20_000_000).fill(0x61);
    expect(readErrorBody(huge).message?.length).toBe(2000);
    expect(read(`{"error":{"message":"${"a".repeat(70_000)}","code":"insufficient_quota"}}`)).toEqual({});
    expect(read("[".repeat(200_000))).toEqual({});
    expect(read(`{"error":`.repeat(50) + "1" + "}".repeat(50))).toEqual({});
  });

  test("every body is read without an exception", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.string(),
          fc.json().map((text) => `data: {"error":${text}}`),
        ),
        (text) => {
          expect(typeof read(text)).toBe("object");
        },
      ),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (body) => {
        expect(typeof readErrorBody(body)).toBe("object");
      }),
      { numRuns: 200 },
    );
  });
});
