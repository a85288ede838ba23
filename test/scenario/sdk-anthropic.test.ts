// Anthropic's SDK through weir against the fake provider: every operation, aborts, and every error class it knows.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import Anthropic, {
  APIConnectionError,
  APIConnectionTimeoutError,
  type APIError,
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  ConflictError,
  InternalServerError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
  UnprocessableEntityError,
} from "@anthropic-ai/sdk";
import { startFake } from "../../src/fake/server.ts";
import { jsonResponse, startRawUpstream } from "../support/raw.ts";
import { until } from "../support/until.ts";
import { CLIENT_KEY, startWeir, type Weir } from "../support/weir.ts";

const KEY = "sk-ant-upstream-000000000001";
const MODEL = "claude-test-9";
const REPLY = "one two three— 四 five";
const ask = { model: MODEL, max_tokens: 100, messages: [{ role: "user" as const, content: "hello" }] };
const tools = [
  {
    name: "weather",
    input_schema: { type: "object" as const, properties: { city: { type: "string" } }, required: ["city"] },
  },
];

const fake = startFake({ script: { keys: [KEY], reply: REPLY } });
let weir: Weir;
let anthropic: Anthropic;

beforeAll(() => {
  weir = startWeir({ providers: [{ name: "anthropic", urls: [fake.url], keys: [KEY] }] });
  anthropic = weir.anthropic();
});

afterAll(async () => {
  await weir[Symbol.asyncDispose]();
  await fake.stop();
});

const textOf = (content: readonly { readonly type: string; readonly text?: string }[]): string =>
  content.map((block) => block.text ?? "").join("");

describe("the Anthropic SDK through weir", () => {
  test("gets a message", async () => {
    const answer = await anthropic.messages.create(ask);
    expect(textOf(answer.content as { type: string; text?: string }[])).toBe(REPLY);
    expect(answer.usage.output_tokens).toBe(5);
  });

  test("gets a streamed message by its iterator", async () => {
    let text = "";
    const kinds: string[] = [];
    for await (const event of await anthropic.messages.create({ ...ask, stream: true })) {
      kinds.push(event.type);
      if (event.type === "content_block_delta" && event.delta.type === "text_delta") text += event.delta.text;
    }
    expect(text).toBe(REPLY);
    expect(kinds.at(-1)).toBe("message_stop");
  });

  test("gets a streamed message from its helper", async () => {
    const stream = anthropic.messages.stream(ask);
    let text = "";
    stream.on("text", (delta) => {
      text += delta;
    });
    const final = await stream.finalMessage();
    expect(text).toBe(REPLY);
    expect(final.usage.output_tokens).toBe(5);
  });

  test("gets tool uses, whole and streamed", async () => {
    const withTools = { ...ask, tools, tool_choice: { type: "any" as const } };
    const answer = await anthropic.messages.create(withTools);
    expect(answer.stop_reason).toBe("tool_use");
    const streamed = await anthropic.messages.stream(withTools).finalMessage();
    for (const { content } of [answer, streamed])
      expect(content.find((block) => block.type === "tool_use")?.input).toHaveProperty("city");
  });

  test("counts tokens", async () => {
    const count = await anthropic.messages.countTokens({ model: MODEL, messages: ask.messages });
    expect(count.input_tokens).toBeGreaterThan(0);
  });

  test("makes and reads message batches", async () => {
    const batch = await anthropic.messages.batches.create({ requests: [{ custom_id: "a", params: ask }] });
    expect((await anthropic.messages.batches.retrieve(batch.id)).id).toBe(batch.id);
    expect((await anthropic.messages.batches.list()).data).toHaveLength(1);
  });

  test("keeps files at Anthropic, though another provider speaks OpenAI's language on the same path", async () => {
    const upstream = () =>
      startRawUpstream(({ socket }) => void socket.write(jsonResponse({ id: "file-1", data: [] })));
    await using other = await upstream();
    await using own = await upstream();
    await using both = startWeir({
      providers: [
        { name: "openai", urls: [other.url], keys: ["sk-openai-00000000000000001"] },
        { name: "anthropic", urls: [own.url], keys: [KEY] },
      ],
    });
    const { files } = both.anthropic().beta;
    await files.upload({ file: new File(["text"], "a.txt") });
    await files.list();
    expect(own.calls.map(({ head }) => head.split(" HTTP")[0])).toEqual(["POST /v1/files", "GET /v1/files"]);
    for (const { head } of own.calls) expect(head.toLowerCase()).toContain(`x-api-key: ${KEY}\r\n`);
    await both.openai().files.list();
    expect([own.calls.length, other.calls.length]).toEqual([2, 1]);
  });

  test("uses the beta namespace, and a query passes", async () => {
    const answer = await anthropic.beta.messages.create(ask, { query: { beta: "true" } });
    expect(answer.role).toBe("assistant");
    expect(fake.ledger.calls().at(-1)?.query).toBe("beta=true");
  });

  test("lists and retrieves models in its own shape", async () => {
    const lister = startFake({ script: { models: [MODEL, "claude-other"] } });
    await using listed = startWeir({
      discover: true,
      providers: [{ name: "anthropic", urls: [lister.url], keys: [KEY] }],
    });
    await listed.found(1);
    expect(lister.ledger.calls()[0]?.headers["anthropic-version"]).toBe("2023-06-01");
    const { data } = await listed.anthropic().models.list();
    expect(data.map((model) => model.id)).toContain(MODEL);
    expect(data[0]?.type).toBe("model");
    expect((await listed.anthropic().models.retrieve(MODEL)).display_name).toBe(MODEL);
    const failure = await listed
      .anthropic()
      .models.retrieve("claude-nobody")
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(NotFoundError);
    expect((failure as APIError).error).toMatchObject({ type: "error", error: { type: "not_found_error" } });
    await lister.stop();
  });

  test("may also speak OpenAI's language to Anthropic", async () => {
    const answer = await weir.openai().chat.completions.create({ model: MODEL, messages: ask.messages });
    expect(answer.choices[0]?.message.content).toBe(REPLY);
    expect(fake.ledger.calls().at(-1)?.headers["authorization"]).toBe(`Bearer ${KEY}`);
  });

  test("gets its client key replaced by ours on every call", () => {
    const calls = fake.ledger.calls();
    expect(JSON.stringify(calls)).not.toContain(CLIENT_KEY);
    const messages = calls.filter((call) => call.family === "anthropic");
    expect([...new Set(messages.map((call) => call.headers["x-api-key"]))]).toEqual([KEY]);
    expect([...new Set(messages.map((call) => call.headers["authorization"]))]).toEqual([undefined]);
  });
});

const CLASSES: readonly (readonly [number, new (...args: never[]) => APIError])[] = [
  [400, BadRequestError],
  [401, AuthenticationError],
  [403, PermissionDeniedError],
  [404, NotFoundError],
  [409, ConflictError],
  [422, UnprocessableEntityError],
  [429, RateLimitError],
  [500, InternalServerError],
  [502, InternalServerError],
  [503, InternalServerError],
  [504, InternalServerError],
  [529, InternalServerError],
];

describe("errors of the Anthropic SDK", () => {
  test.each(CLASSES)("status %d surfaces as the SDK's own class", async (status, type) => {
    const fake = startFake({ script: { rules: [{ do: status }] } });
    await using weir = startWeir({ providers: [{ name: "anthropic", urls: [fake.url], keys: [KEY] }] });
    const failure = await weir
      .anthropic()
      .messages.create(ask)
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(type);
    expect((failure as APIError).status).toBe(status);
    await fake.stop();
  });

  test("refusals of weir itself have Anthropic's shape", async () => {
    const failure = await anthropic.messages.create({ ...ask, model: "" }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(BadRequestError);
    expect((failure as APIError).error).toMatchObject({
      type: "error",
      error: { type: "invalid_request_error" },
    });
  });

  test("an unreachable weir surfaces as a connection error, a slow one as a time-out", async () => {
    const gone = new Anthropic({ apiKey: CLIENT_KEY, baseURL: "http://127.0.0.1:1", maxRetries: 0 });
    expect(await gone.messages.create(ask).catch((error: unknown) => error)).toBeInstanceOf(
      APIConnectionError,
    );
    const slow = startFake({ script: { rules: [{ do: "hang_headers" }] } });
    await using weir = startWeir({ providers: [{ name: "anthropic", urls: [slow.url], keys: [KEY] }] });
    const late = await weir
      .anthropic({ timeout: 200 })
      .messages.create(ask)
      .catch((error: unknown) => error);
    expect(late).toBeInstanceOf(APIConnectionTimeoutError);
    // On a busy machine the call may not have come so far when its client gave it up.
    await until(() => slow.openCalls === 0, "the upstream call ends");
    expect(slow.ledger.calls().filter(({ state }) => state !== "aborted")).toEqual([]);
    await slow.stop();
  });
});

describe("aborts of the Anthropic SDK", () => {
  test("before headers end the upstream call", async () => {
    const fake = startFake({ script: { rules: [{ do: "hang_headers" }] } });
    await using weir = startWeir({ providers: [{ name: "anthropic", urls: [fake.url], keys: [KEY] }] });
    const leave = new AbortController();
    const failure = weir
      .anthropic()
      .messages.create(ask, { signal: leave.signal })
      .catch((error: unknown) => error);
    await fake.ledger.waitFor((entry) => entry.state === "open");
    leave.abort();
    expect(await failure).toBeInstanceOf(APIUserAbortError);
    await fake.ledger.waitFor((entry) => entry.state === "aborted");
    await fake.stop();
  });

  test("of the stream helper end the upstream call", async () => {
    const fake = startFake({ script: { gap: "5ms", tokens: 10_000 } });
    await using weir = startWeir({ providers: [{ name: "anthropic", urls: [fake.url], keys: [KEY] }] });
    const stream = weir.anthropic().messages.stream({ ...ask, max_tokens: 10_000 });
    stream.once("text", () => stream.abort());
    expect(await stream.finalMessage().catch((error: unknown) => error)).toBeInstanceOf(APIUserAbortError);
    const call = await fake.ledger.waitFor((entry) => entry.state === "aborted");
    expect(call.chunks).toBeLessThan(1000);
    expect((await weir.finished()).ending).toBe("abandoned");
    await fake.stop();
  });
});
