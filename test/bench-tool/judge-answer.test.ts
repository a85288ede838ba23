import { describe, expect, test } from "bun:test";
import { type ApiName, APIS } from "../../src/bench/apis.ts";
import { createJudge } from "../../src/bench/judge-answer.ts";

interface Answer {
  readonly api?: ApiName;
  readonly isStream?: boolean;
  readonly status?: number;
  readonly contentType?: string;
  readonly pieceBytes?: number;
}

function judge(
  text: string,
  { api = "chat", isStream = false, status = 200, contentType, pieceBytes = Infinity }: Answer,
) {
  const judged = createJudge(APIS[api], isStream);
  judged.takeHead({
    status,
    contentType: contentType ?? (isStream ? "text/event-stream" : "application/json"),
    keepsAlive: true,
  });
  const bytes = Buffer.from(text);
  let chunks = 0;
  for (let at = 0; at < bytes.length; at += pieceBytes)
    chunks += judged.takeBody(bytes, at, Math.min(bytes.length, at + pieceBytes));
  return { chunks, ...judged.end() };
}

const data = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
const delta = (content: string): string => data({ id: "x", choices: [{ index: 0, delta: { content } }] });
const DONE = "data: [DONE]\n\n";
const USAGE = data({ choices: [], usage: { prompt_tokens: 7, completion_tokens: 3 } });

describe("a stream", () => {
  const stream = (text: string, more: Answer = {}) => judge(text, { isStream: true, ...more });

  test("is right with content and its last event, and its chunks are counted", () => {
    const text =
      data({ choices: [{ delta: { role: "assistant", content: "" } }] }) +
      delta("a") +
      delta('b"\\\n') +
      delta("ü") +
      USAGE +
      DONE;
    for (const pieceBytes of [Infinity, 1, 7, 64])
      expect(stream(text, { pieceBytes })).toEqual({
        chunks: 3,
        error: undefined,
        inputTokens: 7,
        outputTokens: 3,
      });
  });

  test("may come with CRLF, comments, names of events and without a last line break", () => {
    const text = `: hello\r\n\r\nevent: x\r\n${delta("a").replaceAll("\n", "\r\n")}data:[DONE]`;
    expect(stream(text)).toMatchObject({ chunks: 1, error: undefined });
  });

  test.each([
    ["ends early", delta("a") + delta("b"), "the stream ended without its last event"],
    ["has no content", DONE, "the stream has no content"],
    ["only has empty content", delta("") + DONE, "the stream has no content"],
    [
      "holds what is no JSON",
      `${delta("a")}data: {"choices": [\n\n${DONE}`,
      "an event of the stream is no JSON object",
    ],
    [
      "breaks after alike events",
      `${delta("a")}${delta("b").replace("]}", "]")}${DONE}`,
      "an event of the stream is no JSON object",
    ],
    [
      "breaks within a text",
      `${delta("a")}${delta("b").replace('"b"', '"b"c"')}${DONE}`,
      "an event of the stream is no JSON object",
    ],
    [
      "reports an error",
      delta("a") + data({ error: { code: "overloaded", message: "secret words" } }),
      "error in the stream: overloaded",
    ],
    ["reports an error without a code", data({ error: { message: "words" } }), "error in the stream: error"],
  ])("that %s is wrong", (_, text, error) => {
    expect(stream(text).error).toBe(error);
  });

  test("that is answered whole is wrong", () => {
    const whole = JSON.stringify({ choices: [{ message: { content: "hi" } }] });
    expect(stream(whole, { contentType: "application/json" }).error).toBe("the answer is no stream");
  });

  test("of messages ends with message_stop and reports its tokens in two parts", () => {
    const text =
      data({ type: "message_start", message: { usage: { input_tokens: 9, output_tokens: 1 } } }) +
      data({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "a" } }) +
      data({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "b" } }) +
      data({ type: "message_delta", usage: { output_tokens: 2 } });
    expect(stream(text, { api: "messages" }).error).toBe("the stream ended without its last event");
    expect(stream(text + data({ type: "message_stop" }), { api: "messages" })).toEqual({
      chunks: 2,
      error: undefined,
      inputTokens: 9,
      outputTokens: 2,
    });
    expect(
      stream(data({ type: "error", error: { type: "overloaded_error" } }), { api: "messages" }).error,
    ).toBe("error in the stream: overloaded_error");
  });

  test("of responses ends with its whole response", () => {
    const text = data({ type: "response.output_text.delta", delta: "a" });
    const end = data({
      type: "response.completed",
      response: { usage: { input_tokens: 2, output_tokens: 1 } },
    });
    expect(stream(text + end, { api: "responses" })).toEqual({
      chunks: 1,
      error: undefined,
      inputTokens: 2,
      outputTokens: 1,
    });
    expect(
      stream(data({ type: "response.failed", response: { error: { code: "server_error" } } }), {
        api: "responses",
      }).error,
    ).toBe("error in the stream: server_error");
  });

  test("of a thinking model counts its thoughts", () => {
    const text = data({ choices: [{ delta: { reasoning_content: "hm" } }] }) + delta("a") + DONE;
    expect(stream(text)).toMatchObject({ chunks: 2, error: undefined });
  });
});

describe("a whole answer", () => {
  test("is right with content, and its tokens are taken", () => {
    const text = JSON.stringify({
      choices: [{ message: { content: "hi" } }],
      usage: { prompt_tokens: 4, completion_tokens: 2 },
    });
    expect(judge(text, { pieceBytes: 5 })).toEqual({
      chunks: 0,
      error: undefined,
      inputTokens: 4,
      outputTokens: 2,
    });
  });

  test.each<[string, string, Answer, string]>([
    ["nothing", "", {}, "the answer is no JSON object"],
    ["cut JSON", '{"choices": [', {}, "the answer is no JSON object"],
    ["no choices", "{}", {}, "the answer has no content"],
    [
      "empty content",
      JSON.stringify({ choices: [{ message: { content: "" } }] }),
      {},
      "the answer has no content",
    ],
    [
      "an error with status 200",
      JSON.stringify({ error: { type: "overloaded" } }),
      {},
      "error in the answer: overloaded",
    ],
    [
      "a status and a code",
      JSON.stringify({ error: { code: "rate_limit_exceeded" } }),
      { status: 429 },
      "HTTP 429 rate_limit_exceeded",
    ],
    ["a status and a page", "<html>", { status: 502 }, "HTTP 502"],
    [
      "a message in place of a code",
      JSON.stringify({ error: { code: "\u001b[2J your key sk-1 is bad" } }),
      { status: 401 },
      "HTTP 401",
    ],
    ["a redirect", "", { status: 302 }, "HTTP 302"],
  ])("with %s is wrong", (_, text, answer, error) => {
    expect(judge(text, answer).error).toBe(error);
  });

  test("of embeddings needs vectors", () => {
    expect(judge('{"data":[]}', { api: "embeddings" }).error).toBe("the answer has no content");
    expect(judge('{"data":[{"embedding":[1]}]}', { api: "embeddings" }).error).toBeUndefined();
  });
});
