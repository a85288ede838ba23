// From the client's model to an address: renaming, engines, deployments, proxies in front, other hosts' names.
import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { toFile } from "openai";
import { startFake } from "../../src/fake/server.ts";
import { jsonResponse, startRawUpstream } from "../support/raw.ts";
import { until } from "../support/until.ts";
import { startWeir } from "../support/weir.ts";

const KEY = "sk-routes-000000000000000001";
const PATH = "/v1/chat/completions";
const messages = [{ role: "user" as const, content: "hello" }];

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

async function statusOf(answer: Promise<Response>): Promise<number> {
  const response = await answer;
  await response.arrayBuffer();
  return response.status;
}

/** A body in which the model's name stands in many places, but is one in only one. */
const around = (name: string): string =>
  `{ "n": 12345678901234567890, "x":"\\u00e9 \\"model\\":\\"gpt-4o\\"", "inner":{"model":"gpt-4o"},\r\n"model" : ${name} ,"messages":[]}`;

describe("a renamed model", () => {
  test("changes only the bytes of its name", async () => {
    const fake = startFake();
    await using weir = startWeir({
      providers: [{ name: "openai", urls: [fake.url], keys: [KEY], upstreamModel: 'my "4o"' }],
    });
    expect(await statusOf(weir.post(PATH, around('"gpt-4\\u006f"')))).toBe(200);
    const [call] = fake.ledger.calls();
    expect(call?.bodySha256).toBe(sha256(around(JSON.stringify('my "4o"'))));
    expect(call?.headers["content-length"]).toBe(String(call?.bodyBytes));
    expect((await weir.finished()).model).toBe("gpt-4o");
    await fake.stop();
  });

  test("without a new name leaves every byte as it was", async () => {
    const fake = startFake();
    await using weir = startWeir({ providers: [{ name: "openai", urls: [fake.url], keys: [KEY] }] });
    const body = ' {"messages":[ ],"big":12345678901234567890,\t"model":"gpt-4\\u006f"}\n';
    expect(await statusOf(weir.post(PATH, body))).toBe(200);
    expect(fake.ledger.calls()[0]?.bodySha256).toBe(sha256(body));
    await fake.stop();
  });

  test("is renamed in a form's field and in Gemini's path too", async () => {
    const fake = startFake();
    await using weir = startWeir({
      providers: [
        { name: "openai", urls: [fake.url], keys: [KEY], upstreamModel: "ears-2" },
        { name: "google", urls: [fake.url], keys: [KEY], upstreamModel: "gemini-other" },
      ],
    });
    const file = await toFile(Buffer.from("model"), "model.mp3");
    await weir.openai().audio.transcriptions.create({ model: "whisper-1", file });
    await weir.gemini().models.generateContent({ model: "gemini-2.5-flash", contents: "hello" });
    expect(fake.ledger.calls().map((call) => call.model)).toEqual(["ears-2", "gemini-other"]);
    await fake.stop();
  });
});

describe("engines", () => {
  test("get no key, have some operations at their root, and speak Anthropic's language too", async () => {
    const fake = startFake();
    await using weir = startWeir({ providers: [{ name: "vllm", urls: [fake.url] }] });
    const model = "qwen3-32b";
    expect(await statusOf(weir.post("/v1/tokenize", { model, prompt: "x" }))).toBe(200);
    expect(await statusOf(weir.post(PATH, { model, messages }))).toBe(200);
    expect(await statusOf(weir.post("/v1/messages", { model, messages, max_tokens: 5 }))).toBe(200);
    const calls = fake.ledger.calls();
    expect(calls.map((call) => call.path)).toEqual(["/tokenize", PATH, "/v1/messages"]);
    expect(calls.map((call) => call.key)).toEqual(["", "", ""]);
    await fake.stop();
  });

  test("that list models get only what they serve", async () => {
    const one = startFake({ script: { models: ["m-one", "m-both"] } });
    const two = startFake({ script: { models: ["m-two", "m-both"] } });
    await using weir = startWeir({
      discover: true,
      providers: [{ name: "vllm", urls: [one.url, two.url] }],
    });
    await until(() => weir.app.pool.current.discovered.size === 2, "both engines have listed their models");
    const listed = (await weir.openai().models.list()).data.map((model) => model.id);
    expect(listed).toEqual(["m-both", "m-one", "m-two"]);
    for (let count = 0; count < 4; count += 1) {
      expect(await statusOf(weir.post(PATH, { model: "m-one", messages }))).toBe(200);
      expect(await statusOf(weir.post(PATH, { model: "m-both", messages }))).toBe(200);
    }
    const models = (fake: typeof one): readonly string[] =>
      fake.ledger.calls().flatMap((call) => (call.method === "POST" ? [call.model] : []));
    expect(models(one)).toContain("m-one");
    expect(new Set(models(two))).toEqual(new Set(["m-both"]));
    expect(models(one).length + models(two).length).toBe(8);
    await Promise.all([one.stop(), two.stop()]);
  });

  test("that do not answer stop neither weir's start nor its end", async () => {
    const deaf = startFake({ script: { accept: "hang" } });
    const started = performance.now();
    const weir = startWeir({ discover: true, providers: [{ name: "vllm", urls: [deaf.url] }] });
    expect((await fetch(`${weir.url}/health`)).status).toBe(200);
    await weir[Symbol.asyncDispose]();
    // A probe waits for ten seconds.
    expect(performance.now() - started).toBeLessThan(8000);
    await deaf.stop();
  });
});

const elsewhere = <T>(backend: T) => ({ ...backend, hostHeader: "api.openai.test" });
const foreign = <T>(backend: T) => ({ ...backend, ownAddress: false });

describe("an address with its own ways", () => {
  test("has the deployment in the path and the version in the query, as dated Azure does", async () => {
    const fake = startFake();
    await using weir = startWeir({
      providers: [
        {
          name: "azure-openai",
          urls: [fake.url],
          keys: [KEY],
          upstreamModel: "my deployment",
          adjust: (backend) => ({
            ...backend,
            endpoints: {
              openai: {
                baseUrl: `${fake.url}/openai`,
                modelPath: "/deployments/{model}",
                query: "api-version=2024-10-21",
                key: { in: "header", name: "api-key", prefix: "" },
              },
            },
          }),
        },
      ],
    });
    expect(await statusOf(weir.post(`${PATH}?a=b%20c`, { model: "gpt-4o", messages }))).toBe(200);
    const [call] = fake.ledger.calls();
    expect(call?.path).toBe("/openai/deployments/my%20deployment/chat/completions");
    expect(call?.query).toBe("a=b%20c&api-version=2024-10-21");
    expect([call?.headers["api-key"], call?.headers["authorization"]]).toEqual([KEY, undefined]);
    await fake.stop();
  });

  test("may take its key in the query", async () => {
    const fake = startFake();
    await using weir = startWeir({
      providers: [
        {
          name: "openai",
          urls: [fake.url],
          keys: ["a key&more"],
          adjust: (backend) => ({
            ...backend,
            endpoints: {
              openai: { baseUrl: `${fake.url}/v1`, key: { in: "query", name: "key", prefix: "" } },
            },
          }),
        },
      ],
    });
    expect(await statusOf(weir.post(`${PATH}?key=theirs&b=1`, { model: "gpt-4o", messages }))).toBe(200);
    expect(fake.ledger.calls()[0]?.query).toBe("b=1&key=a%20key%26more");
    await fake.stop();
  });

  test("may be dialled elsewhere under its own name", async () => {
    const fake = startFake();
    await using weir = startWeir({
      providers: [{ name: "openai", urls: [fake.url], keys: [KEY], adjust: elsewhere }],
    });
    expect(await statusOf(weir.post(PATH, { model: "gpt-4o", messages }))).toBe(200);
    expect(fake.ledger.calls()[0]?.headers["host"]).toBe("api.openai.test");
    await fake.stop();
  });

  test("is told of this weir only when users wrote it", async () => {
    const fake = startFake();
    await using weir = startWeir({
      providers: [
        { name: "openai", urls: [fake.url], keys: [KEY] },
        { name: "anthropic", urls: [fake.url], keys: [KEY], adjust: foreign },
      ],
    });
    await statusOf(weir.post(PATH, { model: "gpt-4o", messages }));
    await statusOf(weir.post("/v1/messages", { model: "claude-test-9", messages, max_tokens: 5 }));
    const told = fake.ledger.calls().map((call) => call.headers["x-weir-instance"] !== undefined);
    expect(told).toEqual([true, false]);
    await fake.stop();
  });
});

describe("a proxy in front of an address", () => {
  test("is asked for the address, and a dead one counts as unreachable", async () => {
    await using proxy = await startRawUpstream(
      ({ socket }) => void socket.write(jsonResponse({ by: "proxy" })),
    );
    const adjust = <T>(backend: T) => ({ ...backend, proxyUrl: proxy.url });
    const urls = ["http://api.openai.test"];
    await using weir = startWeir({ providers: [{ name: "openai", urls, keys: [KEY], adjust }] });
    const answer = await weir.post(PATH, { model: "gpt-4o", messages });
    expect(await answer.json()).toEqual({ by: "proxy" });
    expect(proxy.calls[0]?.head).toStartWith(`POST http://api.openai.test${PATH} HTTP/1.1`);
    await proxy[Symbol.asyncDispose]();
    await statusOf(weir.post(PATH, { model: "gpt-4o", messages }));
    expect(weir.attempts().at(-1)?.outcome).toBe("unreachable");
  });
});
