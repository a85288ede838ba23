// What is told of a stream does not depend on how it was cut into pieces, and what follows a cut can be read.
import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { errorEvent } from "../../src/core/refusal.ts";
import {
  type StreamWatch,
  type TerminalEvent,
  terminalEventOf,
  watchStream,
} from "../../src/core/stream-watch.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function watched(terminal: TerminalEvent | undefined, pieces: readonly Uint8Array[]): StreamWatch {
  const watch = watchStream(terminal);
  for (const piece of pieces) watch.observe(piece);
  return watch;
}

const told = (watch: StreamWatch) => ({
  complete: watch.isComplete(),
  error: watch.hasError(),
  boundary: watch.boundary(),
  usage: watch.usage(),
});
const tell = (terminal: TerminalEvent | undefined, text: string) => told(watched(terminal, [bytes(text)]));

/** The same stream as single bytes, in two pieces at every place, in runs of a few, and line by line. */
function* splits(text: string): Generator<readonly Uint8Array[]> {
  const whole = bytes(text);
  yield Array.from(whole, (byte) => Uint8Array.of(byte));
  for (let at = 0; at <= whole.length; at += 1) yield [whole.subarray(0, at), whole.subarray(at)];
  for (const size of [2, 3, 5, 7, 64, 1000]) {
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < whole.length; at += size) pieces.push(whole.subarray(at, at + size));
    yield pieces;
  }
  yield text.split(/(?<=\n)/).map(bytes);
}

interface Dispatched {
  readonly event: string;
  readonly data: string;
}

/** After the WHATWG's event stream interpretation, to the letter. */
function parseEvents(text: string): readonly Dispatched[] {
  const events: Dispatched[] = [];
  let event = "";
  let data: string[] = [];
  const lines = text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/);
  for (const line of lines.slice(0, -1)) {
    if (line === "") {
      if (data.length > 0) events.push({ event: event === "" ? "message" : event, data: data.join("\n") });
      event = "";
      data = [];
      continue;
    }
    const colon = line.indexOf(":");
    const [field, rest] = colon < 0 ? [line, ""] : [line.slice(0, colon), line.slice(colon + 1)];
    const value = rest.startsWith(" ") ? rest.slice(1) : rest;
    if (field === "event") event = value;
    if (field === "data") data.push(value);
  }
  return events;
}

const chunk = (content: string) =>
  JSON.stringify({ id: "c", choices: [{ index: 0, delta: { content }, finish_reason: null }] });
const LOOKALIKE =
  '\ndata: [DONE]\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\nevent: response.completed\n\nevent: error\n\n"usage": {"prompt_tokens": 1}';

const CHAT = [
  `data: ${chunk("héllo 😀")}`,
  "",
  `data: ${chunk(LOOKALIKE)}`,
  "",
  ": keep-alive",
  "",
  'data: {"id":"c","choices":[],"usage":{"prompt_tokens":11,"completion_tokens":22,"total_tokens":33}}',
  "",
  "data: [DONE]",
  "",
  "",
];
const ANTHROPIC = [
  "event: message_start",
  'data: {"type":"message_start","message":{"id":"m","usage":{"input_tokens":25,"cache_read_input_tokens":5,"output_tokens":1}}}',
  "",
  "event: ping",
  'data: {"type":"ping"}',
  "",
  "event: content_block_delta",
  `data: ${JSON.stringify({ type: "content_block_delta", delta: { type: "text_delta", text: LOOKALIKE } })}`,
  "",
  "event: message_delta",
  'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":15}}',
  "",
  "event: message_stop",
  'data: {"type":"message_stop"}',
  "",
  "",
];
const responses = (last: string) => [
  "event: response.created",
  'data: {"type":"response.created","response":{"id":"r","usage":null}}',
  "",
  "event: response.output_text.delta",
  `data: ${JSON.stringify({ type: "response.output_text.delta", delta: LOOKALIKE })}`,
  "",
  `event: ${last}`,
  `data: {"type":"${last}","response":{"id":"r","output":[{"text":"${"x".repeat(30)}"}],"usage":{"input_tokens":7,"output_tokens":8,"total_tokens":15},"user":"usage-bot"}}`,
  "",
  "",
];
const GEMINI = [
  `data: ${JSON.stringify({ candidates: [{ content: { parts: [{ text: LOOKALIKE }] } }], usageMetadata: { promptTokenCount: 4, totalTokenCount: 4 } })}`,
  "",
  'data: {"candidates":[],"usageMetadata":{"promptTokenCount":4,"candidatesTokenCount":9,"totalTokenCount":13},"modelVersion":"g"}',
  "",
  "",
];

const STREAMS: readonly (readonly [string, TerminalEvent | undefined, readonly string[], number, number])[] =
  [
    ["chat completions", "done", CHAT, 11, 22],
    ["messages", "message_stop", ANTHROPIC, 30, 15],
    ["responses, completed", "response", responses("response.completed"), 7, 8],
    ["responses, failed", "response", responses("response.failed"), 7, 8],
    ["responses, incomplete", "response", responses("response.incomplete"), 7, 8],
    ["Gemini", undefined, GEMINI, 4, 9],
  ];
const FORMS: readonly (readonly [string, (text: string) => string])[] = [
  ["LF", (text) => text],
  ["CRLF", (text) => text.replaceAll("\n", "\r\n")],
  ["LF and no space after the colon", (text) => text.replaceAll(/^(\w+|): /gm, "$1:")],
];

describe("the terminal event", () => {
  test("of each operation is the contract's", () => {
    expect(terminalEventOf("openai", "/chat/completions")).toBe("done");
    expect(terminalEventOf("openai", "/completions")).toBe("done");
    expect(terminalEventOf("openai", "/responses")).toBe("response");
    expect(terminalEventOf("anthropic", "/messages")).toBe("message_stop");
    for (const path of ["/audio/speech", "/embeddings", "/responses/r", "/images/generations"])
      expect(terminalEventOf("openai", path)).toBeUndefined();
    expect(terminalEventOf("gemini", "/models/{model}:streamGenerateContent")).toBeUndefined();
    expect(terminalEventOf("anthropic", "/messages/batches/b/results")).toBeUndefined();
  });
});

describe.each([...STREAMS])("a stream of %s", (_, terminal, lines, inputTokens, outputTokens) => {
  const text = lines.join("\n");
  const whole = { complete: true, error: false, boundary: "", usage: { inputTokens, outputTokens } } as const;

  test.each([...FORMS])("is told alike however it is split, with %s", (_, form) => {
    for (const pieces of splits(form(text))) expect(told(watched(terminal, pieces))).toEqual(whole);
  });

  test("is told alike in random pieces", () => {
    const body = bytes(text);
    fc.assert(
      fc.property(fc.array(fc.nat(body.length), { maxLength: 12 }), (cuts) => {
        const marks = [0, ...cuts.sort((a, b) => a - b), body.length];
        const pieces = marks.slice(1).map((mark, at) => body.subarray(marks[at], mark));
        expect(told(watched(terminal, pieces))).toEqual(whole);
      }),
    );
  });

  test("is complete only once its last event is whole", () => {
    if (terminal === undefined) return;
    const end = text.lastIndexOf(lines.findLast((line) => line.startsWith("data:")) ?? "");
    const last = text.trimEnd();
    for (let cut = 0; cut < last.length; cut += 1) {
      const watch = watched(terminal, [bytes(text.slice(0, cut))]);
      // An object that closes within an open last line looks like the end; nothing short of a parser tells.
      if (cut > end && last[cut - 1] === "}") continue;
      expect({ cut, complete: watch.isComplete() }).toEqual({ cut, complete: false });
    }
    for (const tail of ["", "\n", "\r", "\r\n", "\n\n"])
      expect(tell(terminal, last + tail).complete).toBe(true);
  });

  test("that was cut anywhere can be followed by an error event", () => {
    for (const [, form] of FORMS) {
      const body = bytes(form(text));
      for (let cut = 0; cut <= body.length; cut += 1) {
        const watch = watched(terminal, [body.subarray(0, cut)]);
        const family = terminal === undefined ? "gemini" : "openai";
        const ended =
          new TextDecoder().decode(body.subarray(0, cut)) + watch.boundary() + errorEvent(family, "cut");
        const event = parseEvents(ended).at(-1);
        expect(event?.event).toBe(terminal === undefined ? "message" : "error");
        expect(JSON.parse(event?.data ?? "")).toMatchObject({ error: { message: "cut" } });
      }
    }
  });
});

describe("an error event", () => {
  test.each([
    ["event: error\ndata: {}\n\n"],
    ["event:error\r\ndata: {}\r\n\r\n"],
    ['data: {"error":{"message":"overloaded","code":503}}\n\n'],
    ['data:{ "error" : {"message":"x"}}\n\n'],
    ['data: {"error":"overloaded"}\n\n'],
    ['data: {"type":"error","error":{"type":"overloaded_error"}}\n\n'],
    ['event: error\ndata: {"type":"error","error":{"type":"overloaded_error"}}\n\ndata: [DONE]\n\n'],
    ['data: {"error":{"message":"x"}}'],
    ['data: {"error":{"message":"x"}}\n'],
  ])("is seen however it is split: %j", (text) => {
    for (const terminal of ["done", "message_stop", "response", undefined] as const)
      for (const pieces of splits(`data: {"ok":1}\n\n${text}`))
        expect(watched(terminal, pieces).hasError()).toBe(true);
  });

  test.each([
    ['data: {"error":null,"choices":[]}\n\n'],
    ['data: {"error":"","choices":[]}\n\n'],
    ['data: {"errors":{}}\n\n'],
    ['data: {"type":"errors"}\n\n'],
    ['data: {"text":"event: error"}\n\n'],
    ["event: errors\ndata: {}\n\n"],
    ["event: error_count\ndata: {}\n\n"],
    [": error\n\n"],
    ["id: event: error\n\n"],
    ['data: "{\\"error\\":{}}"\n\n'],
    ["event: error"],
    ["event: error\n"],
  ])("is not seen in what only looks like one: %j", (text) => {
    for (const pieces of splits(text)) expect(watched("done", pieces).hasError()).toBe(false);
  });
});

describe("an end", () => {
  test.each<[TerminalEvent, string]>([
    ["done", 'data: {"x":"[DONE]"}\n\n'],
    ["done", ": data: [DONE]\n\n"],
    ["done", "data: DONE\n\n"],
    ["done", "xdata: [DONE]\n\n"],
    ["done", 'data: {"type":"message_stop"}\n\n'],
    ["message_stop", "event: message_stopped\ndata: {}\n\n"],
    ["message_stop", 'data: {"message":{"type":"message_stop"}}\n\n'],
    ["message_stop", "data: [DONE]\n\n"],
    ["response", 'data: {"type":"response.completed_soon"}\n\n'],
    ["response", "event: response.completion\ndata: {}\n\n"],
    ["response", "data: [DONE]\n\n"],
    ["done", ""],
  ])("of %s is not %j", (terminal, text) => {
    for (const pieces of splits(text)) expect(watched(terminal, pieces).isComplete()).toBe(false);
  });

  test.each<[TerminalEvent, string]>([
    ["message_stop", 'data: {"type":"message_stop"}\n\n'],
    ["message_stop", 'data: { "type" : "message_stop" }\n\n'],
    ["message_stop", "event: message_stop\ndata: {}\n\n"],
    ["response", 'event: response.completed\ndata: {"response":{"id":"r"},"type":"response.completed"}\n\n'],
    ["response", 'data: {"type":"response.completed","response":{}}\n\n'],
    ["response", 'id: 7\nevent: response.failed\ndata: {"sequence_number":9,"type":"response.failed"}\n\n'],
    ["done", "data: [DONE]"],
    ["done", "data:[DONE]\r\n\r\n"],
  ])("of %s is %j", (terminal, text) => {
    for (const pieces of splits(text)) expect(watched(terminal, pieces).isComplete()).toBe(true);
  });
});

const report = (at: number) =>
  `data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":${at}}}\n\n`;

const long = (before: string, after: string) =>
  `data: {"text":"${"x".repeat(3000)}","note":"${before}","usage":{"prompt_tokens":3,"completion_tokens":4},"note":"${after}"}\n\n`;

describe("the usage of a stream", () => {
  test("is found between names and texts that begin like it", () => {
    for (const decoy of [
      "usage",
      '\\"usage\\":{\\"prompt_tokens\\":9}',
      'usage","usage_breakdown":"x',
      'usages":{},"x":"',
    ])
      for (const pieces of splits(
        long(decoy, 'y","usage_breakdown":null,"user":"usage-bot').replace("x".repeat(2900), ""),
      ))
        expect(watched("done", pieces).usage()).toEqual({ inputTokens: 3, outputTokens: 4 });
  });

  test("is not lost when chunks without one follow, of any number", () => {
    const watch = watched("done", [bytes(long("", ""))]);
    for (let at = 0; at < 5000; at += 1) watch.observe(bytes(`data: ${chunk("more text")}\n\n`));
    expect(watch.usage()).toEqual({ inputTokens: 3, outputTokens: 4 });
  });

  test("of many reports is the last", () => {
    const text = Array.from({ length: 20 }, (_, at) => report(at + 1)).join("");
    for (const pieces of splits(text))
      expect(watched("done", pieces).usage()).toEqual({ inputTokens: 5, outputTokens: 20 });
  });

  test("is none where none was reported", () => {
    for (const text of [
      "",
      "data: [DONE]\n\n",
      'data: {"usage":null}\n\n',
      'data: {"usage":{}}\n\n',
      'data: {"usage":{"prompt_tok',
    ])
      expect(tell("done", text).usage).toBeUndefined();
  });
});

test("a stream of any bytes is watched without an exception", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 }), (pieces) => {
      const watch = watched("done", pieces);
      told(watch);
    }),
  );
});
