// The three official SDKs against the fake: the only judges of the forms that count.
import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai";
import { afterAll, expect, test } from "bun:test";
import OpenAI, { APIError, AuthenticationError, AzureOpenAI, RateLimitError, toFile } from "openai";
import { startFake } from "../../src/fake/server.ts";

const REPLY = "Water finds its way over the weir — 水は堰を越える, and nobody upstream notices 🌊.";
const fake = startFake({ script: { keys: ["sk-good"] } });
afterAll(() => fake.stop());

const openai = new OpenAI({ apiKey: "sk-good", baseURL: `${fake.url}/v1`, maxRetries: 0 });
const anthropic = new Anthropic({ apiKey: "sk-good", baseURL: fake.url, maxRetries: 0 });
const gemini = new GoogleGenAI({ apiKey: "sk-good", httpOptions: { baseUrl: fake.url } });

const messages = [{ role: "user" as const, content: "hello" }];
const parameters = {
  type: "object",
  properties: { city: { type: "string" }, days: { type: "integer" }, unit: { enum: ["c", "f"] } },
  required: ["city"],
};
const sampled = { city: "weir", days: 1, unit: "c" };
const last = () => fake.ledger.calls().at(-1)!;

/** What a promise rejects with; undefined if it does not. */
async function failureOf(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise;
    return undefined;
  } catch (cause) {
    return cause;
  }
}

function faultyGemini(action: string) {
  const httpOptions = { baseUrl: fake.url, headers: { "x-fake": action } };
  return new GoogleGenAI({ apiKey: "sk-good", httpOptions }).models;
}

/** What a streamed chat completion fails with under a fault. */
const causeOf = (action: unknown) =>
  failureOf(
    openai.chat.completions
      .create({ model: "m", messages, stream: true }, { headers: { "x-fake": JSON.stringify(action) } })
      .then(readAll),
  );

async function readAll(events: AsyncIterable<unknown>): Promise<number> {
  let count = 0;
  for await (const event of events) count += event === undefined ? 0 : 1;
  return count;
}

test("the OpenAI SDK reads a chat completion whose usage is the ledger's", async () => {
  const { data, response } = await openai.chat.completions
    .create({ model: "gpt-4o", messages, n: 2 })
    .withResponse();
  expect(data.choices.map((choice) => choice.message.content)).toEqual([REPLY, REPLY]);
  expect(data.usage).toMatchObject({
    prompt_tokens: last().usage.promptTokens,
    completion_tokens: last().usage.completionTokens,
  });
  expect(response.headers.get("x-request-id")).toBe(`req_fake_${last().id}`);
  expect(data.id).toBe(`chatcmpl-fake-${last().id}`);
});

test("the OpenAI SDK reads a streamed chat completion with usage", async () => {
  const stream = openai.chat.completions.stream({
    model: "gpt-4o",
    messages,
    max_tokens: 4,
    stream_options: { include_usage: true },
  });
  const final = await stream.finalChatCompletion();
  expect(final.choices[0]!.message.content).toBe("Water finds its way");
  expect(final.choices[0]!.finish_reason).toBe("length");
  expect(await stream.totalUsage()).toMatchObject({ completion_tokens: 4 });
  await fake.ledger.settled();
  expect(last()).toMatchObject({ chunks: 4, usage: { completionTokens: 4 } });
});

test("the OpenAI SDK reads tool calls, whole and streamed", async () => {
  const tools = [{ type: "function" as const, function: { name: "weather", parameters } }];
  const whole = await openai.chat.completions.create({
    model: "m",
    messages,
    tools,
    tool_choice: "required",
  });
  const [call] = whole.choices[0]!.message.tool_calls!;
  expect(call).toMatchObject({ type: "function", function: { name: "weather" } });
  const streamed = await openai.chat.completions
    .stream({ model: "m", messages: [{ role: "user", content: "please use the tool" }], tools })
    .finalChatCompletion();
  const [other] = streamed.choices[0]!.message.tool_calls!;
  expect(JSON.parse((other as { function: { arguments: string } }).function.arguments)).toEqual(sampled);
  expect(streamed.choices[0]!.finish_reason).toBe("tool_calls");
});

test("the OpenAI SDK reads structured answers", async () => {
  const answer = await openai.chat.completions.parse({
    model: "m",
    messages,
    response_format: { type: "json_schema", json_schema: { name: "w", schema: parameters } },
  });
  expect(JSON.parse(answer.choices[0]!.message.content!)).toEqual(sampled);
});

test("the OpenAI SDK reads responses, whole, streamed and with function calls", async () => {
  const whole = await openai.responses.create({ model: "gpt-4o", input: "hello" });
  expect(whole.output_text).toBe(REPLY);
  expect(whole.usage?.output_tokens).toBe(last().usage.completionTokens);
  const stream = openai.responses.stream({ model: "gpt-4o", input: "hello" });
  const types: string[] = [];
  for await (const event of stream) types.push(event.type);
  expect((await stream.finalResponse()).output_text).toBe(REPLY);
  expect([types[0], types.at(-1)]).toEqual(["response.created", "response.completed"]);
  expect(types.filter((type) => type === "response.output_text.delta")).toHaveLength(14);
  const tools = [{ type: "function" as const, name: "weather", parameters, strict: false }];
  const calls = await openai.responses.stream({ model: "m", input: "use the tool", tools }).finalResponse();
  expect(JSON.parse((calls.output[0] as { arguments: string }).arguments)).toEqual(sampled);
  const cut = await openai.responses.stream({ model: "m", input: "x", max_output_tokens: 2 }).finalResponse();
  expect(cut.status).toBe("incomplete");
  expect((await openai.responses.retrieve(whole.id)).id).toBe(whole.id);
});

test("the OpenAI SDK reads completions, embeddings, models and moderations", async () => {
  const completion = await openai.completions.create({ model: "m", prompt: "x" });
  expect(completion.choices[0]!.text).toBe(REPLY);
  let text = "";
  for await (const chunk of await openai.completions.create({ model: "m", prompt: "x", stream: true })) {
    text += chunk.choices[0]?.text ?? "";
  }
  expect(text).toBe(REPLY);
  const base64 = await openai.embeddings.create({ model: "e", input: ["a", "b"], dimensions: 8 });
  const floats = await openai.embeddings.create({
    model: "e",
    input: "a",
    dimensions: 8,
    encoding_format: "float",
  });
  expect(base64.data).toHaveLength(2);
  expect(base64.data[0]!.embedding).toEqual(floats.data[0]!.embedding);
  expect((await openai.models.list()).data.map((model) => model.id)).toContain("gpt-4o");
  expect((await openai.models.retrieve("gpt-4o")).id).toBe("gpt-4o");
  expect((await openai.moderations.create({ input: ["a", "b"] })).results).toHaveLength(2);
});

test("the OpenAI SDK uploads and reads back files, runs batches and uploads in parts", async () => {
  const content = '{"custom_id":"1"}\n\r\n--x\r\nend';
  const file = await openai.files.create({
    file: await toFile(Buffer.from(content), "in.jsonl"),
    purpose: "batch",
  });
  expect(file).toMatchObject({ filename: "in.jsonl", purpose: "batch", bytes: content.length });
  expect(await (await openai.files.content(file.id)).text()).toBe(content);
  expect((await openai.files.list()).data.map((one) => one.id)).toContain(file.id);
  const batch = await openai.batches.create({
    input_file_id: file.id,
    endpoint: "/v1/chat/completions",
    completion_window: "24h",
  });
  expect((await openai.batches.retrieve(batch.id)).status).toBe("completed");
  expect((await openai.batches.cancel(batch.id)).status).toBe("cancelled");
  const upload = await openai.uploads.create({
    bytes: 3,
    filename: "a",
    mime_type: "text/plain",
    purpose: "batch",
  });
  const part = await openai.uploads.parts.create(upload.id, { data: await toFile(Buffer.from("abc"), "p") });
  expect((await openai.uploads.complete(upload.id, { part_ids: [part.id] })).status).toBe("completed");
  expect(await openai.files.delete(file.id)).toMatchObject({ deleted: true });
  expect(await failureOf(openai.files.retrieve(file.id))).toMatchObject({ status: 404 });
});

test("the OpenAI SDK makes images, speech and transcriptions", async () => {
  const image = await openai.images.generate({ model: "gpt-image-1", prompt: "x", n: 2 });
  expect(image.data).toHaveLength(2);
  const png = await toFile(Buffer.from(image.data![0]!.b64_json!, "base64"), "a.png", { type: "image/png" });
  await openai.images.edit({ model: "gpt-image-1", image: png, prompt: "y" });
  expect(last()).toMatchObject({ operation: "images", model: "gpt-image-1" });
  const speech = await openai.audio.speech.create({ model: "tts-1", voice: "alloy", input: "hi" });
  const bytes = new Uint8Array(await speech.arrayBuffer());
  expect(speech.headers.get("content-type")).toBe("audio/mpeg");
  expect(bytes.length).toBe(10 + 14 * 512);
  expect(bytes[10 + 255]).toBe(255);
  const audio = await toFile(bytes, "a.mp3");
  const heard = await openai.audio.transcriptions.create({ file: audio, model: "whisper-1" });
  expect(heard.text).toBe(REPLY);
  expect(last().model).toBe("whisper-1");
});

test("the OpenAI SDK raises what the faults are meant to raise", async () => {
  expect(await causeOf({ error: "rate_limit" })).toBeInstanceOf(RateLimitError);
  expect(await causeOf({ error: "auth" })).toBeInstanceOf(AuthenticationError);
  expect(await causeOf({ fault: "error_later" })).toBeInstanceOf(APIError);
  expect(await causeOf({ fault: "reset", after: 2 })).toBeInstanceOf(Error);
  expect(await causeOf({ fault: "early_end" })).toBeUndefined();
});

test("the Azure client of the OpenAI SDK finds its deployment", async () => {
  const azure = new AzureOpenAI({
    apiKey: "sk-good",
    endpoint: fake.url,
    apiVersion: "2024-10-21",
    deployment: "my-gpt",
    maxRetries: 0,
  });
  const answer = await azure.chat.completions.create({ model: "", messages });
  expect(answer.model).toBe("my-gpt");
  expect(last()).toMatchObject({ model: "my-gpt", key: "sk-good", query: "api-version=2024-10-21" });
});

test("the Anthropic SDK reads messages, whole and streamed, and counts tokens", async () => {
  const whole = await anthropic.messages.create({ model: "claude", max_tokens: 100, messages });
  expect(whole.content).toEqual([{ type: "text", text: REPLY }] as never);
  expect(whole._request_id).toBe(`req_fake_${last().id}`);
  const stream = anthropic.messages.stream({ model: "claude", max_tokens: 3, messages });
  const final = await stream.finalMessage();
  expect(final.content[0]).toMatchObject({ text: "Water finds its" });
  expect(final).toMatchObject({ stop_reason: "max_tokens", usage: { output_tokens: 3 } });
  expect(final.usage.input_tokens).toBe(last().usage.promptTokens);
  const counted = await anthropic.messages.countTokens({ model: "claude", messages });
  expect(counted.input_tokens).toBe(last().usage.promptTokens);
  const bearer = new Anthropic({
    authToken: "sk-good",
    apiKey: null,
    baseURL: `${fake.url}/anthropic`,
    maxRetries: 0,
  });
  await bearer.messages.create({ model: "claude", max_tokens: 1, messages });
  expect(last()).toMatchObject({ key: "sk-good", path: "/anthropic/v1/messages" });
  expect((await anthropic.models.list()).data.map((model) => model.id)).toContain("claude-sonnet-4-5");
});

test("the Anthropic SDK reads tool use, batches and errors", async () => {
  const tools = [{ name: "weather", input_schema: parameters as { type: "object" } }];
  const tool_choice = { type: "any" as const };
  const base = { model: "claude", max_tokens: 100, messages, tools, tool_choice };
  const block = { type: "tool_use", name: "weather", input: sampled };
  expect((await anthropic.messages.create(base)).content[0]).toMatchObject(block);
  const streamed = await anthropic.messages.stream(base).finalMessage();
  expect(streamed.content[0]).toMatchObject(block);
  expect(streamed.stop_reason).toBe("tool_use");
  const batch = await anthropic.messages.batches.create({ requests: [] });
  expect((await anthropic.messages.batches.retrieve(batch.id)).processing_status).toBe("ended");
  const plain = { model: "claude", max_tokens: 9, messages };
  expect(
    await failureOf(anthropic.messages.create(plain, { headers: { "x-fake": "overloaded" } })),
  ).toMatchObject({
    status: 529,
  });
  const broken = anthropic.messages.stream(plain, { headers: { "x-fake": "error_later" } }).finalMessage();
  expect(String(await failureOf(broken))).toContain("Internal server error");
});

test("the Gemini SDK reads content, whole and streamed, counts and embeds", async () => {
  const model = "gemini-2.5-flash";
  const whole = await gemini.models.generateContent({ model, contents: "hello" });
  expect(whole.text).toBe(REPLY);
  expect(whole.usageMetadata?.candidatesTokenCount).toBe(last().usage.completionTokens);
  let text = "";
  const stream = await gemini.models.generateContentStream({
    model,
    contents: "x",
    config: { maxOutputTokens: 3 },
  });
  let reason: string | undefined;
  for await (const chunk of stream) {
    text += chunk.text ?? "";
    reason = chunk.candidates?.[0]?.finishReason ?? reason;
  }
  expect([text, reason]).toEqual(["Water finds its", "MAX_TOKENS"]);
  expect((await gemini.models.countTokens({ model, contents: "hello" })).totalTokens).toBe(
    last().usage.promptTokens,
  );
  const embedded = await gemini.models.embedContent({ model: "embed", contents: ["a", "b"] });
  expect(embedded.embeddings).toHaveLength(2);
  expect(last()).toMatchObject({ family: "gemini", key: "sk-good" });
});

test("the Gemini SDK reads function calls and errors", async () => {
  const model = "gemini-2.5-flash";
  const functionDeclarations = [{ name: "weather", parametersJsonSchema: parameters }];
  const answer = await gemini.models.generateContent({
    model,
    contents: "use the tool",
    config: { tools: [{ functionDeclarations }] },
  });
  expect(answer.functionCalls?.[0]).toMatchObject({ name: "weather", args: sampled });
  const limited = await failureOf(faultyGemini("rate_limit").generateContent({ model, contents: "x" }));
  expect(limited).toMatchObject({ status: 429, message: expect.stringContaining("RetryInfo") });
  const inBand = faultyGemini('{"fault":"error_later","gap":"10ms"}').generateContentStream({
    model,
    contents: "x",
  });
  // The SDK sees the error itself only if it comes in a read of its own; else it stumbles over the half event.
  expect(String(await failureOf(inBand.then(readAll)))).toMatch(/internal error|Incomplete JSON/);
});
