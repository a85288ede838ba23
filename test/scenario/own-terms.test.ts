// What single backends ask for through the whole app: time-outs, headers, cooldowns, keys in bodies, terminal events.
import { describe, expect, test } from "bun:test";
import { toFile } from "openai";
import type { Backend } from "../../src/core/backend.ts";
import { Secret } from "../../src/core/credential.ts";
import type { FakeScript } from "../../src/fake/script.ts";
import { startFake } from "../../src/fake/server.ts";
import { chunk, jsonResponse, startRawUpstream, STREAM_HEAD } from "../support/raw.ts";
import { backendId, CLIENT_KEY, startWeir, type WeirSetup } from "../support/weir.ts";

const K1 = "sk-terms-first-00000000000001";
const K2 = "sk-terms-second-0000000000002";
const PATH = "/v1/chat/completions";
const messages = [{ role: "user" as const, content: "hello" }];
const CHAT = { model: "gpt-4o", messages };

async function statusOf(answer: Promise<Response>): Promise<number> {
  const response = await answer;
  await response.arrayBuffer();
  return response.status;
}

/** One fake; `own` is what the backend of the first key asks for. */
function scene(script: FakeScript, own: Partial<Backend>, setup: Partial<WeirSetup> = {}) {
  const fake = startFake({ script });
  const adjust = (backend: Backend) =>
    backend.id === backendId("openai", 0) ? { ...backend, ...own } : backend;
  const weir = startWeir({
    providers: [{ name: "openai", urls: [fake.url], keys: [K1, K2], adjust }],
    ...setup,
  });
  return {
    fake,
    weir,
    keys: () => fake.ledger.calls().map((call) => call.key),
    ask: (init?: RequestInit) => statusOf(weir.post(PATH, CHAT, init)),
    async [Symbol.asyncDispose]() {
      await weir[Symbol.asyncDispose]();
      await fake.stop();
    },
  };
}

describe("a backend's own time-outs", () => {
  test("end its silence early, while the others keep the general ones", async () => {
    await using s = scene(
      {
        rules: [
          { match: { key: K1 }, do: "hang_headers" },
          { match: { key: K2 }, do: { latency: "150ms" } },
        ],
      },
      { timeouts: { firstByteMs: 60 } },
    );
    expect(await s.ask()).toBe(200);
    expect(s.weir.attempts().map(({ backend }) => backend)).toEqual(
      [0, 1].map((at) => backendId("openai", at)),
    );
    expect(s.weir.attempts()[0]).toMatchObject({ outcome: "failed", detail: "no answer within 0.1 s" });
  });

  test("stand before the route's", async () => {
    await using s = scene(
      { rules: [{ do: "hang_headers" }] },
      { timeouts: { firstByteMs: 50 } },
      {
        shapePool: (pool) => ({
          ...pool,
          providerRoutes: pool.providerRoutes.map((route) => ({
            ...route,
            timeouts: { firstByteMs: 200 },
            retry: { max: 1, timeouts: 1 },
          })),
        }),
      },
    );
    expect(await s.ask()).toBe(504);
    expect(s.weir.attempts().map(({ detail }) => detail)).toEqual([
      "no answer within 0.1 s",
      "no answer within 0.2 s",
    ]);
  });
});

describe("a backend's own headers", () => {
  test("go with every request of that backend, over the client's and beside its key", async () => {
    const headers = { "x-team": "ours", "openai-organization": "org-1", "x-pass": new Secret("pass-word") };
    await using s = scene({}, { headers });
    for (let count = 0; count < 2; count += 1)
      expect(await s.ask({ headers: { "x-team": "theirs", "openai-organization": "org-theirs" } })).toBe(200);
    const sent = new Map(s.fake.ledger.calls().map((call) => [call.key, call.headers]));
    expect(sent.get(K1)).toMatchObject({
      "x-team": "ours",
      "openai-organization": "org-1",
      "x-pass": "pass-word",
      authorization: `Bearer ${K1}`,
    });
    expect(sent.get(K2)?.["x-team"]).toBe("theirs");
    expect(sent.get(K2)?.["openai-organization"]).toBeUndefined();
    expect(JSON.stringify([s.weir.events, s.weir.lines, s.weir.app.pool.current.slots])).not.toContain(
      "pass-word",
    );
  });

  test("go with weir's own questions too", async () => {
    const fake = startFake();
    const adjust = (backend: Backend) => ({ ...backend, headers: { "x-team": "ours" } });
    await using weir = startWeir({
      discover: true,
      providers: [{ name: "openai", urls: [fake.url], keys: [K1], adjust }],
    });
    await weir.found(1);
    expect(fake.ledger.calls()[0]).toMatchObject({ path: "/v1/models", headers: { "x-team": "ours" } });
    await fake.stop();
  });
});

describe("a backend's own cooldown", () => {
  test("counts failures in its window and rests it for its own time", async () => {
    const cooldown = { threshold: 2, firstMs: 60_000, maxMs: 60_000, windowMs: 60_000 };
    await using s = scene({ rules: [{ match: { key: K1, call: [1, 3] }, do: 500 }] }, { cooldown });
    for (let count = 0; count < 5; count += 1) expect(await s.ask()).toBe(200);
    const { rest } = s.weir.slot(K1).state;
    expect(rest).toMatchObject({
      cause: "failures",
      detail: expect.stringContaining("2 failures within 60 s"),
    });
    expect((rest?.untilMs ?? 0) - (rest?.sinceMs ?? 0)).toBeCloseTo(60_000);
    expect(s.weir.slot(K2).state.rest).toBeUndefined();
  });

  test("may be never", async () => {
    const cooldown = { threshold: Number.POSITIVE_INFINITY };
    await using s = scene({ rules: [{ match: { key: K1 }, do: 500 }] }, { cooldown });
    for (let count = 0; count < 8; count += 1) expect(await s.ask()).toBe(200);
    expect(s.weir.slot(K1).state.failuresInRow).toBeGreaterThan(3);
    expect(s.weir.slot(K1).state.rest).toBeUndefined();
  });
});

describe("a key that belongs into the body", () => {
  const inBody = (backend: Backend): Backend => {
    const { openai } = backend.endpoints;
    if (openai === undefined) return backend;
    const key = { in: "body", name: "api_key", prefix: "" } as const;
    return { ...backend, endpoints: { openai: { ...openai, key } } };
  };

  test("is put behind the brace, or in place of the client's own field, and nowhere else", async () => {
    await using up = await startRawUpstream(({ socket }) => socket.write(jsonResponse({ ok: true })));
    await using weir = startWeir({
      providers: [{ name: "openai", urls: [up.url], keys: [K1], upstreamModel: "m2", adjust: inBody }],
    });
    const body = '{ "model":"gpt-4o",\n"n":12345678901234567890, "messages":[]}';
    expect(await statusOf(weir.post(`${PATH}?key=x`, body))).toBe(200);
    expect(up.calls[0]?.body.toString()).toBe(
      `{"api_key":"${K1}", "model":"m2",\n"n":12345678901234567890, "messages":[]}`,
    );
    expect(await statusOf(weir.post(PATH, `{"api_key":"${CLIENT_KEY}","model":"gpt-4o"}`))).toBe(200);
    expect(up.calls[1]?.body.toString()).toBe(`{"api_key":"${K1}","model":"m2"}`);
    expect(up.calls.map(({ head }) => head).join("\n")).not.toContain(K1);
    expect(up.calls[0]?.head).toStartWith(`POST ${PATH} HTTP/1.1`);
  });

  test("has no place in a form or a GET, which go without", async () => {
    await using up = await startRawUpstream(({ socket }) => socket.write(jsonResponse({ text: "hi" })));
    await using weir = startWeir({
      providers: [{ name: "openai", urls: [up.url], keys: [K1], adjust: inBody }],
    });
    const file = await toFile(Buffer.from("sound"), "a.mp3");
    await weir.openai().audio.transcriptions.create({ model: "whisper-1", file });
    await weir.openai().files.retrieve("file-1");
    expect(up.calls).toHaveLength(2);
    for (const { head, body } of up.calls) expect(head + body.toString("latin1")).not.toContain(K1);
  });

  test("does not come back in what the provider says of it", async () => {
    const quoted = { error: { message: `bad key ${K1}` } };
    await using up = await startRawUpstream(({ socket }) => socket.write(jsonResponse(quoted, 400)));
    await using weir = startWeir({
      providers: [{ name: "openai", urls: [up.url], keys: [K1], adjust: inBody }],
    });
    const response = await weir.post(PATH, CHAT);
    expect(await response.json()).toEqual({ error: { message: "bad key ***" } });
  });
});

test("a header of the configuration does not come back in what the provider says of it", async () => {
  const token = "gateway-canary-0077";
  const quoted = { error: { message: `no entry for ${token} (sent Bearer ${token}), café` } };
  await using up = await startRawUpstream(({ socket }) => socket.write(jsonResponse(quoted, 400)));
  const adjust = (backend: Backend) => ({
    ...backend,
    headers: { "x-gateway": new Secret(`Bearer ${token}`) },
  });
  await using weir = startWeir({ providers: [{ name: "openai", urls: [up.url], keys: [K1], adjust }] });
  const response = await weir.post(PATH, CHAT);
  expect(await response.json()).toEqual({ error: { message: "no entry for *** (sent ***), café" } });
});

describe("a stream without its terminal event", () => {
  const event =
    'data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"hi"}}]}\n\n';
  const scenes = async (terminalEvent: Pick<Backend, "terminalEvent">) => {
    const up = await startRawUpstream(({ socket }) => {
      socket.write(STREAM_HEAD);
      socket.write(chunk(event));
      socket.write("0\r\n\r\n");
    });
    const adjust = (backend: Backend) => ({ ...backend, ...terminalEvent });
    const weir = startWeir({ providers: [{ name: "openai", urls: [up.url], keys: [K1], adjust }] });
    return { up, weir };
  };

  async function read(weir: Awaited<ReturnType<typeof scenes>>["weir"]): Promise<string> {
    let text = "";
    const stream = await weir.openai().chat.completions.create({ model: "gpt-4o", messages, stream: true });
    for await (const part of stream) text += part.choices[0]?.delta.content ?? "";
    return text;
  }

  test("is complete where the backend's is optional", async () => {
    const { up, weir } = await scenes({ terminalEvent: "optional" });
    await using _up = up;
    await using _weir = weir;
    expect(await read(weir)).toBe("hi");
    expect((await weir.finished()).ending).toBe("complete");
    expect(weir.attempts()[0]?.outcome).toBe("success");
    expect(weir.slot(K1).state.failuresInRow).toBe(0);
  });

  test("is broken elsewhere", async () => {
    const { up, weir } = await scenes({});
    await using _up = up;
    await using _weir = weir;
    expect(String(await read(weir).catch((error: unknown) => error))).toContain("terminal event");
    expect((await weir.finished()).ending).toBe("broken");
    expect(weir.attempts()[0]?.outcome).toBe("failed");
  });
});
