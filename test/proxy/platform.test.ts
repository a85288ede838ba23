// The traps of Bun and Elysia that weir works around (platform.md), each shown to be closed through real sockets.
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { startFake } from "../../src/fake/server.ts";
import {
  chunk,
  dialRaw,
  exchange,
  isWhole,
  jsonResponse,
  postBytes,
  startRawUpstream,
  statusOf,
  STREAM_HEAD,
} from "../support/raw.ts";
import { startBareServer } from "../support/server.ts";
import { createLatch, until } from "../support/until.ts";
import { startWeir } from "../support/weir.ts";

const KEY = "sk-platform-000000000000001";
const PATH = "/v1/chat/completions";
const CHAT = { model: "gpt-4o", messages: [{ role: "user", content: "hello" }] };
const BODY = JSON.stringify(CHAT);
const STREAM = JSON.stringify({ ...CHAT, stream: true });
const DONE = "data: [DONE]\n\n";

describe("Elysia's response headers", () => {
  const ORIGIN = "https://app.test";

  test("do not make it read the body again: split characters and gzip stay whole", async () => {
    const bytes = Buffer.from(`data: "水🌊é"\n\n${DONE}`);
    await using upstream = await startRawUpstream(({ socket }) => {
      socket.write(`${STREAM_HEAD.slice(0, -2)}content-encoding: identity\r\nset-cookie: a=b\r\n\r\n`);
      for (const byte of bytes) socket.write(chunk(Uint8Array.of(byte)));
      socket.write("0\r\n\r\n");
    });
    await using weir = startWeir({
      providers: [{ name: "openai", urls: [upstream.url], keys: [KEY] }],
      server: { allowedOrigins: [ORIGIN] },
    });
    const answer = await weir.post(PATH, STREAM, { headers: { origin: ORIGIN } });
    expect(answer.headers.get("access-control-allow-origin")).toBe(ORIGIN);
    expect(answer.headers.get("content-encoding")).toBe("identity");
    expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).toBe(true);
  });

  test("do not turn a crash in mid-stream into a clean end", async () => {
    const arrived = createLatch();
    await using upstream = await startRawUpstream(async ({ socket }) => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n");
      socket.write(chunk("first"));
      await arrived.opened;
      socket.resetAndDestroy();
    });
    await using weir = startWeir({
      providers: [{ name: "openai", urls: [upstream.url], keys: [KEY] }],
      server: { allowedOrigins: [ORIGIN] },
    });
    await using client = await dialRaw(weir.port);
    client.send(postBytes(PATH, STREAM, `origin: ${ORIGIN}\r\n`));
    await client.until((received) => received.includes("first"), "the first piece");
    arrived.open();
    await client.closed();
    expect(isWhole(client.received)).toBe(false);
  });
});

describe("idle time-outs", () => {
  // Bun counts in steps of 4 s: 1 s takes up to 8.
  const IDLE_SECONDS = 1;
  const SILENCE_MS = 9000;

  test("spare silent answers, but neither idle connections nor half-sent bodies", async () => {
    const othersClosed = createLatch();
    const silence = async (): Promise<void> => {
      await Promise.all([Bun.sleep(SILENCE_MS), othersClosed.opened]);
    };
    await using upstream = await startRawUpstream(async ({ head, socket }) => {
      if (head.includes("x-late: whole")) {
        await silence();
        socket.write(jsonResponse({ late: 1 }));
      } else if (head.includes("x-late: stream")) {
        socket.write(STREAM_HEAD);
        socket.write(chunk("data: {}\n\n"));
        await silence();
        socket.write(Buffer.concat([chunk(DONE), Buffer.from("0\r\n\r\n")]));
      } else socket.write(jsonResponse({ at: "once" }));
    });
    await using server = startBareServer(
      { providers: [{ name: "openai", urls: [upstream.url], keys: [KEY] }] },
      { idleSeconds: IDLE_SECONDS },
    );
    await using whole = await dialRaw(server.port);
    whole.send(postBytes(PATH, BODY, "x-late: whole\r\n"));
    await using stream = await dialRaw(server.port);
    stream.send(postBytes(PATH, STREAM, "x-late: stream\r\n"));
    await using idle = await dialRaw(server.port);
    idle.send(postBytes(PATH, BODY));
    await using half = await dialRaw(server.port);
    half.send(`POST ${PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 500\r\n\r\n{"model":`);
    await using halfChunked = await dialRaw(server.port);
    halfChunked.send(
      `POST ${PATH} HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n3\r\n{"m`,
    );
    await using refused = await dialRaw(server.port);
    refused.send("GET /v1/nothing HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await idle.until(isWhole, "the quick answer");
    expect(statusOf(idle.received)).toBe(200);
    await until(() => server.heldBytes() === 500 + 3 + BODY.length, "two halves and one whole body are held");
    expect(server.inFlight()).toBe(4);

    await Promise.all([idle, half, halfChunked, refused].map((client) => client.closed()));
    await until(() => server.inFlight() === 2, "only the silent answers are left");
    expect(server.heldBytes()).toBe(BODY.length);
    expect(statusOf(refused.received)).toBe(404);
    othersClosed.open();
    await whole.until(isWhole, "the late answer");
    await stream.until(isWhole, "the end of the silent stream");
    expect(whole.received).toContain('{"late":1}');
    expect(stream.received).toContain(DONE);
    await Promise.all([whole, stream].map((client) => client.closed()));
    expect([server.inFlight(), server.heldBytes()]).toEqual([0, 0]);
  }, 90_000);
});

describe("proxies from the environment", () => {
  test("are not used, neither for requests nor for lists of models", async () => {
    const fake = startFake();
    await using proxy = await startRawUpstream(({ socket }) => void socket.end("HTTP/1.1 502 X\r\n\r\n"));
    const names = ["HTTP_PROXY", "http_proxy", "ALL_PROXY"];
    const before = names.map((name) => process.env[name]);
    try {
      for (const name of names) process.env[name] = proxy.url;
      // The trap is there: Bun's own fetch is captured.
      await fetch(`${fake.url}/v1/models`).catch(() => undefined);
      expect(proxy.calls).toHaveLength(1);
      await using weir = startWeir({
        discover: true,
        providers: [{ name: "openai", urls: [fake.url], keys: [KEY] }],
      });
      await weir.found(1);
      expect(statusOf(await exchange(weir.port, postBytes(PATH, BODY)))).toBe(200);
      expect(proxy.calls).toHaveLength(1);
    } finally {
      for (const [at, name] of names.entries()) {
        const value = before[at];
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
    await fake.stop();
  });
});

describe("a name with several addresses", () => {
  test("is reached where one of them listens, for requests and for the connect check", async () => {
    // The answer takes longer than the time to connect: the check dials, and must not call a live server dead.
    await using upstream = await startRawUpstream(async ({ socket }) => {
      await until(() => upstream.accepted === 2, "the check dials");
      await Bun.sleep(100);
      socket.write(jsonResponse({ ok: true }));
    });
    await using weir = startWeir({
      providers: [{ name: "openai", urls: [`http://localhost:${upstream.port}`], keys: [KEY] }],
      timeouts: { connectMs: 500 },
      retry: { max: 0 },
    });
    expect((await weir.post(PATH, CHAT)).status).toBe(200);
    expect(weir.attempts().map((attempt) => attempt.outcome)).toEqual(["success"]);
  });
});

describe("answers that nobody reads", () => {
  test("after failover leave no connection and no call open", async () => {
    const keys = ["sk-a", "sk-b", "sk-c"];
    const fake = startFake({
      script: {
        rules: [
          { match: { key: "sk-a" }, do: { status: 500, body: "x".repeat(3_000_000) } },
          { match: { key: "sk-b" }, do: { status: 429, body: "y".repeat(200_000) } },
        ],
      },
    });
    await using weir = startWeir({ providers: [{ name: "openai", urls: [fake.url], keys }] });
    for (let count = 0; count < 30; count += 1) {
      weir.advance(3_600_000);
      const answer = await weir.post(PATH, CHAT);
      expect(answer.status).toBe(200);
      await answer.arrayBuffer();
    }
    await until(() => fake.openCalls === 0, "no call is open");
    await until(() => fake.openConnections <= 3, "no more connections are open than keys");
    expect(fake.ledger.counters().calls).toBeGreaterThan(60);
    await fake.stop();
  });

  test("that hang in an error's body are given up", async () => {
    await using upstream = await startRawUpstream(({ socket, number }) => {
      if (number === 1) socket.write("HTTP/1.1 500 X\r\ncontent-length: 1000\r\n\r\n{");
      else socket.write(jsonResponse({ ok: true }));
    });
    await using weir = startWeir({
      providers: [
        {
          name: "openai",
          urls: [upstream.url],
          keys: ["sk-a", "sk-b"],
          adjust: (backend) =>
            backend.credential.secret?.reveal() === "sk-a"
              ? { ...backend, timeouts: { idleMs: 50 } }
              : backend,
        },
      ],
    });
    expect((await weir.post(PATH, CHAT)).status).toBe(200);
    await until(() => upstream.open === 1, "the hanging connection is closed");
  });
});

describe("odd heads of an upstream", () => {
  test("a hundred informational answers first are swallowed", async () => {
    const fake = startFake({ script: { rules: [{ do: "informational" }] } });
    await using weir = startWeir({ providers: [{ name: "openai", urls: [fake.url], keys: [KEY] }] });
    expect((await weir.post(PATH, CHAT)).status).toBe(200);
    await fake.stop();
  });

  test("headers of megabytes are a failure of the backend, and weir lives on", async () => {
    const fake = startFake({
      script: { rules: [{ match: { key: "sk-a" }, do: { fault: "huge_headers", bytes: 3_000_000 } }] },
    });
    await using weir = startWeir({
      providers: [{ name: "openai", urls: [fake.url], keys: ["sk-a", "sk-b"] }],
    });
    expect((await weir.post(PATH, CHAT)).status).toBe(200);
    expect(weir.attempts().map((attempt) => attempt.outcome)).toEqual(["failed", "success"]);
    await fake.stop();
  });

  test("`connection: close` closes neither the client's connection nor hides the answer", async () => {
    await using upstream = await startRawUpstream(({ socket }) => {
      socket.end(jsonResponse({ ok: true }, 200, "connection: close, x-secret\r\nx-secret: 1\r\n"));
    });
    await using weir = startWeir({ providers: [{ name: "openai", urls: [upstream.url], keys: [KEY] }] });
    await using client = await dialRaw(weir.port);
    for (let count = 1; count <= 2; count += 1) {
      client.send(postBytes(PATH, BODY));
      await client.until((received) => received.split('{"ok":true}').length === count + 1, "an answer");
    }
    expect(client.received).not.toContain("x-secret");
    expect(client.received).not.toMatch(/^connection: close/im);
  });

  test.each([204, 304])("status %d has no body and holds nothing up", async (status) => {
    await using upstream = await startRawUpstream(({ socket }) => {
      socket.write(`HTTP/1.1 ${status} X\r\nx-kept: yes\r\n\r\n`);
    });
    await using weir = startWeir({ providers: [{ name: "openai", urls: [upstream.url], keys: [KEY] }] });
    const answer = await fetch(`${weir.url}/v1/files/f`, { method: "DELETE" });
    expect([answer.status, await answer.text(), answer.headers.get("x-kept")]).toEqual([status, "", "yes"]);
  });

  test("a status without a name keeps its number", async () => {
    await using upstream = await startRawUpstream(({ socket }) => {
      socket.write(jsonResponse({ error: { message: "busy" } }, 529));
    });
    await using weir = startWeir({
      providers: [{ name: "openai", urls: [upstream.url], keys: [KEY] }],
      retry: { max: 0 },
    });
    expect((await weir.post(PATH, CHAT)).status).toBe(529);
  });

  test.each(["099", "600", "999"])(
    "the status %s, which no answer can have, is a failure of the backend",
    async (status) => {
      await using upstream = await startRawUpstream(({ socket, number }) => {
        if (number === 1) socket.write(`HTTP/1.1 ${status} X\r\ncontent-length: 2\r\n\r\nno`);
        else socket.write(jsonResponse({ ok: true }));
      });
      await using weir = startWeir({ providers: [{ name: "openai", urls: [upstream.url], keys: [KEY] }] });
      const answer = await weir.post(PATH, CHAT);
      expect([answer.status, await answer.text()]).toEqual([200, '{"ok":true}']);
      expect(weir.attempts()[0]).toMatchObject({
        outcome: "failed",
        detail: `broken answer: status ${Number(status)}`,
      });
    },
  );
});

describe("what Bun prints", () => {
  test("on a broken upstream has no address and no key in it", async () => {
    const script = join(import.meta.dir, "../support/print-on-break.ts");
    const child = Bun.spawn([process.execPath, script], { stdout: "pipe", stderr: "pipe" });
    const [out, err] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    expect(out.trim()).toBe("broken");
    expect(err).toBe("");
  }, 90_000);
});

describe("Bun's cap on fetches", () => {
  test("does not bind where the environment lifts it: 1,024 streams all get their first byte", async () => {
    const script = join(import.meta.dir, "../support/many-streams.ts");
    const child = Bun.spawn([process.execPath, script, "1024"], {
      stdout: "pipe",
      stderr: "inherit",
      env: { ...process.env, BUN_CONFIG_MAX_HTTP_REQUESTS: "65535" },
    });
    const out = await new Response(child.stdout).text();
    const figures = JSON.parse(out) as { begun: number; inFlight: number; left: number; rssMb: number };
    console.log(`1,024 streams held open in one process with the fake: RSS ${figures.rssMb} MB`);
    expect(figures).toMatchObject({ begun: 1024, inFlight: 1024, left: 0 });
  }, 90_000);
});
