// Streams: event by event, byte for byte, and never a polite end to an answer that broke.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import { gunzipSync } from "node:zlib";
import { APIError as OpenAIError } from "openai";
import { startFake } from "../../src/fake/server.ts";
import type { RuleScript } from "../../src/fake/script.ts";
import {
  chunk,
  dialRaw,
  jsonResponse,
  postBytes,
  type RawUpstream,
  startRawUpstream,
  STREAM_HEAD,
} from "../support/raw.ts";
import { type Cutter, startCutter } from "../support/cutter.ts";
import { createLatch, until } from "../support/until.ts";
import { startWeir, type Weir, type WeirSetup } from "../support/weir.ts";

const KEY = "sk-stream-00000000000000001";
const messages = [{ role: "user" as const, content: "hello" }];
const CHAT = { model: "gpt-4o", messages, stream: true };
const PATH = "/v1/chat/completions";

/** weir before one raw upstream, as one provider. */
async function behind(
  onCall: Parameters<typeof startRawUpstream>[0],
  setup: Partial<WeirSetup> = {},
  name = "openai",
): Promise<{ weir: Weir; upstream: RawUpstream } & AsyncDisposable> {
  const upstream = await startRawUpstream(onCall);
  const weir = startWeir({ providers: [{ name, urls: [upstream.url], keys: [KEY] }], ...setup });
  return {
    weir,
    upstream,
    async [Symbol.asyncDispose]() {
      await weir[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

const content = (text: string): string =>
  `data: ${JSON.stringify({ choices: [{ delta: { content: text } }] })}\n\n`;
const DONE = "data: [DONE]\n\n";
const END = "0\r\n\r\n";

async function bodyOf(answer: Promise<Response>): Promise<string> {
  return (await answer).text();
}

describe("a stream", () => {
  test("reaches the client event by event: the next is sent only after the last was received", async () => {
    const events = 200;
    const delaysMs: number[] = [];
    let sentMs = 0;
    let latch = createLatch();
    await using s = await behind(async ({ socket }) => {
      socket.write(STREAM_HEAD);
      for (let at = 0; at < events; at += 1) {
        sentMs = performance.now();
        socket.write(chunk(content(`event-${at};`)));
        await latch.opened;
        latch = createLatch();
      }
      socket.write(Buffer.concat([chunk(DONE), Buffer.from(END)]));
    });
    const stream = await s.weir.openai().chat.completions.create({ model: "gpt-4o", messages, stream: true });
    const seen: string[] = [];
    for await (const event of stream) {
      delaysMs.push(performance.now() - sentMs);
      seen.push(event.choices[0]?.delta.content ?? "");
      latch.open();
    }
    delaysMs.sort((a, b) => a - b);
    console.log(`provider to client, event by event: median ${delaysMs[events / 2]?.toFixed(2)} ms`);
    expect(seen).toEqual(Array.from({ length: events }, (_, at) => `event-${at};`));
  });

  test("arrives byte for byte when every byte comes in a piece of its own", async () => {
    const text = `${content("Über 水は堰を越える 🌊 ‍👩‍💻")}: comment\n\nevent: x\r\ndata: {"a":"é"}\r\n\r\n${DONE}`;
    const bytes = Buffer.from(text);
    await using s = await behind(({ socket }) => {
      socket.setNoDelay(true);
      socket.write(STREAM_HEAD);
      for (const byte of bytes) socket.write(chunk(Uint8Array.of(byte)));
      socket.write(END);
    });
    const answer = await s.weir.post(PATH, CHAT);
    expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).toBe(true);
    expect((await s.weir.finished()).ending).toBe("complete");
  });

  test("arrives byte for byte in pieces of any size, with characters cut in two", async () => {
    for (const size of [2, 3, 5, 7, 64, 4096]) {
      const bytes = Buffer.from(content("水🌊é".repeat(3000)) + DONE);
      await using s = await behind(({ socket }) => {
        socket.write(STREAM_HEAD);
        for (let at = 0; at < bytes.length; at += size) socket.write(chunk(bytes.subarray(at, at + size)));
        socket.write(END);
      });
      const answer = await s.weir.post(PATH, CHAT);
      expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).toBe(true);
    }
  });

  test("may end with its terminal event and no line break", async () => {
    await using s = await behind(({ socket }) => {
      socket.write(
        Buffer.concat([Buffer.from(STREAM_HEAD), chunk(`${content("a")}data: [DONE]`), Buffer.from(END)]),
      );
    });
    expect(await bodyOf(s.weir.post(PATH, CHAT))).toBe(`${content("a")}data: [DONE]`);
    expect((await s.weir.finished()).ending).toBe("complete");
  });

  test("may be closed instead of chunked, if its terminal event came", async () => {
    await using s = await behind(({ socket }) => {
      socket.end(`HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n${content("a")}${DONE}`);
    });
    expect(await bodyOf(s.weir.post(PATH, CHAT))).toBe(content("a") + DONE);
    expect((await s.weir.finished()).ending).toBe("complete");
  });

  test("with a length of its own gets its error event when it is cut", async () => {
    const arrived = createLatch();
    await using s = await behind(async ({ socket }) => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 500\r\n\r\n");
      socket.write(content("a"));
      await arrived.opened;
      socket.end();
    });
    await using client = await dialRaw(s.weir.port);
    client.send(postBytes(PATH, JSON.stringify(CHAT)));
    await client.until((received) => received.includes(content("a")), "the first event");
    arrived.open();
    await client.until((received) => received.endsWith(END), "the end");
    expect(client.received).toContain("event: error");
  });

  test("of binary bytes arrives as it was sent", async () => {
    const bytes = new Uint8Array(300_000).map((_, at) => (at * 7) % 256);
    await using s = await behind(({ socket }) => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ntransfer-encoding: chunked\r\n\r\n");
      for (let at = 0; at < bytes.length; at += 1001) socket.write(chunk(bytes.subarray(at, at + 1001)));
      socket.write(END);
    });
    const answer = await s.weir.post("/v1/audio/speech", { model: "tts-1", input: "x", voice: "alloy" });
    expect(Buffer.from(await answer.arrayBuffer()).equals(Buffer.from(bytes))).toBe(true);
    expect(answer.headers.get("content-type")).toBe("audio/mpeg");
  });
});

describe("a large body", () => {
  test("of 20 MB with the model at its end arrives with the same SHA-256", async () => {
    const fake = startFake();
    await using weir = startWeir({ providers: [{ name: "openai", urls: [fake.url], keys: [KEY] }] });
    const text = `{"messages":[{"role":"user","content":"${"x水".repeat(5_000_000)}"}],"max_tokens":3,"model":"gpt-4o"}`;
    const bytes = Buffer.from(text);
    expect(bytes.length).toBeGreaterThan(20_000_000);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const answer = await weir.post(PATH, bytes.toString());
    expect(answer.status).toBe(200);
    await answer.arrayBuffer();
    // The same bytes in pieces of unknown total, as a streaming client sends them.
    const body = new ReadableStream({
      start(controller) {
        for (let at = 0; at < bytes.length; at += 1_000_001)
          controller.enqueue(new Uint8Array(bytes.subarray(at, at + 1_000_001)));
        controller.close();
      },
    });
    const second = await fetch(weir.url + PATH, { method: "POST", body });
    expect(second.status).toBe(200);
    await second.arrayBuffer();
    const calls = fake.ledger.calls();
    expect(calls.map((call) => call.bodySha256)).toEqual([sha256, sha256]);
    expect(calls.map((call) => call.headers["content-length"])).toEqual(Array(2).fill(String(bytes.length)));
    await fake.stop();
  }, 60_000);

  test("of an answer keeps its bytes, with its length below 1 MiB and piped above", async () => {
    for (const size of [1_048_576, 1_048_577, 5_000_000]) {
      const bytes = Buffer.alloc(size, "a水");
      await using s = await behind(({ socket }) => {
        socket.write(`HTTP/1.1 200 OK\r\ncontent-type: x/y\r\ncontent-length: ${size}\r\n\r\n`);
        socket.write(bytes);
      });
      const answer = await s.weir.post("/v1/embeddings", { model: "text-embedding-3-small", input: "x" });
      expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).toBe(true);
      expect(answer.headers.get("content-length")).toBe(size <= 1_048_576 ? String(size) : null);
    }
  });

  test("of an answer that is cut breaks the client's connection", async () => {
    await using s = await behind(({ socket }) => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-type: x/y\r\ncontent-length: 5000000\r\n\r\n");
      socket.end(Buffer.alloc(2_000_000));
    });
    const failure = await s.weir
      .post("/v1/embeddings", { model: "text-embedding-3-small", input: "x" })
      .then((answer) => answer.arrayBuffer())
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    expect((await s.weir.finished()).ending).toBe("broken");
  });
});

/** Each way in which an SDK reads a stream; resolves with the number of events when it is content. */
const READERS: Readonly<
  Record<string, { readonly provider: string; readonly read: (weir: Weir) => Promise<number> }>
> = {
  "OpenAI chat": {
    provider: "openai",
    read: async (weir) => {
      let events = 0;
      for await (const _ of await weir.openai().chat.completions.create({ ...CHAT, stream: true }))
        events += 1;
      return events;
    },
  },
  "OpenAI completions": {
    provider: "openai",
    read: async (weir) => {
      let events = 0;
      const ask = { model: "gpt-4o", prompt: "hello", stream: true as const };
      for await (const _ of await weir.openai().completions.create(ask)) events += 1;
      return events;
    },
  },
  "OpenAI responses": {
    provider: "openai",
    read: async (weir) => {
      let events = 0;
      const ask = { model: "gpt-4o", input: "hello", stream: true as const };
      for await (const _ of await weir.openai().responses.create(ask)) events += 1;
      return events;
    },
  },
  "Anthropic iterator": {
    provider: "anthropic",
    read: async (weir) => {
      let events = 0;
      const ask = { model: "claude-test-9", max_tokens: 100, messages, stream: true as const };
      for await (const _ of await weir.anthropic().messages.create(ask)) events += 1;
      return events;
    },
  },
  "Anthropic helper": {
    provider: "anthropic",
    read: async (weir) => {
      const ask = { model: "claude-test-9", max_tokens: 100, messages };
      return (await weir.anthropic().messages.stream(ask).finalMessage()).usage.output_tokens;
    },
  },
  Gemini: {
    provider: "google",
    read: async (weir) => {
      let events = 0;
      const ask = { model: "gemini-2.5-flash", contents: "hello" };
      for await (const _ of await weir.gemini().models.generateContentStream(ask)) events += 1;
      return events;
    },
  },
};

const outcomeOf = (reading: Promise<number>): Promise<number | Error> =>
  reading.catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));

describe("an SDK", () => {
  const fake = startFake();
  let cutter: Cutter;
  let weir: Weir;

  beforeAll(async () => {
    cutter = await startCutter(fake.port);
    weir = startWeir({
      providers: ["openai", "anthropic", "google"].map((name) => ({
        name,
        urls: [cutter.url],
        keys: [KEY],
      })),
    });
  });

  afterAll(async () => {
    await weir[Symbol.asyncDispose]();
    await cutter[Symbol.asyncDispose]();
    await fake.stop();
  });

  const breakingWith = (fault: "hang_stream" | "early_end" | "bad_chunk", after: number): void =>
    fake.configure({ tokens: 25, rules: [{ do: { fault, after } }] });

  for (const [name, { read }] of Object.entries(READERS)) {
    test(`${name} throws when the upstream resets after any chunk, and no call is repeated`, async () => {
      const answered = () => weir.events.filter(({ kind }) => kind === "attempt_answered").length;
      for (let after = 1; after <= 20; after += 1) {
        breakingWith("hang_stream", after);
        const before = fake.ledger.counters().calls;
        const had = answered();
        const reading = outcomeOf(read(weir));
        await fake.ledger.waitFor(({ state, chunks }) => state === "open" && chunks === after);
        // A reset that comes with the first event takes it along, and then another try is right.
        await until(() => answered() > had, "weir passes the answer on");
        cutter.reset();
        expect(await reading, `after chunk ${after}`).toBeInstanceOf(Error);
        expect(fake.ledger.counters().calls - before).toBe(1);
      }
      expect(weir.requests().at(-1)?.ending).toBe("broken");
    });

    test(`${name} throws when a chunk size is garbage`, async () => {
      for (const after of [1, 7, 20]) {
        breakingWith("bad_chunk", after);
        expect(await outcomeOf(read(weir)), `after chunk ${after}`).toBeInstanceOf(Error);
      }
    });

    // Google's streams have no terminal event (contract 5), so nothing tells a polite early end from a short answer.
    if (name !== "Gemini")
      test(`${name} throws when the upstream ends early and politely`, async () => {
        for (let after = 1; after <= 20; after += 1) {
          breakingWith("early_end", after);
          const outcome = await outcomeOf(read(weir));
          expect(outcome, `after chunk ${after}`).toBeInstanceOf(Error);
          expect(String(outcome)).toContain("terminal event");
        }
      });

    test(`${name} is content with a whole stream`, async () => {
      fake.configure({ tokens: 25 });
      expect(await outcomeOf(read(weir))).toBeGreaterThanOrEqual(25);
      expect(weir.requests().at(-1)?.ending).toBe("complete");
    });
  }
});

const CUT_LINES: Readonly<Record<string, string>> = {
  "OpenAI chat": 'data: {"choices":[{"delta":{"content":"he',
  "OpenAI completions": 'data: {"choices":[{"te',
  "OpenAI responses": 'event: response.output_text.delta\ndata: {"type":"response.output_text.del',
  "Anthropic iterator": 'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"del',
  "Anthropic helper": "event: content_block_delta\nda",
  Gemini: 'data: {"candidates":[{"content":{"parts":[{"te',
};

describe("a stream that is cut inside a line", () => {
  for (const [name, { provider, read }] of Object.entries(READERS))
    for (const how of name === "Gemini" ? (["reset"] as const) : (["reset", "ended politely"] as const))
      test(`makes ${name} throw when it was ${how}`, async () => {
        await using s = await behind(
          ({ socket }) => {
            socket.write(STREAM_HEAD);
            socket.write(chunk(CUT_LINES[name] ?? ""));
            if (how === "ended politely") socket.write(END);
            else setTimeout(() => socket.resetAndDestroy(), 5);
          },
          {},
          provider,
        );
        expect(await outcomeOf(read(s.weir))).toBeInstanceOf(Error);
        await until(() => s.weir.requests().length === 1, "the request has ended");
        // Before the first event is whole nothing has been passed on, so the failure is told by its status.
        expect(s.weir.requests()[0]).toMatchObject(
          how === "reset" ? { ending: "complete", status: 502 } : { ending: "broken", status: 200 },
        );
      });

  test.each([
    ["between events", content("a"), ""],
    ["after a line", "data: {}\n", "\n"],
    ["inside a line", 'data: {"a', "\n\n"],
    ["inside a line with CR LF", "data: {}\r\n", "\n"],
  ])("gets its error event at a boundary: %s", async (_, sent, boundary) => {
    await using s = await behind(({ socket }) => {
      socket.write(STREAM_HEAD);
      socket.write(chunk(sent));
      socket.write(END);
    });
    const body = await bodyOf(s.weir.post(PATH, CHAT));
    expect(body).toStartWith(`${sent}${boundary}event: error\ndata: {`);
    expect(body).toEndWith("}\n\n");
    expect(body).not.toContain("[DONE]");
    expect(JSON.parse(body.slice(body.lastIndexOf("data: ") + 6))).toMatchObject({
      type: "error",
      error: { code: "upstream_disconnected", type: "api_error" },
    });
    expect(s.weir.attempts()[0]?.outcome).toBe("failed");
    expect(s.weir.slot(KEY).state.failuresInRow).toBe(1);
  });
});

describe("an error that the provider reports inside a stream", () => {
  const IN_BAND: readonly (readonly [string, RuleScript["do"]])[] = [
    ["as the first event", { fault: "error_first", error: "server_error" }],
    ["as a later event", { fault: "error_later", after: 4, error: "overloaded" }],
  ];
  for (const [when, action] of IN_BAND)
    for (const [name, { provider, read }] of Object.entries(READERS))
      // Google sends it as plain JSON, not as an event.
      if (name !== "Gemini")
        test(`${when} reaches ${name} and counts as the backend's failure`, async () => {
          const fake = startFake({ script: { rules: [{ do: action }] } });
          await using weir = startWeir({ providers: [{ name: provider, urls: [fake.url], keys: [KEY] }] });
          expect(await outcomeOf(read(weir))).toBeInstanceOf(Error);
          // The first event is held back, so an error there is tried once more before the client hears of it.
          const [calls, detail] =
            when === "as the first event"
              ? [2, "500 server error, told in the stream"]
              : [1, "error event in the stream"];
          await until(() => weir.attempts().length === calls, "the attempts are settled");
          for (const attempt of weir.attempts())
            expect([attempt.outcome, attempt.detail]).toEqual(["failed", detail]);
          expect(weir.slot(KEY).state.failuresInRow).toBe(calls);
          expect(fake.ledger.counters().calls).toBe(calls);
          await weir.idle();
          const { requests } = await (await fetch(`${weir.url}/api/dashboard`)).json();
          expect(requests).toEqual({ total: 1, success: 0, failures: 1, success_rate: 0 });
          expect(
            weir.lines.map((line) => JSON.parse(line)).find((line) => line.message === "request"),
          ).toMatchObject({
            level: "warn",
            status: 200,
            outcome: "failed",
          });
          await fake.stop();
        });

  test.each(IN_BAND)(
    "%s counts as the backend's failure in Google's plain JSON too",
    async (when, action) => {
      const fake = startFake({ script: { rules: [{ do: action }] } });
      await using weir = startWeir({ providers: [{ name: "google", urls: [fake.url], keys: [KEY] }] });
      expect(await outcomeOf(READERS["Gemini"]?.read(weir) ?? Promise.resolve(0))).toBeInstanceOf(Error);
      const calls = when === "as the first event" ? 2 : 1;
      await until(() => weir.attempts().length === calls, "the attempts are settled");
      await fake.stop();
      for (const attempt of weir.attempts()) expect(attempt.outcome).toBe("failed");
    },
  );

  test("passes unchanged", async () => {
    const text = `${content("a")}event: error\ndata: {"error":{"message":"boom","code":"server_error"}}\n\n`;
    await using s = await behind(({ socket }) => {
      socket.write(Buffer.concat([Buffer.from(STREAM_HEAD), chunk(text), Buffer.from(END)]));
    });
    expect(await bodyOf(s.weir.post(PATH, CHAT))).toBe(text);
    expect(s.weir.slot(KEY).state.failuresInRow).toBe(1);
  });
});

describe("an answer of another type that breaks", () => {
  test.each(["reset", "ends early"])("in the middle (%s) breaks the client's connection", async (how) => {
    const arrived = createLatch();
    await using s = await behind(async ({ socket }) => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n");
      socket.write(chunk('{"data":['));
      await arrived.opened;
      if (how === "reset") socket.resetAndDestroy();
      else socket.end();
    });
    await using client = await dialRaw(s.weir.port);
    client.send(postBytes("/v1/embeddings", JSON.stringify({ model: "text-embedding-3-small", input: "x" })));
    await client.until((received) => received.includes('{"data":['), "the first piece");
    arrived.open();
    await client.closed();
    expect(client.received).not.toContain("0\r\n\r\n");
    expect((await s.weir.finished()).ending).toBe("broken");
    expect(s.weir.attempts()[0]?.outcome).toBe("failed");
  });

  test("that is compressed is cut too, for nothing can be added to it", async () => {
    const arrived = createLatch();
    await using s = await behind(async ({ socket }) => {
      socket.write(STREAM_HEAD.replace("\r\n\r\n", "\r\ncontent-encoding: gzip\r\n\r\n"));
      socket.write(chunk(Bun.gzipSync(Buffer.from(content("a").repeat(50))).subarray(0, 30)));
      await arrived.opened;
      socket.resetAndDestroy();
    });
    await using client = await dialRaw(s.weir.port);
    client.send(postBytes(PATH, JSON.stringify(CHAT), "accept-encoding: gzip\r\n"));
    await client.until((received) => received.includes("\r\n\r\n"), "the head and the first piece");
    arrived.open();
    await client.closed();
    expect(client.received).not.toContain("0\r\n\r\n");
    expect(client.received).not.toContain("event: error");
  });
});

describe("time-outs of a stream", () => {
  test("silence between events ends it with an error event and the upstream call with it", async () => {
    const fake = startFake({ script: { rules: [{ do: { fault: "hang_stream", after: 3 } }] } });
    await using weir = startWeir({
      providers: [{ name: "openai", urls: [fake.url], keys: [KEY] }],
      timeouts: { idleMs: 300 },
    });
    const failure = await weir
      .openai()
      .chat.completions.stream({ model: "gpt-4o", messages })
      .finalChatCompletion()
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(OpenAIError);
    expect(String(failure)).toContain("silent");
    const call = await fake.ledger.waitFor((entry) => entry.state === "aborted");
    expect(call.chunks).toBe(3);
    expect(weir.attempts()[0]?.outcome).toBe("failed");
    await fake.stop();
  });

  test("a stream that is never silent ends when its total time is over", async () => {
    const fake = startFake({ script: { gap: "5ms", tokens: 100_000 } });
    await using weir = startWeir({
      providers: [{ name: "openai", urls: [fake.url], keys: [KEY] }],
      timeouts: { totalMs: 1000 },
    });
    const body = await bodyOf(weir.post(PATH, CHAT));
    expect(body).toContain("event: error");
    expect(body).toContain("took too long");
    await fake.ledger.waitFor((entry) => entry.state === "aborted");
    await fake.stop();
  });

  test("a client that stops reading is not silence of the upstream", async () => {
    let source: Socket | undefined;
    await using s = await behind(
      ({ socket }) => {
        source = socket;
        socket.write(STREAM_HEAD);
        flood(socket, 48, () => socket.write(Buffer.concat([chunk(`\n\n${DONE}`), Buffer.from(END)])));
      },
      { timeouts: { idleMs: 300 }, still: true },
    );
    await using client = await dialRaw(s.weir.port);
    client.send(postBytes(PATH, JSON.stringify(CHAT)));
    await client.until((received) => received.length > 0, "the stream begins");
    client.pause();
    await untilStill(() => takenFrom(source));
    s.weir.advance(10_000);
    await Bun.sleep(700); // weir looks at its clock meanwhile
    client.resume();
    await until(() => client.tail.endsWith("0\r\n\r\n"), "the stream ends", 40_000);
    expect(client.tail).toContain(DONE);
    expect((await s.weir.finished()).ending).toBe("complete");
  }, 60_000);

  test("a client that stops reading for good loses its stream when the total time is over", async () => {
    await using s = await behind(
      ({ socket }) => {
        socket.write(STREAM_HEAD);
        flood(socket, 200, () => undefined);
      },
      { timeouts: { totalMs: 1500 } },
    );
    await using client = await dialRaw(s.weir.port);
    client.send(postBytes(PATH, JSON.stringify(CHAT)));
    await client.until((received) => received.length > 0, "the stream begins");
    client.pause();
    await s.weir.idle();
    await until(() => s.upstream.open === 0, "the upstream's connection is closed");
    expect((await s.weir.finished()).ending).toBe("broken");
  });
});

const MEGABYTE = chunk(Buffer.from(`data: ${"x".repeat(1024 * 1024)}\n\n`));

/** Writes so many megabytes as fast as they are taken. */
function flood(socket: Socket, megabytes: number, then: () => void): void {
  let left = megabytes;
  const write = (): void => {
    while (left > 0) {
      left -= 1;
      if (!socket.write(MEGABYTE)) {
        socket.once("drain", write);
        return;
      }
    }
    then();
  };
  write();
}

/** Bytes that the kernel has taken from an upstream's end of a connection. */
const takenFrom = (socket: Socket | undefined): number =>
  (socket?.bytesWritten ?? 0) - (socket?.writableLength ?? 0);

async function untilStill(read: () => number): Promise<void> {
  let before = -1;
  for (let still = 0; still < 20;) {
    await Bun.sleep(10);
    still = read() === before ? still + 1 : 0;
    before = read();
  }
}

describe("a slow reader", () => {
  test("holds the upstream back instead of filling memory", async () => {
    let source: Socket | undefined;
    await using s = await behind(({ socket }) => {
      source = socket;
      socket.write(STREAM_HEAD);
      flood(socket, 300, () => undefined);
    });
    await using client = await dialRaw(s.weir.port);
    client.send(postBytes(PATH, JSON.stringify(CHAT)));
    await client.until((received) => received.length > 0, "the stream begins");
    client.pause();
    await untilStill(() => takenFrom(source));
    expect(takenFrom(source)).toBeLessThan(64 * 1024 ** 2);
    client.leave();
    await s.weir.idle();
    expect((await s.weir.finished()).ending).toBe("abandoned");
  }, 60_000);
});

/** Bun's own option: the bytes as they are on the wire. */
const UNDECODED: BunFetchRequestInit = { decompress: false };

describe("a compressed answer", () => {
  test.each([false, true])("passes as it is (stream: %p)", async (stream) => {
    const fake = startFake({ script: { rules: [{ do: "gzip" }] } });
    await using weir = startWeir({ providers: [{ name: "openai", urls: [fake.url], keys: [KEY] }] });
    const answer = await weir.post(PATH, { ...CHAT, stream }, UNDECODED);
    expect(answer.headers.get("content-encoding")).toBe("gzip");
    const text = gunzipSync(Buffer.from(await answer.arrayBuffer())).toString();
    expect(text).toContain(stream ? "data: [DONE]" : '"chat.completion"');
    expect((await weir.finished()).ending).toBe("complete");
    await fake.stop();
  });

  test("of an error is classified by what it says inside", async () => {
    const body = Bun.gzipSync(JSON.stringify({ error: { code: "insufficient_quota", message: "no money" } }));
    await using s = await behind(({ socket }) => {
      socket.write(
        `HTTP/1.1 429 X\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: ${body.length}\r\n\r\n`,
      );
      socket.write(body);
    });
    const answer = await s.weir.post(PATH, CHAT);
    expect(answer.status).toBe(429);
    expect(await answer.json()).toMatchObject({ error: { code: "insufficient_quota" } });
    expect(s.weir.slot(KEY).keyState.rest?.cause).toBe("quota");
  });
});

describe("the usage of an answer", () => {
  const CALLS: readonly (readonly [string, string, string, object])[] = [
    ["openai", PATH, "OpenAI chat", { model: "gpt-4o", messages }],
    ["openai", PATH, "OpenAI chat stream", { ...CHAT, stream_options: { include_usage: true } }],
    ["openai", "/v1/responses", "OpenAI responses", { model: "gpt-4o", input: "hello" }],
    ["openai", "/v1/responses", "OpenAI responses stream", { model: "gpt-4o", input: "hello", stream: true }],
    ["anthropic", "/v1/messages", "Anthropic", { model: "claude-test-9", max_tokens: 99, messages }],
    [
      "anthropic",
      "/v1/messages",
      "Anthropic stream",
      { model: "claude-test-9", max_tokens: 99, messages, stream: true },
    ],
    [
      "google",
      "/v1beta/models/gemini-2.5-flash:generateContent",
      "Gemini",
      { contents: [{ parts: [{ text: "x" }] }] },
    ],
    [
      "google",
      "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
      "Gemini stream",
      { contents: [{ parts: [{ text: "x" }] }] },
    ],
    [
      "google",
      "/v1beta/models/gemini-2.5-flash:streamGenerateContent",
      "Gemini array stream",
      { contents: [{ parts: [{ text: "x" }] }] },
    ],
  ];

  test.each(CALLS)("stands in the event of the request (%s %s, %s)", async (provider, path, _, body) => {
    const fake = startFake({ script: { tokens: 12, gap: "1ms" } });
    await using weir = startWeir({ providers: [{ name: provider, urls: [fake.url], keys: [KEY] }] });
    const answer = await weir.post(path, body);
    expect(answer.status).toBe(200);
    await answer.arrayBuffer();
    const { usage, model, firstByteMs } = await weir.finished();
    const { promptTokens } = fake.ledger.calls()[0]?.usage ?? {};
    expect(usage).toEqual({ inputTokens: promptTokens ?? -1, outputTokens: 12 });
    expect(model).toBeString();
    expect(firstByteMs).toBeNumber();
    await fake.stop();
  });

  // Anthropic tells the input in its first event and the output in its last; in one piece, only the last is seen.
  test("is found when a whole Anthropic stream comes in one piece", async () => {
    const fake = startFake({ script: { tokens: 3 } });
    await using weir = startWeir({ providers: [{ name: "anthropic", urls: [fake.url], keys: [KEY] }] });
    const ask = { model: "claude-test-9", max_tokens: 99, messages, stream: true };
    await (await weir.post("/v1/messages", ask)).arrayBuffer();
    const { usage } = await weir.finished();
    const { promptTokens } = fake.ledger.calls()[0]?.usage ?? {};
    await fake.stop();
    expect(usage).toEqual({ inputTokens: promptTokens ?? -1, outputTokens: 3 });
  });

  test("is absent when the answer reports none", async () => {
    await using s = await behind(({ socket }) => void socket.write(jsonResponse({ choices: [] })));
    await (await s.weir.post(PATH, { ...CHAT, stream: false })).arrayBuffer();
    expect((await s.weir.finished()).usage).toBeUndefined();
  });
});
