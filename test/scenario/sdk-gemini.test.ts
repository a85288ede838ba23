// Google's SDK through weir against the fake provider: every operation, aborts, and errors.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ApiError, FunctionCallingConfigMode, type GoogleGenAI } from "@google/genai";
import { startFake } from "../../src/fake/server.ts";
import { CLIENT_KEY, startWeir, type Weir } from "../support/weir.ts";

const KEY = "AIza-upstream-000000000000001";
const model = "gemini-2.5-flash";
const REPLY = "one two three— 四 five";
const contents = "hello";

const fake = startFake({ script: { keys: [KEY], reply: REPLY } });
let weir: Weir;
let gemini: GoogleGenAI;

beforeAll(() => {
  weir = startWeir({ providers: [{ name: "google", urls: [fake.url], keys: [KEY] }] });
  gemini = weir.gemini();
});

afterAll(async () => {
  await weir[Symbol.asyncDispose]();
  await fake.stop();
});

describe("the Gemini SDK through weir", () => {
  test("generates content", async () => {
    const answer = await gemini.models.generateContent({ model, contents });
    expect(answer.text).toBe(REPLY);
    expect(answer.usageMetadata?.candidatesTokenCount).toBe(5);
  });

  test("streams content", async () => {
    let text = "";
    for await (const part of await gemini.models.generateContentStream({ model, contents }))
      text += part.text ?? "";
    expect(text).toBe(REPLY);
    const call = fake.ledger.calls().at(-1);
    expect(call?.path).toBe(`/v1beta/models/${model}:streamGenerateContent`);
    expect(call?.query).toBe("alt=sse");
  });

  test("gets function calls", async () => {
    const declaration = {
      name: "weather",
      parametersJsonSchema: {
        type: "object",
        properties: { city: { type: "string" } },
        required: ["city"],
      },
    };
    const answer = await gemini.models.generateContent({
      model,
      contents,
      config: {
        tools: [{ functionDeclarations: [declaration] }],
        toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY } },
      },
    });
    expect(answer.functionCalls?.[0]?.args).toHaveProperty("city");
  });

  test("counts tokens", async () => {
    expect((await gemini.models.countTokens({ model, contents })).totalTokens).toBeGreaterThan(0);
  });

  test("embeds content", async () => {
    const answer = await gemini.models.embedContent({ model: "gemini-embedding-001", contents: ["a", "b"] });
    expect(answer.embeddings?.map((each) => (each.values?.length ?? 0) > 0)).toEqual([true, true]);
  });

  // Version 3 of the SDK asks for /v1/models/{model}:… unless it is told v1beta.
  test("generates content with nothing but the base URL changed", async () => {
    const answer = await weir.gemini("v1").models.generateContent({ model, contents });
    expect(answer.text).toBe(REPLY);
  });

  test("keeps a chat going", async () => {
    const chat = gemini.chats.create({ model });
    await chat.sendMessage({ message: "hello" });
    expect((await chat.sendMessage({ message: "again" })).text).toBe(REPLY);
  });

  test("may also be asked in OpenAI's language", async () => {
    const answer = await weir.openai().chat.completions.create({
      model,
      messages: [{ role: "user", content: "hello" }],
    });
    expect(answer.choices[0]?.message.content).toBe(REPLY);
    const call = fake.ledger.calls().at(-1);
    expect(call?.path).toBe("/v1beta/openai/chat/completions");
    expect(call?.headers["authorization"]).toBe(`Bearer ${KEY}`);
  });

  test("gets its client key replaced by ours on every call, in the query too", async () => {
    const url = `${weir.url}/v1beta/models/${model}:generateContent?key=${CLIENT_KEY}&k%65y=${CLIENT_KEY}&x=1`;
    const body = JSON.stringify({ contents: [{ parts: [{ text: "hello" }] }] });
    const answer = await fetch(url, { method: "POST", body });
    expect(answer.status).toBe(200);
    await answer.arrayBuffer();
    const calls = fake.ledger.calls();
    expect(calls.at(-1)?.query).toBe("x=1");
    expect(JSON.stringify(calls)).not.toContain(CLIENT_KEY);
    const own = calls.filter((call) => call.family === "gemini");
    expect([...new Set(own.map((call) => call.headers["x-goog-api-key"]))]).toEqual([KEY]);
  });
});

describe("errors of the Gemini SDK", () => {
  test.each([400, 401, 403, 404, 409, 422, 429, 500, 502, 503, 504])(
    "status %d surfaces as the SDK's own class",
    async (status) => {
      const fake = startFake({ script: { rules: [{ do: status }] } });
      await using weir = startWeir({ providers: [{ name: "google", urls: [fake.url], keys: [KEY] }] });
      const failure = await weir
        .gemini()
        .models.generateContent({ model, contents })
        .catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(ApiError);
      expect((failure as ApiError).status).toBe(status);
      await fake.stop();
    },
  );

  test("refusals of weir itself have Google's shape", async () => {
    await using bare = startWeir({ providers: [{ name: "openai", urls: [fake.url], keys: [KEY] }] });
    const failure = await bare
      .gemini()
      .models.generateContent({ model, contents })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ApiError);
    expect(JSON.parse((failure as ApiError).message)).toMatchObject({
      error: { code: 404, status: "NOT_FOUND" },
    });
  });
});

describe("aborts of the Gemini SDK", () => {
  test("before headers end the upstream call", async () => {
    const fake = startFake({ script: { rules: [{ do: "hang_headers" }] } });
    await using weir = startWeir({ providers: [{ name: "google", urls: [fake.url], keys: [KEY] }] });
    const leave = new AbortController();
    const failure = weir
      .gemini()
      .models.generateContent({ model, contents, config: { abortSignal: leave.signal } })
      .catch((error: unknown) => error);
    await fake.ledger.waitFor((entry) => entry.state === "open");
    leave.abort();
    expect(await failure).toBeInstanceOf(Error);
    await fake.ledger.waitFor((entry) => entry.state === "aborted");
    await fake.stop();
  });

  test("in mid-stream end the upstream call", async () => {
    const fake = startFake({ script: { gap: "5ms", tokens: 10_000 } });
    await using weir = startWeir({ providers: [{ name: "google", urls: [fake.url], keys: [KEY] }] });
    const leave = new AbortController();
    const stream = await weir
      .gemini()
      .models.generateContentStream({ model, contents, config: { abortSignal: leave.signal } });
    await stream.next();
    leave.abort();
    const call = await fake.ledger.waitFor((entry) => entry.state === "aborted");
    expect(call.chunks).toBeLessThan(1000);
    expect((await weir.finished()).ending).toBe("abandoned");
    await fake.stop();
  });
});
