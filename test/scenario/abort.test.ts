// Clients that leave, in every phase: the provider's ledger shows the abort at once, nothing is left, nobody is blamed.
import { describe, expect, test } from "bun:test";
import type { FakeScript } from "../../src/fake/script.ts";
import { type Fake, startFake } from "../../src/fake/server.ts";
import { dialRaw, postBytes, startRawUpstream, statusOf } from "../support/raw.ts";
import { until } from "../support/until.ts";
import { startWeir, type Weir, type WeirSetup } from "../support/weir.ts";

const KEY = "sk-abort-000000000000000001";
const PATH = "/v1/chat/completions";
const CHAT = { model: "gpt-4o", messages: [{ role: "user", content: "hello" }] };
const UNARY = JSON.stringify(CHAT);
const STREAM = JSON.stringify({ ...CHAT, stream: true, max_tokens: 100_000 });

interface Scene extends AsyncDisposable {
  readonly fake: Fake;
  readonly weir: Weir;
}

function scene(script: FakeScript, setup: Partial<WeirSetup> = {}): Scene {
  const fake = startFake({ script });
  const weir = startWeir({ providers: [{ name: "openai", urls: [fake.url], keys: [KEY] }], ...setup });
  return {
    fake,
    weir,
    async [Symbol.asyncDispose]() {
      await weir[Symbol.asyncDispose]();
      await fake.stop();
    },
  };
}

const noBlame = (weir: Weir): void => {
  const { state, keyState } = weir.slot(KEY);
  expect([state.failuresInRow, state.rest, keyState.rest]).toEqual([0, undefined, undefined]);
  expect(weir.requests().map((request) => request.ending)).toEqual(weir.requests().map(() => "abandoned"));
};

describe("a client that leaves", () => {
  test("before headers ends the upstream call", async () => {
    await using s = scene({ rules: [{ do: "hang_headers" }] });
    await using client = await dialRaw(s.weir.port);
    client.send(postBytes(PATH, UNARY));
    await s.fake.ledger.waitFor((entry) => entry.state === "open");
    client.leave();
    await s.fake.ledger.waitFor((entry) => entry.state === "aborted");
    await s.weir.idle();
    noBlame(s.weir);
    const { status, model } = await s.weir.finished();
    expect([status, model]).toEqual([499, "gpt-4o"]);
  });

  test("in mid-stream ends the upstream call", async () => {
    await using s = scene({ gap: "2ms", tokens: 100_000 });
    await using client = await dialRaw(s.weir.port);
    client.send(postBytes(PATH, STREAM));
    await client.until((received) => received.split("data: ").length > 4, "some events");
    client.leave();
    await s.fake.ledger.waitFor((entry) => entry.state === "aborted");
    await s.weir.idle();
    noBlame(s.weir);
  });

  test("in a silent stream ends the upstream call", async () => {
    await using s = scene({ rules: [{ do: { fault: "hang_stream", after: 2 } }] });
    await using client = await dialRaw(s.weir.port);
    client.send(postBytes(PATH, STREAM));
    await client.until((received) => received.includes("data: "), "some events");
    client.leave();
    await s.fake.ledger.waitFor((entry) => entry.state === "aborted");
    await s.weir.idle();
    noBlame(s.weir);
  });

  test.each([
    ["of known length", "content-length: 1000"],
    ["of great length", "content-length: 9000000"],
    ["of unknown length", "transfer-encoding: chunked"],
  ])("while a single answer %s is on its way ends the upstream call", async (_, framing) => {
    await using upstream = await startRawUpstream(({ socket }) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${framing}\r\n\r\n5\r\n{"id"`);
    });
    await using weir = startWeir({ providers: [{ name: "openai", urls: [upstream.url], keys: [KEY] }] });
    await using client = await dialRaw(weir.port);
    client.send(postBytes(PATH, UNARY));
    await until(() => upstream.calls.length === 1, "the upstream has the call");
    await Bun.sleep(10);
    client.leave();
    await until(() => upstream.open === 0, "the upstream's connection is closed");
    await weir.idle();
    noBlame(weir);
  });

  test("while an error is being read ends the upstream call", async () => {
    await using upstream = await startRawUpstream(({ socket }) => {
      socket.write('HTTP/1.1 500 X\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{"error');
    });
    await using weir = startWeir({ providers: [{ name: "openai", urls: [upstream.url], keys: [KEY] }] });
    await using client = await dialRaw(weir.port);
    client.send(postBytes(PATH, UNARY));
    await until(() => upstream.calls.length === 1, "the upstream has the call");
    await Bun.sleep(10);
    client.leave();
    await until(() => upstream.open === 0, "the upstream's connection is closed");
    await weir.idle();
    noBlame(weir);
    expect(upstream.calls).toHaveLength(1);
  });

  test("during a back-off is not called for again", async () => {
    await using s = scene({ rules: [{ do: 503 }] }, { retry: { backoffMs: 60_000, maxBackoffMs: 60_000 } });
    await using client = await dialRaw(s.weir.port);
    client.send(postBytes(PATH, UNARY));
    await until(() => s.weir.attempts().length === 1, "the first attempt has failed");
    client.leave();
    await s.weir.idle();
    expect((await s.weir.finished()).ending).toBe("abandoned");
    expect(s.fake.ledger.counters().calls).toBe(1);
  });

  test("while uploading is never called for, and its bytes are given back", async () => {
    await using s = scene({});
    await using client = await dialRaw(s.weir.port);
    client.send(`POST ${PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5000\r\n\r\n{"model":"gpt-4o",`);
    await until(() => s.weir.app.heldBytes() === 5000, "the body is expected");
    client.leave();
    await s.weir.idle();
    noBlame(s.weir);
    expect(s.fake.ledger.counters().calls).toBe(0);
  });

  test("while uploading in chunks is never called for, and its bytes are given back", async () => {
    await using s = scene({});
    await using client = await dialRaw(s.weir.port);
    client.send(
      `POST ${PATH} HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"mod\r\n`,
    );
    await until(() => s.weir.app.heldBytes() === 5, "the first piece is held");
    client.leave();
    await s.weir.idle();
    noBlame(s.weir);
    expect(s.fake.ledger.counters().calls).toBe(0);
  });

  test("while a file streams through ends the upstream call", async () => {
    await using upstream = await startRawUpstream(() => undefined);
    await using weir = startWeir({ providers: [{ name: "openai", urls: [upstream.url], keys: [KEY] }] });
    await using client = await dialRaw(weir.port);
    client.send("POST /v1/files HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100000\r\n\r\nabc");
    await until(() => upstream.open === 1, "the upstream is dialled");
    client.leave();
    await until(() => upstream.open === 0, "the upstream's connection is closed");
    await weir.idle();
    noBlame(weir);
  });

  test("after its answer is none that left", async () => {
    await using s = scene({});
    await using client = await dialRaw(s.weir.port);
    client.send(postBytes(PATH, STREAM));
    await client.until((received) => received.endsWith("0\r\n\r\n"), "the stream ends");
    client.leave();
    await s.weir.idle();
    expect((await s.weir.finished()).ending).toBe("complete");
    expect(statusOf(client.received)).toBe(200);
  });
});

/** What one kind of leaving does, and how the client knows that it is time to leave. */
interface Kind {
  readonly cycles: number;
  readonly body: string;
  /** For the fake; see its x-fake header. */
  readonly fake: object;
  readonly isTime: (call: { readonly arrived: boolean; readonly received: string }) => boolean;
}

const KINDS: Readonly<Record<string, Kind>> = {
  "before headers": {
    cycles: 300,
    body: STREAM,
    fake: { fault: "hang_headers" },
    isTime: ({ arrived }) => arrived,
  },
  "in mid-stream": {
    cycles: 300,
    body: STREAM,
    fake: { gap: "1ms", tokens: 100_000 },
    isTime: ({ received }) => received.split("data: ").length > 3,
  },
  "single answer": {
    cycles: 150,
    body: UNARY,
    fake: { latency: "60s" },
    isTime: ({ arrived }) => arrived,
  },
};

const KINDS_AT_ANY_TIME = 250;
const AT_ONCE = 25;

/** As the ledger counts. */
const wallMs = (): number => performance.timeOrigin + performance.now();

function rssMb(): number {
  Bun.gc(true);
  return Math.round(process.memoryUsage().rss / 1024 ** 2);
}

describe("1,000 clients that leave", () => {
  test("leave nothing behind, and each upstream call ends within 100 ms", async () => {
    await using s = scene({});
    const delays: number[] = [];
    let cycle = 0;
    const startRss = rssMb();
    const figures: number[] = [];

    const run = async (kind: Kind): Promise<void> => {
      cycle += 1;
      const name = `c${cycle}`;
      await using client = await dialRaw(s.weir.port);
      client.send(postBytes(PATH, kind.body, `x-cycle: ${name}\r\nx-fake: ${JSON.stringify(kind.fake)}\r\n`));
      const entry = await s.fake.ledger.waitFor((each) => each.headers["x-cycle"] === name);
      await until(() => kind.isTime({ arrived: true, received: client.received }), "time to leave");
      const leftMs = wallMs();
      client.leave();
      await until(() => entry.state !== "open", "the upstream call ends");
      expect(entry.state).toBe("aborted");
      delays.push(entry.endedAt - leftMs);
    };

    /** Leaves at a moment that may fall anywhere: before the head, with it, between chunks, with the end, after it. */
    const runAtAnyTime = async (at: number): Promise<void> => {
      cycle += 1;
      const name = `c${cycle}`;
      await using client = await dialRaw(s.weir.port);
      const fake = JSON.stringify({ latency: "2ms", gap: "1ms", tokens: 4 });
      client.send(postBytes(PATH, at % 3 === 0 ? UNARY : STREAM, `x-cycle: ${name}\r\nx-fake: ${fake}\r\n`));
      const endMs = performance.now() + (at % 50) / 4;
      while (performance.now() < endMs) await new Promise((resolve) => setImmediate(resolve));
      client.leave();
    };

    for (const kind of Object.values(KINDS)) {
      for (let done = 0; done < kind.cycles; done += AT_ONCE)
        await Promise.all(Array.from({ length: AT_ONCE }, () => run(kind)));
      await s.weir.idle();
      figures.push(rssMb());
    }
    for (let done = 0; done < KINDS_AT_ANY_TIME; done += AT_ONCE)
      await Promise.all(Array.from({ length: AT_ONCE }, (_, at) => runAtAnyTime(done + at)));
    await s.weir.idle();
    await until(() => s.fake.openCalls === 0, "no upstream call is open");
    figures.push(rssMb());

    expect(cycle).toBe(1000);
    expect(s.fake.ledger.counters().open).toBe(0);
    const { state, keyState } = s.weir.slot(KEY);
    expect([state.inFlight, state.failuresInRow, keyState.rest]).toEqual([0, 0, undefined]);
    expect(s.weir.attempts().filter((attempt) => attempt.outcome === "failed")).toEqual([]);
    delays.sort((a, b) => a - b);
    const at = (share: number): string => (delays[Math.floor((delays.length - 1) * share)] ?? 0).toFixed(1);
    console.log(
      `leaving to upstream abort: median ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms; RSS ${[startRss, ...figures].join(", ")} MB`,
    );
    expect(Number(at(0.5))).toBeLessThan(100);
  }, 60_000);
});
