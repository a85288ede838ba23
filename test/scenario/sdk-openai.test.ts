// OpenAI's SDK through weir against the fake provider: every operation, aborts, and every error class it knows.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import OpenAI, {
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
  toFile,
  UnprocessableEntityError,
} from "openai";
import { startFake } from "../../src/fake/server.ts";
import { until } from "../support/until.ts";
import { CLIENT_KEY, startWeir, type Weir } from "../support/weir.ts";

const KEY = "sk-upstream-openai-000000001";
const MODEL = "gpt-4o";
const REPLY = "one two three— 四 five";
const messages = [{ role: "user" as const, content: "hello" }];
const tools = [
  {
    type: "function" as const,
    function: {
      name: "weather",
      parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    },
  },
];

const fake = startFake({ script: { keys: [KEY], reply: REPLY } });
let weir: Weir;
let openai: OpenAI;

beforeAll(() => {
  weir = startWeir({ providers: [{ name: "openai", urls: [fake.url], keys: [KEY] }] });
  openai = weir.openai();
});

afterAll(async () => {
  await weir[Symbol.asyncDispose]();
  await fake.stop();
});

describe("the OpenAI SDK through weir", () => {
  test("gets a chat completion", async () => {
    const answer = await openai.chat.completions.create({ model: MODEL, messages });
    expect(answer.choices[0]?.message.content).toBe(REPLY);
    expect(answer.usage?.completion_tokens).toBe(5);
  });

  test("gets a streamed chat completion with usage", async () => {
    const stream = await openai.chat.completions.create({
      model: MODEL,
      messages,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = "";
    let tokens: number | undefined;
    for await (const event of stream) {
      text += event.choices[0]?.delta.content ?? "";
      tokens = event.usage?.completion_tokens ?? tokens;
    }
    expect(text).toBe(REPLY);
    expect(tokens).toBe(5);
  });

  test("gets a chat completion from its stream helper", async () => {
    const final = await openai.chat.completions.stream({ model: MODEL, messages }).finalChatCompletion();
    expect(final.choices[0]?.message.content).toBe(REPLY);
  });

  test("gets tool calls, whole and streamed", async () => {
    const ask = { model: MODEL, messages, tools, tool_choice: "required" as const };
    const answer = await openai.chat.completions.create(ask);
    const [call] = answer.choices[0]?.message.tool_calls ?? [];
    expect(answer.choices[0]?.finish_reason).toBe("tool_calls");
    expect(call?.type === "function" && JSON.parse(call.function.arguments)).toHaveProperty("city");
    const final = await openai.chat.completions.stream(ask).finalChatCompletion();
    const [streamed] = final.choices[0]?.message.tool_calls ?? [];
    expect(streamed?.type === "function" && JSON.parse(streamed.function.arguments)).toHaveProperty("city");
  });

  test("gets completions, whole and streamed", async () => {
    const answer = await openai.completions.create({ model: MODEL, prompt: "hello" });
    expect(answer.choices[0]?.text).toBe(REPLY);
    let text = "";
    for await (const event of await openai.completions.create({ model: MODEL, prompt: "hi", stream: true }))
      text += event.choices[0]?.text ?? "";
    expect(text).toBe(REPLY);
  });

  test("gets embeddings", async () => {
    const answer = await openai.embeddings.create({ model: "text-embedding-3-small", input: ["a", "b"] });
    expect(answer.data).toHaveLength(2);
    expect(answer.data[0]?.embedding.every((value) => typeof value === "number")).toBe(true);
  });

  test("gets responses, whole and streamed, and one by its id", async () => {
    const answer = await openai.responses.create({ model: MODEL, input: "hello" });
    expect(answer.output_text).toBe(REPLY);
    const kinds: string[] = [];
    let text = "";
    for await (const event of await openai.responses.create({ model: MODEL, input: "hi", stream: true })) {
      kinds.push(event.type);
      if (event.type === "response.output_text.delta") text += event.delta;
    }
    expect(text).toBe(REPLY);
    expect(kinds.at(-1)).toBe("response.completed");
    const final = await openai.responses.stream({ model: MODEL, input: "hello" }).finalResponse();
    expect(final.output_text).toBe(REPLY);
    expect((await openai.responses.retrieve(answer.id)).id).toBe(answer.id);
  });

  test("gets images", async () => {
    const answer = await openai.images.generate({ model: "gpt-image-1", prompt: "a weir", n: 2 });
    expect(answer.data).toHaveLength(2);
    const image = await toFile(new Uint8Array(64), "a.png", { type: "image/png" });
    const edited = await openai.images.edit({ model: "gpt-image-1", image, prompt: "greener" });
    expect(edited.data?.[0]?.b64_json).toBeString();
  });

  test("gets a transcription of a file, routed by the form's model field", async () => {
    const file = await toFile(new Uint8Array(20_000).fill(7), "speech.mp3", { type: "audio/mpeg" });
    const answer = await openai.audio.transcriptions.create({ model: "whisper-1", file });
    expect(answer.text).toBe(REPLY);
    const call = await fake.ledger.waitFor((entry) => entry.operation === "transcriptions");
    expect(call.model).toBe("whisper-1");
    expect(call.headers["content-type"]).toStartWith("multipart/form-data; boundary=");
  });

  test("gets speech as binary bytes", async () => {
    const answer = await openai.audio.speech.create({ model: "tts-1", voice: "alloy", input: "hello" });
    const bytes = new Uint8Array(await answer.arrayBuffer());
    expect(bytes.subarray(0, 3)).toEqual(Uint8Array.of(0x49, 0x44, 0x33));
    expect(bytes.length).toBe(10 + 5 * 512);
    expect(bytes.subarray(10, 266)).toEqual(Uint8Array.from({ length: 256 }, (_, at) => at));
  });

  test("gets moderations, with a model and without", async () => {
    const named = await openai.moderations.create({ model: "omni-moderation-latest", input: "x" });
    expect(named.results[0]?.flagged).toBe(false);
    expect((await openai.moderations.create({ input: ["x", "y"] })).results).toHaveLength(2);
  });

  test("gets its client key replaced by ours on every call", () => {
    const calls = fake.ledger.calls();
    expect(calls.length).toBeGreaterThan(15);
    expect(JSON.stringify(calls)).not.toContain(CLIENT_KEY);
    expect([...new Set(calls.map((call) => call.headers["authorization"]))]).toEqual([`Bearer ${KEY}`]);
  });
});

describe("objects of one account", () => {
  const other = startFake({ script: { keys: ["sk-groq-1"], reply: REPLY } });
  const first = startFake({ script: { keys: ["sk-one", "sk-two"] } });
  let weir: Weir;

  beforeAll(() => {
    weir = startWeir({
      providers: [
        { name: "anthropic", urls: [other.url], keys: ["sk-anthropic-1"] },
        { name: "openai", urls: [first.url], keys: ["sk-one", "sk-two"] },
        { name: "groq", urls: [other.url], keys: ["sk-groq-1"] },
      ],
    });
  });

  afterAll(async () => {
    await weir[Symbol.asyncDispose]();
    await Promise.all([other.stop(), first.stop()]);
  });

  test("files go to the first OpenAI provider and its first key, each time", async () => {
    const openai = weir.openai();
    const content = "line one\nline two — 水\n";
    const file = await openai.files.create({ purpose: "batch", file: await toFile(Buffer.from(content)) });
    expect(file.bytes).toBe(Buffer.byteLength(content));
    expect((await openai.files.list()).data.map((each) => each.id)).toEqual([file.id]);
    expect((await openai.files.retrieve(file.id)).id).toBe(file.id);
    expect(await (await openai.files.content(file.id)).text()).toBe(content);
    expect((await openai.files.delete(file.id)).deleted).toBe(true);
    expect(first.ledger.calls().map((call) => call.key)).toEqual(Array(5).fill("sk-one"));
    expect(other.ledger.calls()).toEqual([]);
  });

  test("batches and uploads go there too", async () => {
    const openai = weir.openai();
    const batch = await openai.batches.create({
      input_file_id: "file-1",
      endpoint: "/v1/chat/completions",
      completion_window: "24h",
    });
    expect((await openai.batches.retrieve(batch.id)).id).toBe(batch.id);
    expect((await openai.batches.cancel(batch.id)).status).toBe("cancelled");
    expect((await openai.batches.list()).data).toHaveLength(1);
    const upload = await openai.uploads.create({
      bytes: 4,
      filename: "a",
      mime_type: "text/plain",
      purpose: "batch",
    });
    const part = await openai.uploads.parts.create(upload.id, { data: await toFile(Buffer.from("abcd")) });
    const done = await openai.uploads.complete(upload.id, { part_ids: [part.id] });
    expect(done.status).toBe("completed");
    expect(new Set(first.ledger.calls().map((call) => call.key))).toEqual(new Set(["sk-one"]));
  });

  test("x-weir-provider names another account and does not reach it", async () => {
    const openai = weir.openai({ defaultHeaders: { "x-weir-provider": "groq" } });
    await openai.files.list();
    const call = other.ledger.calls().at(-1);
    expect(call?.key).toBe("sk-groq-1");
    expect(call?.path).toBe("/openai/v1/files");
    expect(call?.headers["x-weir-provider"]).toBeUndefined();
    const unknown = weir.openai({ defaultHeaders: { "x-weir-provider": "nobody" } });
    const failure = await unknown.files.list().then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(NotFoundError);
    expect(String(failure)).toContain("nobody");
  });

  test("an upload streams through with its length", async () => {
    const bytes = new Uint8Array(3_000_000).map((_, at) => at % 251);
    const file = await weir
      .openai()
      .files.create({ purpose: "batch", file: await toFile(bytes, "big.jsonl") });
    expect(file.bytes).toBe(bytes.length);
    const call = first.ledger.calls().at(-1);
    expect(call?.headers["content-length"]).toBe(String(call?.bodyBytes));
    expect(call?.headers["transfer-encoding"]).toBeUndefined();
  });
});

describe("models through the OpenAI SDK", () => {
  test("are the union of what providers list, in a stable order", async () => {
    const one = startFake({ script: { models: ["zeta", "gpt-4o", "org/with-slash"] } });
    const two = startFake({ script: { models: ["alpha", "gpt-4o"] } });
    await using weir = startWeir({
      discover: true,
      providers: [
        { name: "openai", urls: [one.url], keys: ["sk-1"] },
        { name: "groq", urls: [two.url], keys: ["sk-2"] },
      ],
    });
    await weir.found(2);
    const openai = weir.openai();
    const listed = (await openai.models.list()).data;
    expect(listed.map(({ id, owned_by }) => [id, owned_by])).toEqual([
      ["alpha", "groq"],
      ["gpt-4o", "openai"],
      ["org/with-slash", "openai"],
      ["zeta", "openai"],
    ]);
    expect((await openai.models.list()).data).toEqual(listed);
    expect((await openai.models.retrieve("gpt-4o")).object).toBe("model");
    expect((await openai.models.retrieve("org/with-slash")).id).toBe("org/with-slash");
    const failure = await openai.models.retrieve("gpt-4").catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(NotFoundError);
    expect((failure as APIError).code).toBe("model_not_found");
    await Promise.all([one.stop(), two.stop()]);
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
];

describe("errors of the OpenAI SDK", () => {
  test.each(CLASSES)("status %d surfaces as the SDK's own class", async (status, type) => {
    const fake = startFake({ script: { rules: [{ do: status }] } });
    await using weir = startWeir({ providers: [{ name: "openai", urls: [fake.url], keys: [KEY] }] });
    const failure = await weir
      .openai()
      .chat.completions.create({ model: MODEL, messages })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(type);
    expect((failure as APIError).status).toBe(status);
    expect((failure as APIError).headers?.get("x-weir-request-id")).toBeString();
    await fake.stop();
  });

  test("an unknown client token surfaces as an authentication error, without an upstream call", async () => {
    await using weir = startWeir({
      accessKeys: ["team-token-1"],
      providers: [{ name: "openai", urls: [fake.url], keys: [KEY] }],
    });
    const before = fake.ledger.counters().calls;
    const failure = await weir
      .openai()
      .models.list()
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(AuthenticationError);
    expect(fake.ledger.counters().calls).toBe(before);
    const known = weir.openai({ apiKey: "team-token-1" });
    expect((await known.chat.completions.create({ model: MODEL, messages })).object).toBe("chat.completion");
  });

  test("an unreachable weir surfaces as a connection error, a slow one as a time-out", async () => {
    const gone = new OpenAI({ apiKey: CLIENT_KEY, baseURL: "http://127.0.0.1:1/v1", maxRetries: 0 });
    const refused = await gone.models.list().catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(APIConnectionError);
    const slow = startFake({ script: { rules: [{ do: "hang_headers" }] } });
    await using weir = startWeir({ providers: [{ name: "openai", urls: [slow.url], keys: [KEY] }] });
    const late = await weir
      .openai({ timeout: 200 })
      .chat.completions.create({ model: MODEL, messages })
      .catch((error: unknown) => error);
    expect(late).toBeInstanceOf(APIConnectionTimeoutError);
    // On a busy machine the call may not have come so far when its client gave it up.
    await until(() => slow.openCalls === 0, "the upstream call ends");
    expect(slow.ledger.calls().filter(({ state }) => state !== "aborted")).toEqual([]);
    await slow.stop();
  });

  test("an answer that is reset surfaces as an error, never as a short success", async () => {
    const broken = startFake({
      script: { rules: [{ do: { fault: "reset", after: 2, framing: "chunked" } }] },
    });
    await using weir = startWeir({ providers: [{ name: "openai", urls: [broken.url], keys: [KEY] }] });
    const failure = await weir
      .openai()
      .chat.completions.create({ model: MODEL, messages })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    await broken.stop();
  });
});

describe("aborts of the OpenAI SDK", () => {
  test("before headers end the upstream call", async () => {
    const fake = startFake({ script: { rules: [{ do: "hang_headers" }] } });
    await using weir = startWeir({ providers: [{ name: "openai", urls: [fake.url], keys: [KEY] }] });
    const leave = new AbortController();
    const failure = weir
      .openai()
      .chat.completions.create({ model: MODEL, messages }, { signal: leave.signal })
      .catch((error: unknown) => error);
    await fake.ledger.waitFor((entry) => entry.state === "open");
    leave.abort();
    expect(await failure).toBeInstanceOf(APIUserAbortError);
    await fake.ledger.waitFor((entry) => entry.state === "aborted");
    expect((await weir.finished()).ending).toBe("abandoned");
    await fake.stop();
  });

  test("in mid-stream end the upstream call", async () => {
    const fake = startFake({ script: { gap: "5ms", tokens: 10_000 } });
    await using weir = startWeir({ providers: [{ name: "openai", urls: [fake.url], keys: [KEY] }] });
    const stream = await weir.openai().chat.completions.create({ model: MODEL, messages, stream: true });
    let events = 0;
    for await (const _ of stream) {
      events += 1;
      if (events === 3) break;
    }
    const call = await fake.ledger.waitFor((entry) => entry.state === "aborted");
    expect(call.chunks).toBeLessThan(1000);
    expect((await weir.finished()).ending).toBe("abandoned");
    await fake.stop();
  });
});
