// Failover from key to key and backend to backend: what the client sees, and what the ledgers say was really called.
import { describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { RateLimitError } from "openai";
import type { Backend, RouteTimeouts } from "../../src/core/backend.ts";
import type { FakeScript, RuleScript } from "../../src/fake/script.ts";
import { type Fake, startFake } from "../../src/fake/server.ts";
import { jsonResponse, startRawUpstream } from "../support/raw.ts";
import { createLatch, until } from "../support/until.ts";
import {
  backendId,
  CLIENT_KEY,
  type ProviderSetup,
  startWeir,
  type Weir,
  type WeirSetup,
} from "../support/weir.ts";

const K1 = "sk-first-000000000000000001";
const K2 = "sk-second-00000000000000002";
const K3 = "sk-third-000000000000000003";
const CHAT = { model: "gpt-4o", messages: [{ role: "user", content: "hello" }] };
const PATH = "/v1/chat/completions";
/** Back-offs of some seconds, where a test shows that none was taken. */
const SLOW_BACKOFF = { backoffMs: 30_000, maxBackoffMs: 30_000 };

interface Scene extends AsyncDisposable {
  readonly fake: Fake;
  readonly weir: Weir;
  /** Keys of the POSTs so far, in order. */
  readonly keys: () => readonly string[];
  readonly ask: (init?: RequestInit) => Promise<Response>;
}

/** One OpenAI-shaped fake behind weir, with the given keys. */
function scene(
  script: FakeScript,
  {
    keys = [K1, K2],
    name = "openai",
    adjust = (backend) => backend,
    ...setup
  }: Partial<Omit<ProviderSetup, "urls"> & WeirSetup> = {},
): Scene {
  const fake = startFake({ script });
  const weir = startWeir({ providers: [{ name, urls: [fake.url], keys, adjust }], ...setup });
  return {
    fake,
    weir,
    keys: () => fake.ledger.calls().map((call) => call.key),
    ask: (init) => weir.post(PATH, CHAT, init),
    async [Symbol.asyncDispose]() {
      await weir[Symbol.asyncDispose]();
      await fake.stop();
    },
  };
}

/** Short time-outs for one key, so that the others cannot be taken for silent on a busy machine. */
const hasty =
  (key: string, timeouts: RouteTimeouts) =>
  (backend: Backend): Backend =>
    backend.credential.secret?.reveal() === key ? { ...backend, timeouts } : backend;

const failing = (key: string, action: RuleScript["do"]): FakeScript => ({
  rules: [{ match: { key }, do: action }],
});

async function statusOf(answer: Promise<Response>): Promise<number> {
  const response = await answer;
  await response.arrayBuffer();
  return response.status;
}

describe("a key that is limited", () => {
  test("loses the call to another key at once, rests as long as it said, and is used again after", async () => {
    await using s = scene(failing(K1, { error: "rate_limit", retry_after: "7s" }), {
      retry: SLOW_BACKOFF,
      still: true,
    });
    expect(await statusOf(s.ask())).toBe(200);
    expect(s.keys()).toEqual([K1, K2]);
    for (let count = 0; count < 4; count += 1) expect(await statusOf(s.ask())).toBe(200);
    s.weir.advance(6900);
    expect(await statusOf(s.ask())).toBe(200);
    expect(s.keys()).toEqual([K1, K2, K2, K2, K2, K2, K2]);
    s.fake.configure({});
    s.weir.advance(101);
    expect(await statusOf(s.ask())).toBe(200);
    expect(await statusOf(s.ask())).toBe(200);
    expect(new Set(s.keys().slice(-2))).toEqual(new Set([K1, K2]));
  });

  test("says in the headers which backend answered and how many attempts it took", async () => {
    await using s = scene(failing(K1, "rate_limit"));
    const response = await s.ask();
    expect(response.headers.get("x-weir-attempts")).toBe("2");
    expect(response.headers.get("x-weir-backend")).toBe(backendId("openai", 1));
    await response.arrayBuffer();
    const { attempts, backend, status } = await s.weir.finished();
    expect({ attempts, backend, status }).toEqual({
      attempts: 2,
      backend: backendId("openai", 1),
      status: 200,
    });
  });

  test("rests by retry-after-ms rather than by Retry-After", async () => {
    const body = { error: { message: "slow", type: "requests", code: "rate_limit_exceeded" } };
    await using upstream = await startRawUpstream(({ socket }) =>
      socket.write(jsonResponse(body, 429, "retry-after: 60\r\nretry-after-ms: 1500\r\n")),
    );
    await using weir = startWeir({ providers: [{ name: "openai", urls: [upstream.url], keys: [K1] }] });
    const response = await weir.post(PATH, CHAT);
    expect(response.headers.get("retry-after")).toBe("2");
    expect(await response.json()).toEqual(body);
    const { rest } = weir.slot(K1).keyState;
    expect(Math.round((rest?.untilMs ?? 0) - (rest?.sinceMs ?? 0))).toBe(1500);
  });

  test("rests at most 300 s by a limit per minute", async () => {
    await using s = scene(failing(K1, { error: "rate_limit", retry_after: "3600s" }), { still: true });
    await statusOf(s.ask());
    s.weir.advance(299_000);
    await statusOf(s.ask());
    expect(s.keys()).toEqual([K1, K2, K2]);
    s.weir.advance(1001);
    await statusOf(s.ask());
    await statusOf(s.ask());
    expect(s.keys().slice(3)).toContain(K1);
  });

  test("leaves a stream as whole as a single answer", async () => {
    await using s = scene(failing(K1, "rate_limit"));
    const stream = await s.weir.openai().chat.completions.create({
      model: "gpt-4o",
      messages: [{ role: "user", content: "hello" }],
      stream: true,
    });
    let events = 0;
    for await (const _ of stream) events += 1;
    expect(events).toBeGreaterThan(3);
    expect(s.keys()).toEqual([K1, K2]);
  });
});

describe("all keys limited", () => {
  test("the call that found out gets the upstream's own 429 with the soonest return", async () => {
    await using s = scene(
      {
        rules: [
          { match: { key: K1 }, do: { error: "rate_limit", retry_after: "20s" } },
          { match: { key: K2 }, do: { error: "rate_limit", retry_after: "9s" } },
        ],
      },
      { still: true },
    );
    const response = await s.ask();
    expect(response.status).toBe(429);
    expect(response.headers.get("retry-after")).toBe("9");
    expect(response.headers.get("retry-after-ms")).toBeNull();
    expect(response.headers.get("x-should-retry")).toBeNull();
    expect(await response.json()).toMatchObject({ error: { code: "rate_limit_exceeded", type: "requests" } });
  });

  test("later calls get weir's 429 at once, without an upstream call", async () => {
    await using s = scene({ rules: [{ do: { error: "rate_limit", retry_after: "20s" } }] }, { still: true });
    await statusOf(s.ask());
    expect(s.keys()).toHaveLength(2);
    s.weir.advance(5000);
    const response = await s.ask();
    expect(response.status).toBe(429);
    expect(response.headers.get("retry-after")).toBe("15");
    expect(response.headers.get("x-weir-attempts")).toBe("0");
    expect((await s.weir.finished(2)).model).toBe("gpt-4o");
    expect(await response.json()).toMatchObject({
      error: { type: "rate_limit_error", code: "rate_limit_exceeded" },
    });
    expect(s.keys()).toHaveLength(2);
  });

  test("a wait over 30 s tells SDKs not to sit it out", async () => {
    await using s = scene({ rules: [{ do: { error: "rate_limit", retry_after: "31s" } }] }, { still: true });
    await statusOf(s.ask());
    const failure = await s.weir
      .openai({ maxRetries: 5 })
      .chat.completions.create({ model: "gpt-4o", messages: [{ role: "user", content: "x" }] })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(RateLimitError);
    expect((failure as RateLimitError).headers.get("x-should-retry")).toBe("false");
    expect(s.weir.requests()).toHaveLength(2);
  });

  test("of 20 keys at most 16 are asked by one call", async () => {
    const keys = Array.from({ length: 20 }, (_, at) => `sk-many-00000000000000000-${at}`);
    await using s = scene({ rules: [{ do: "rate_limit" }] }, { keys });
    expect(await statusOf(s.ask())).toBe(429);
    expect(s.keys()).toHaveLength(16);
    expect(new Set(s.keys()).size).toBe(16);
  });
});

describe("a key that is refused", () => {
  test.each([
    ["401", { error: "auth" }, "revoked", 300_000],
    ["403", { error: "forbidden" }, "revoked", 300_000],
    ["429 insufficient_quota", { error: "quota" }, "quota", 3_600_000],
    ["429 billing_not_active", { error: "billing" }, "quota", 3_600_000],
    ["402", { status: 402, body: { error: { message: "Payment required" } } }, "quota", 3_600_000],
  ] as const)("%s moves the call to another key and rests", async (_, action, cause, restMs) => {
    await using s = scene(failing(K1, action), { retry: SLOW_BACKOFF, still: true });
    expect(await statusOf(s.ask())).toBe(200);
    expect(s.keys()).toEqual([K1, K2]);
    const { rest } = s.weir.slot(K1).keyState;
    expect(rest?.cause).toBe(cause);
    expect(Math.round((rest?.untilMs ?? 0) - (rest?.sinceMs ?? 0))).toBe(restMs);
    s.weir.advance(restMs - 1000);
    await statusOf(s.ask());
    expect(s.keys()).toEqual([K1, K2, K2]);
    s.fake.configure({});
    s.weir.advance(1001);
    await statusOf(s.ask());
    await statusOf(s.ask());
    expect(s.keys().slice(3)).toContain(K1);
    expect(s.weir.slot(K1).keyState.rest).toBeUndefined();
  });

  test("Gemini's 400 for an invalid key counts as such", async () => {
    await using s = scene({ keys: [K2] }, { name: "google" });
    const body = { contents: [{ parts: [{ text: "hello" }] }] };
    const path = "/v1beta/models/gemini-2.5-flash:generateContent";
    expect(await statusOf(s.weir.post(path, body))).toBe(200);
    expect(s.keys()).toEqual([K1, K2]);
    expect(s.weir.slot(K1).keyState.rest?.cause).toBe("revoked");
  });

  test("Anthropic's 400 for an empty balance counts as quota", async () => {
    await using s = scene(failing(K1, "billing"), { name: "anthropic" });
    const body = { model: "claude-test-9", max_tokens: 5, messages: CHAT.messages };
    expect(await statusOf(s.weir.post("/v1/messages", body))).toBe(200);
    expect(s.keys()).toEqual([K1, K2]);
    expect(s.weir.slot(K1).keyState.rest?.cause).toBe("quota");
  });

  test("all refused: the last 401 for the one who found out, then 503 no_usable_key at once", async () => {
    await using s = scene({ keys: [] }, { still: true });
    const first = await s.ask();
    expect(first.status).toBe(401);
    expect(first.headers.get("x-should-retry")).toBe("false");
    expect(first.headers.get("retry-after")).toBe("300");
    expect(await first.json()).toMatchObject({ error: { code: "invalid_api_key" } });
    const second = await s.ask();
    expect(second.status).toBe(503);
    expect(second.headers.get("x-should-retry")).toBe("false");
    expect(await second.json()).toMatchObject({ error: { code: "no_usable_key" } });
    expect(s.keys()).toEqual([K1, K2]);
  });

  test("all out of quota: 429 that SDKs do not repeat", async () => {
    await using s = scene({ rules: [{ do: "quota" }] });
    expect((await s.ask()).headers.get("x-should-retry")).toBe("false");
    const second = await s.ask();
    expect(second.status).toBe(429);
    expect(second.headers.get("x-should-retry")).toBe("false");
    expect(await second.json()).toMatchObject({ error: { code: "insufficient_quota" } });
    expect(s.keys()).toHaveLength(2);
  });

  test("SDKs are told not to repeat what money or a key must mend, however short the rest", async () => {
    for (const error of ["auth", "quota"] as const) {
      const cooldown = { revokedMs: 5000, quotaMs: 5000 };
      await using s = scene({ rules: [{ do: error }] }, { cooldown, still: true });
      for (let count = 0; count < 2; count += 1) {
        const response = await s.ask();
        expect([response.headers.get("retry-after"), response.headers.get("x-should-retry")]).toEqual([
          "5",
          "false",
        ]);
        await response.arrayBuffer();
      }
      expect(s.keys()).toHaveLength(2);
    }
  });

  test("a key quoted in the error body reaches nobody, and the length stays right", async () => {
    await using s = scene({ rules: [{ do: "echo_key" }] }, { keys: [K1] });
    const response = await s.ask();
    const text = await response.text();
    expect(response.status).toBe(401);
    expect(text).not.toContain(K1);
    expect(text).toContain("***");
    expect(Number(response.headers.get("content-length"))).toBe(Buffer.byteLength(text));
    expect(s.weir.lines.join("")).not.toContain(K1);
  });
});

describe("a compressed error that quotes the key", () => {
  const error = { error: { message: `Incorrect API key provided: ${K1}`, code: "invalid_api_key" } };
  const PACKERS = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync, zstd: zstdCompressSync };

  for (const [encoding, pack] of Object.entries(PACKERS))
    test(`in ${encoding} reaches nobody with it`, async () => {
      const body = pack(JSON.stringify(error));
      await using upstream = await startRawUpstream(({ socket }) => {
        socket.write(
          `HTTP/1.1 401 X\r\ncontent-type: application/json\r\ncontent-encoding: ${encoding}\r\ncontent-length: ${body.length}\r\n\r\n`,
        );
        socket.write(body);
      });
      await using weir = startWeir({ providers: [{ name: "openai", urls: [upstream.url], keys: [K1] }] });
      const response = await weir.post(PATH, CHAT);
      const text = await response.text();
      expect(response.status).toBe(401);
      expect(text).not.toContain(K1);
      expect(JSON.parse(text)).toMatchObject({ error: { code: "invalid_api_key" } });
      expect(weir.slot(K1).keyState.rest?.cause).toBe("revoked");
    });
});

describe("a model that is not there", () => {
  test("marks key and model and asks one other key", async () => {
    await using s = scene(failing(K1, "model_not_found"), { keys: [K1, K2, K3] });
    expect(await statusOf(s.ask())).toBe(200);
    expect(s.keys()).toEqual([K1, K2]);
    for (let count = 0; count < 3; count += 1) await statusOf(s.ask());
    expect(s.keys().slice(2)).not.toContain(K1);
    await statusOf(s.weir.post(PATH, { ...CHAT, model: "gpt-4o-mini" }));
    await statusOf(s.weir.post(PATH, { ...CHAT, model: "gpt-4o-mini" }));
    const other = s.fake.ledger.calls().filter((call) => call.model === "gpt-4o-mini");
    expect(other.map((call) => call.key)).toContain(K1);
  });

  test("is asked of two keys at most, and the 404 comes as it was", async () => {
    await using s = scene({ rules: [{ do: "model_not_found" }] }, { keys: [K1, K2, K3] });
    const response = await s.ask();
    expect(response.status).toBe(404);
    expect(response.headers.get("retry-after")).toBeNull();
    expect(await response.json()).toMatchObject({ error: { code: "model_not_found" } });
    expect(s.keys()).toHaveLength(2);
    // Marks are a preference: with every key marked, they are asked all the same.
    expect(await statusOf(s.ask())).toBe(404);
    expect(s.keys().length).toBeGreaterThan(2);
  });
});

describe("a failing backend", () => {
  test.each([500, 502, 503, 504, 408, 409, 529])(
    "with status %d loses the call to another",
    async (status) => {
      await using s = scene(failing(K1, status), { retry: SLOW_BACKOFF });
      expect(await statusOf(s.ask())).toBe(200);
      expect(s.keys()).toEqual([K1, K2]);
      expect(s.weir.slot(K1).keyState.rest).toBeUndefined();
    },
  );

  test.each([
    ["a reset before headers", "reset"],
    ["a close before headers", "refuse"],
    ["a head that is not HTTP", "garbage_headers"],
  ] as const)("with %s loses the call to another", async (_, action) => {
    await using s = scene(failing(K1, action), { retry: SLOW_BACKOFF });
    expect(await statusOf(s.ask())).toBe(200);
    expect(s.keys()).toEqual([K1, K2]);
  });

  test.each(["HTTP/1.1 200 OK", "HTTP/1.1 400 Bad Request"])(
    "that cuts a short body with its length (%s) loses the call to another",
    async (line) => {
      await using upstream = await startRawUpstream(({ socket, number }) => {
        if (number === 1) socket.end(`${line}\r\ncontent-length: 1000\r\n\r\n{"choices`);
        else socket.write(jsonResponse({ choices: [] }));
      });
      const providers = [{ name: "openai", urls: [upstream.url], keys: [K1, K2] }];
      await using weir = startWeir({ providers, retry: SLOW_BACKOFF });
      expect(await statusOf(weir.post(PATH, CHAT))).toBe(200);
      expect(upstream.calls).toHaveLength(2);
    },
  );

  test("that stalls in a short body loses the call after the idle time", async () => {
    await using upstream = await startRawUpstream(({ socket, number }) => {
      if (number === 1) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{"choices');
      else socket.write(jsonResponse({ choices: [] }));
    });
    const providers = [
      { name: "openai", urls: [upstream.url], keys: [K1, K2], adjust: hasty(K1, { idleMs: 50 }) },
    ];
    await using weir = startWeir({ providers, retry: SLOW_BACKOFF });
    expect(await statusOf(weir.post(PATH, CHAT))).toBe(200);
    await until(() => upstream.open === 1, "the stalled connection is closed");
  });

  test("that never answers is given up after the first-byte time, and its connection is closed", async () => {
    await using s = scene(failing(K1, "hang_headers"), {
      retry: SLOW_BACKOFF,
      adjust: hasty(K1, { firstByteMs: 200, streamFirstByteMs: 200 }),
    });
    expect(await statusOf(s.ask())).toBe(200);
    expect(await statusOf(s.weir.post(PATH, { ...CHAT, stream: true }))).toBe(200);
    await until(() => s.fake.openCalls === 0, "no call is open");
    const hung = s.fake.ledger.calls().filter((call) => call.key === K1);
    expect(hung.map((call) => call.state)).toEqual(hung.map(() => "aborted"));
    const lost = s.weir.attempts().filter(({ outcome }) => outcome === "failed");
    expect(lost.map(({ detail }) => detail)).toEqual(lost.map(() => "no answer within 0.2 s"));
    expect(lost.length).toBeGreaterThan(0);
  });

  test("that refuses connections costs nothing but the attempt, however often", async () => {
    const up = startFake();
    const down = startFake({ script: { accept: "refuse" } });
    await using weir = startWeir({
      providers: [{ name: "openai", urls: [down.url, up.url], keys: [K1] }],
      retry: SLOW_BACKOFF,
    });
    for (let count = 0; count < 6; count += 1) expect(await statusOf(weir.post(PATH, CHAT))).toBe(200);
    const lost = weir.attempts().filter((attempt) => attempt.outcome === "unreachable");
    expect(lost.length).toBeGreaterThan(0);
    expect(lost.length).toBeLessThanOrEqual(3);
    await Promise.all([up.stop(), down.stop()]);
  });

  test("that accepts no connection is noticed after the connect time", async () => {
    await using full = await startFullListener();
    const up = startFake();
    await using weir = startWeir({
      providers: [
        {
          name: "openai",
          urls: [full.url, up.url],
          keys: [K1],
          adjust: (backend) =>
            backend.origin === full.url ? { ...backend, timeouts: { connectMs: 50 } } : backend,
        },
      ],
    });
    expect(await statusOf(weir.post(PATH, CHAT))).toBe(200);
    const [first] = weir.attempts();
    expect([first?.outcome, first?.detail]).toEqual(["unreachable", "connect time-out"]);
    await up.stop();
  });

  test("rests after three failures in a row and comes back by one trial", async () => {
    const trial = createLatch();
    let isWell = false;
    await using upstream = await startRawUpstream(async ({ head, socket }) => {
      const isFirst = head.includes(K1);
      if (isFirst && isWell) await trial.opened;
      socket.write(isFirst && !isWell ? jsonResponse({}, 500) : jsonResponse({ choices: [] }));
    });
    const asked = () => upstream.calls.filter(({ head }) => head.includes(K1)).length;
    const providers = [{ name: "openai", urls: [upstream.url], keys: [K1, K2, K3] }];
    await using weir = startWeir({ providers, still: true });
    for (let count = 0; count < 12; count += 1) expect(await statusOf(weir.post(PATH, CHAT))).toBe(200);
    expect(asked()).toBe(3);
    expect(weir.slot(K1).state.rest?.cause).toBe("failures");
    weir.advance(5001);
    isWell = true;
    let ended = 0;
    const calls = Array.from({ length: 9 }, () => statusOf(weir.post(PATH, CHAT)).then(() => (ended += 1)));
    await until(() => ended === 8, "all but the trial are answered");
    expect(asked()).toBe(3 + 1);
    trial.open();
    await Promise.all(calls);
    expect(asked()).toBe(3 + 1);
    expect(weir.slot(K1).state.rest).toBeUndefined();
  });

  test("alone is tried again after a back-off, as often as the policy allows", async () => {
    await using s = scene({ rules: [{ do: 503 }] }, { keys: [K1] });
    const response = await s.ask();
    expect(response.status).toBe(503);
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    expect(await response.json()).toMatchObject({ error: { type: "server_error" } });
    expect(s.keys()).toEqual([K1, K1, K1, K1]);
  });

  test.each([500, 502, 504])("alone with status %d is repeated once at most", async (status) => {
    await using s = scene({ rules: [{ do: status }] }, { keys: [K1] });
    expect(await statusOf(s.ask())).toBe(status);
    expect(s.keys()).toEqual([K1, K1]);
  });

  test("among many that fail alike is repeated once at most", async () => {
    await using s = scene({ rules: [{ do: 500 }] }, { keys: [K1, K2, K3] });
    expect(await statusOf(s.ask())).toBe(500);
    expect(s.keys()).toHaveLength(2);
    expect(new Set(s.keys()).size).toBe(2);
  });

  test("that resets after the body was sent is repeated once at most", async () => {
    await using s = scene({ rules: [{ do: "reset" }] }, { keys: [K1, K2, K3] });
    const response = await s.ask();
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({ error: { code: "upstream_failed" } });
    expect(s.keys()).toHaveLength(2);
  });

  test("that answers with a server error after others were limited does not use up their turn", async () => {
    await using s = scene(
      {
        rules: [
          { match: { key: K1 }, do: "rate_limit" },
          { match: { key: K2 }, do: 500 },
        ],
      },
      { keys: [K1, K2, K3] },
    );
    expect(await statusOf(s.ask())).toBe(200);
    expect(s.keys()).toEqual([K1, K2, K3]);
  });
});

describe("the caller's own fault", () => {
  test.each([400, 404, 413, 415, 422])(
    "status %d is told at once, after exactly one call",
    async (status) => {
      const body = { error: { message: "yours", type: "invalid_request_error", code: null, odd: [1, 2] } };
      await using s = scene({ rules: [{ do: { status, body, headers: { "x-kept": "yes" } } }] });
      const response = await s.ask();
      expect(response.status).toBe(status);
      expect(response.headers.get("x-kept")).toBe("yes");
      expect(response.headers.get("retry-after")).toBeNull();
      expect(await response.json()).toEqual(body);
      expect(s.keys()).toHaveLength(1);
      expect(s.weir.slot(K1).state.failuresInRow).toBe(0);
    },
  );

  test.each(["context_length", "content_filter"] as const)("%s is asked once", async (error) => {
    await using s = scene({ rules: [{ do: error }] });
    expect(await statusOf(s.ask())).toBe(400);
    expect(s.keys()).toHaveLength(1);
  });
});

describe("nobody reachable", () => {
  test("gives weir's own 502 in the shape of the path", async () => {
    await using s = scene({ accept: "refuse" });
    const response = await s.ask();
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({ error: { type: "server_error", code: "upstream_failed" } });
    expect(response.headers.get("x-weir-attempts")).toBe("4");
  });

  test("gives 504 when the last failure was a time-out", async () => {
    await using s = scene({ rules: [{ do: "hang_headers" }] }, { timeouts: { firstByteMs: 40 } });
    const response = await s.ask();
    expect(response.status).toBe(504);
    expect(await response.json()).toMatchObject({ error: { code: "upstream_timeout" } });
    // The fake may not have read of one that is given up so soon.
    expect(s.weir.attempts()).toHaveLength(2);
  });
});

describe("the retry budget", () => {
  test("keeps calls under 1.2 times the requests when every answer is a 500", async () => {
    await using s = scene({ rules: [{ do: 500 }] }, { keys: [K1, K2, K3], still: true });
    const requests = 900;
    const batch = 90;
    for (let sent = 0; sent < requests; sent += batch)
      await Promise.all(Array.from({ length: batch }, () => statusOf(s.ask())));
    const { calls } = s.fake.ledger.counters();
    expect(calls).toBeGreaterThan(requests);
    expect(calls).toBeLessThanOrEqual(requests * 1.2);
  }, 60_000);
});

describe("a redirect", () => {
  test.each(["length", "chunked"] as const)(
    "is not followed and takes no key along (%s)",
    async (framing) => {
      const trap = startFake();
      await using s = scene(
        failing(K1, { fault: "redirect", location: `${trap.url}/v1/messages`, status: 307, framing }),
        { name: "anthropic" },
      );
      const body = { model: "claude-test-9", max_tokens: 5, messages: CHAT.messages };
      expect(await statusOf(s.weir.post("/v1/messages", body))).toBe(200);
      expect(s.keys()).toEqual([K1, K2]);
      expect(trap.ledger.calls()).toEqual([]);
      await trap.stop();
    },
  );

  test("that nobody betters is no success", async () => {
    await using s = scene(
      { rules: [{ do: { fault: "redirect", location: "http://127.0.0.1:9/elsewhere" } }] },
      { keys: [K1] },
    );
    const answer = await s.weir.post(PATH, CHAT, { redirect: "manual" });
    expect(answer.status).toBe(301);
    await s.weir.idle();
    const { weir } = await (await fetch(`${s.weir.url}/api/dashboard`)).json();
    expect(weir.totals).toMatchObject({ requests: 1, succeeded: 0, failed: 1 });
  });
});

describe("a kept connection that the upstream closes", () => {
  test("costs at most one more call, and the client sees success", async () => {
    await using s = scene({ rules: [{ do: "close_on_reuse" }] }, { keys: [K1] });
    expect(await statusOf(s.ask())).toBe(200);
    expect(await statusOf(s.ask())).toBe(200);
    const calls = s.fake.ledger.calls();
    expect(calls.length).toBeLessThanOrEqual(3);
    expect(calls.at(-1)?.turn).toBe(1);
  });

  test("while it was idle is not noticed at all", async () => {
    await using upstream = await startRawUpstream(({ socket }) => {
      socket.write(jsonResponse({ choices: [] }));
      setTimeout(() => socket.end(), 5); // after the answer has been taken
    });
    await using weir = startWeir({ providers: [{ name: "openai", urls: [upstream.url], keys: [K1] }] });
    for (let count = 0; count < 5; count += 1) {
      expect(await statusOf(weir.post(PATH, CHAT))).toBe(200);
      await until(() => upstream.open === 0, "both sides have closed the connection");
    }
    expect(upstream.calls).toHaveLength(5);
  });
});

describe("the caller's patience", () => {
  test("told in x-stainless-timeout bounds the wait for an answer", async () => {
    await using s = scene({ rules: [{ do: "hang_headers" }] });
    const started = performance.now();
    const response = await s.ask({ headers: { "x-stainless-timeout": "0.2" } });
    expect(response.status).toBe(504);
    await response.arrayBuffer();
    // Without that word it would be ten minutes.
    expect(performance.now() - started).toBeWithin(150, 25_000);
    expect(s.weir.attempts()).toHaveLength(1);
  });

  test("says nothing about a backend when it is short, and what a backend is when it is long", async () => {
    await using s = scene(
      { rules: [{ do: "hang_headers" }] },
      { keys: [K1], timeouts: { firstByteMs: 200 } },
    );
    const standing = async (timeout: string) => {
      const response = await s.ask({ headers: { "x-stainless-timeout": timeout } });
      expect(await response.json()).toMatchObject({ error: { code: "upstream_timeout" } });
      return s.weir.slot(K1).state.failuresInRow;
    };
    for (let time = 0; time < 4; time += 1) expect(await standing("0.1")).toBe(0);
    expect(await standing("60")).toBeGreaterThan(0);
  });

  test("is not spent on a back-off that it would not outlast", async () => {
    await using s = scene({ rules: [{ do: 503 }] }, { keys: [K1], retry: SLOW_BACKOFF });
    const response = await s.ask({ headers: { "x-stainless-timeout": "5" } });
    expect(response.status).toBe(503);
    await response.arrayBuffer();
    expect(s.keys()).toEqual([K1]);
  });
});

describe("a request that has several families to go to", () => {
  test("goes only to backends that speak its own", async () => {
    const fake = startFake();
    await using weir = startWeir({
      providers: [
        { name: "openai", urls: [fake.url], keys: [K1] },
        { name: "anthropic", urls: [fake.url], keys: [K2] },
      ],
    });
    const body = { model: "claude-test-9", max_tokens: 5, messages: CHAT.messages };
    expect(await statusOf(weir.post("/v1/messages", body))).toBe(200);
    expect(await statusOf(weir.post(PATH, { ...CHAT, model: "anthropic/claude-test-9" }))).toBe(200);
    expect(await statusOf(weir.post(PATH, { ...CHAT, model: "openai/gpt-4o" }))).toBe(200);
    expect(fake.ledger.calls().map(({ key, model }) => [key, model])).toEqual([
      [K2, "claude-test-9"],
      [K2, "claude-test-9"],
      [K1, "gpt-4o"],
    ]);
    const unknown = await weir.post(PATH, { ...CHAT, model: "gpd-4o" });
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toMatchObject({ error: { code: "model_not_found", param: "model" } });
    await weir.idle();
    expect(weir.events.at(-1)).toMatchObject({ kind: "request_finished", code: "model_not_found" });
    await fake.stop();
  });

  test("two keys share ten sequential calls five by five", async () => {
    await using s = scene({});
    for (let count = 0; count < 10; count += 1) await statusOf(s.ask());
    expect(s.keys().filter((key) => key === K1)).toHaveLength(5);
    expect(s.keys().filter((key) => key === K2)).toHaveLength(5);
    expect(JSON.stringify(s.fake.ledger.calls())).not.toContain(CLIENT_KEY);
  });
});

interface FullListener extends AsyncDisposable {
  readonly url: string;
}

/** More than the 512 that Bun lets wait. */
const QUEUE_FILLERS = 600;

/** Listens in a process that is stopped, and fills its queue: the kernel then drops further handshakes. */
async function startFullListener(): Promise<FullListener> {
  const code = "console.log(Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } }).port)";
  const child = Bun.spawn([process.execPath, "-e", code], { stdout: "pipe", stderr: "ignore" });
  const { value } = await child.stdout.getReader().read();
  const port = Number(new TextDecoder().decode(value));
  child.kill("SIGSTOP");
  let connected = 0;
  const sockets = Array.from({ length: QUEUE_FILLERS }, () => {
    const socket = connect(port, "127.0.0.1", () => {
      connected += 1;
    });
    return socket.on("error", () => undefined);
  });
  await until(() => connected > 512, "the queue is full");
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}
