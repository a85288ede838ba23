// The listener: which requests it takes, what it says to the others, its own pages, and how it stops.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startFake } from "../../src/fake/server.ts";
import {
  chunk,
  dialRaw,
  exchange,
  jsonOf,
  postBytes,
  startRawUpstream,
  statusOf,
  STREAM_HEAD,
} from "../support/raw.ts";
import { openFake } from "../support/configured.ts";
import { startBareServer } from "../support/server.ts";
import { createLatch, until } from "../support/until.ts";
import { backendId, startWeir, type Weir } from "../support/weir.ts";

const KEY = "sk-server-00000000000000001";
const PATH = "/v1/chat/completions";
const CHAT = { model: "gpt-4o", messages: [{ role: "user", content: "hello" }] };
const BODY = JSON.stringify(CHAT);

const fake = startFake({ script: { keys: [KEY] } });
const providers = [{ name: "openai", urls: [fake.url], keys: [KEY] }];
let weir: Weir;

beforeAll(() => {
  weir = startWeir({ providers });
});

afterAll(async () => {
  await weir[Symbol.asyncDispose]();
  await fake.stop();
});

const calls = (): number => fake.ledger.counters().calls;

const posting = (path: string, host: string, headers = ""): string =>
  `POST ${path} HTTP/1.1\r\n${host}content-type: application/json\r\ncontent-length: ${BODY.length}\r\n${headers}\r\n${BODY}`;

test("a request without a token, a path or a method of ours has an id and a line, and is counted nowhere", async () => {
  await using guarded = startWeir({ providers, accessKeys: ["token-0001"] });
  const ask = (method: string, path: string, token = "token-0001") =>
    fetch(guarded.url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, "x-request-id": `${method}-1` },
    });
  const answers = [await ask("POST", PATH, "wrong"), await ask("GET", "/v1/nothing"), await ask("PUT", PATH)];
  for (const { headers } of answers)
    expect([headers.get("x-weir-request-id"), headers.get("x-weir-attempts")]).toEqual([
      expect.stringMatching(/^(POST|GET|PUT)-1$/),
      "0",
    ]);
  expect(answers[2]?.headers.get("allow")).toBe("POST");
  const told = guarded.events.filter((event) => event.kind === "request_turned_away");
  expect(told.map(({ requestId, status, code }) => `${requestId} ${status} ${code}`)).toEqual([
    "POST-1 401 invalid_api_key",
    "GET-1 404 unknown_url",
    "PUT-1 405 method_not_allowed",
  ]);
  const lines = guarded.lines.map((line) => JSON.parse(line)).filter(({ message }) => message === "request");
  expect(lines.map(({ id }) => id)).toEqual(["POST-1", "GET-1", "PUT-1"]);
  // Scanners and probes of load balancers are no traffic of the pool.
  const { requests } = await (await fetch(`${guarded.url}/api/dashboard`)).json();
  expect(requests).toMatchObject({ total: 0, failures: 0 });
});

describe("the Host header", () => {
  test.each(["localhost", "LOCALHOST", "127.0.0.1", "127.8.9.1", "[::1]", "localhost:8080"])(
    "%s is served on loopback",
    async (host) => {
      expect(statusOf(await exchange(weir.port, posting(PATH, `Host: ${host}\r\n`)))).toBe(200);
    },
  );

  test.each(["lb", "llm", "a", "evil.test", "10.0.0.1", "localhost.evil.test", "[::2]"])(
    "%s is not ours on loopback, whatever the path",
    async (host) => {
      const before = calls();
      for (const path of [PATH, "/v1/models", "/nothing", "/v1/files"])
        expect(statusOf(await exchange(weir.port, posting(path, `Host: ${host}\r\n`)))).toBe(421);
      expect(calls()).toBe(before);
    },
  );

  test.each([
    ["with a user", "Host: a@evil\r\n"],
    ["twice", "Host: localhost\r\nHost: localhost\r\n"],
    ["twice and different", "Host: localhost\r\nHost: evil.test\r\n"],
    ["missing", ""],
    ["empty", "Host: \r\n"],
    ["with a path", "Host: a/../x?\r\n"],
    ["with a path of ours", "Host: localhost/health?\r\n"],
    ["with a bad port", "Host: localhost:99999999\r\n"],
    ["with a space", "Host: local host\r\n"],
  ])("%s is refused before routing", async (_, host) => {
    const before = calls();
    for (const path of [PATH, "/health", "/v1/models"])
      expect(statusOf(await exchange(weir.port, posting(path, host)))).toBe(400);
    expect(calls()).toBe(before);
  });

  test.each(["lb", "llm", "a", "weir.corp.test:8080"])(
    "%s is served where clients have tokens, and its path is read right",
    async (host) => {
      await using guarded = startWeir({ providers, accessKeys: ["team-1"] });
      const line = `Host: ${host}\r\n`;
      const token = "authorization: Bearer team-1\r\n";
      expect(statusOf(await exchange(guarded.port, posting(PATH, line, token)))).toBe(200);
      expect(statusOf(await exchange(guarded.port, posting(PATH, line)))).toBe(401);
      const models = await exchange(guarded.port, `GET /v1/models HTTP/1.1\r\n${line}${token}\r\n`);
      expect(jsonOf(models)).toMatchObject({ object: "list" });
      expect(statusOf(await exchange(guarded.port, `GET /v1/models HTTP/1.1\r\n${line}\r\n`))).toBe(401);
      const health = await exchange(guarded.port, `GET /health HTTP/1.1\r\n${line}\r\n`);
      expect(jsonOf(health)).toEqual({ status: "ok" });
      expect(statusOf(await exchange(guarded.port, posting("/dmin/keys", line, token)))).toBe(404);
    },
  );
});

describe("framing", () => {
  test.each([
    ["repeated Content-Length", `Content-Length: ${BODY.length}\r\n`],
    ["differing Content-Length", "Content-Length: 3\r\n"],
    ["a length and chunks", "Transfer-Encoding: chunked\r\n"],
  ])("%s is refused", async (_, header) => {
    const before = calls();
    expect(statusOf(await exchange(weir.port, posting(PATH, "Host: localhost\r\n", header)))).toBe(400);
    expect(calls()).toBe(before);
  });

  test.each(["CONNECT", "TRACE"])("%s is refused", async (method) => {
    const before = calls();
    const answer = await exchange(weir.port, `${method} ${PATH} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    expect(statusOf(answer)).toBe(405);
    expect(calls()).toBe(before);
  });

  test("CONNECT to a host is refused", async () => {
    const before = calls();
    const answer = await exchange(weir.port, "CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n\r\n");
    expect([400, 405, 421]).toContain(statusOf(answer));
    expect(calls()).toBe(before);
  });

  test("an absolute target is served by its path, and its host is never dialled", async () => {
    const before = calls();
    const ours = await exchange(weir.port, posting(`http://localhost${PATH}`, "Host: localhost\r\n"));
    expect(statusOf(ours)).toBe(200);
    expect(calls()).toBe(before + 1);
    const theirs = await exchange(weir.port, posting(`http://evil.test${PATH}`, "Host: localhost\r\n"));
    expect([200, 400, 404, 421]).toContain(statusOf(theirs));
    expect(fake.ledger.calls().at(-1)?.path).toBe(PATH);
  });

  test("HTTP/1.0 gets its answer up to the close", async () => {
    const head = `POST ${PATH} HTTP/1.0\r\nHost: localhost\r\nContent-Length: `;
    const whole = await exchange(weir.port, `${head}${BODY.length}\r\n\r\n${BODY}`);
    expect(statusOf(whole)).toBe(200);
    expect(whole).toContain('"chat.completion"');
    const ask = JSON.stringify({ ...CHAT, stream: true });
    const stream = await exchange(weir.port, `${head}${ask.length}\r\n\r\n${ask}`);
    expect(stream).not.toMatch(/^transfer-encoding/im);
    expect(stream).toEndWith("data: [DONE]\n\n");
  });

  test("a load balancer's HTTP/1.0 without a Host is told the health, and nothing else", async () => {
    const ask = (line: string) => exchange(weir.port, `${line} HTTP/1.0\r\n\r\n`);
    for (const path of ["/health", "/health/ready", "/health/live?x=1"])
      expect(statusOf(await ask(`GET ${path}`))).toBe(200);
    expect(await ask("GET /health")).toContain('{"status":"ok"}');
    expect(statusOf(await ask("HEAD /health/ready"))).toBe(200);
    for (const line of ["GET /metrics", "GET /v1/models", "GET /health/../metrics", "POST /health"])
      expect([line, statusOf(await ask(line))]).toEqual([line, 400]);
  });

  test("Expect: 100-continue gets its word and its answer", async () => {
    await using client = await dialRaw(weir.port);
    client.send(
      `POST ${PATH} HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: ${BODY.length}\r\n\r\n`,
    );
    await client.until((received) => received.startsWith("HTTP/1.1 100"), "the word to go on");
    client.send(BODY);
    await client.until((received) => received.includes("HTTP/1.1 200"), "the answer");
    expect(fake.ledger.calls().at(-1)?.headers["expect"]).toBeUndefined();
  });

  test("a connection serves one request after another", async () => {
    await using client = await dialRaw(weir.port);
    for (let count = 1; count <= 3; count += 1) {
      client.send(postBytes(PATH, count === 2 ? JSON.stringify({ ...CHAT, stream: true }) : BODY));
      await client.until((received) => received.split("HTTP/1.1 200").length === count + 1, "an answer");
      await weir.idle();
      await Bun.sleep(5);
    }
    expect(client.isClosed).toBe(false);
  });
});

describe("a path", () => {
  test.each([
    "/v1/chat%2fcompletions",
    "/v1/chat%2Fcompletions",
    "/v1/%2e%2e/chat/completions%2f..",
    "/v1/chat%5ccompletions",
    "/v1//chat/completions",
    "//evil.test/v1/chat/completions",
    "/v1/chat/completions%00",
    "/v1/chat/completions%0d%0aX:%20y",
    "/v1/chat/completions%7f",
    "/v1/files/..%2f..%2fadmin",
    "/v1/files/%2e%2e/%2e%2e/admin",
    "/v1/realtime",
    "/v1/realtime/sessions",
    "/v2/chat/completions",
    "/openai/v1/chat/completions",
    "/admin",
    "/.env",
    "/",
    "/v1",
    "/v1beta/models/a%2fb:generateContent%2f",
    "/v1beta/files",
    "/v1beta/models/gemini-2.5-flash:",
  ])("%s makes no upstream call", async (path) => {
    const before = calls();
    const answer = await exchange(weir.port, posting(path, "Host: localhost\r\n"));
    expect([404, 405]).toContain(statusOf(answer));
    expect(jsonOf(answer)).toHaveProperty("error.message");
    expect(calls()).toBe(before);
  });

  test("keeps its query, except what the client's key would be, and a fragment goes nowhere", async () => {
    const answer = await exchange(weir.port, posting(`${PATH}?a=%zz&key=x&b=c|d#e`, "Host: localhost\r\n"));
    expect(statusOf(answer)).toBe(200);
    expect(fake.ledger.calls().at(-1)?.query).toBe("a=%zz&b=c|d");
  });

  test("that no list has is piped for its model, or is unknown without one", async () => {
    const before = calls();
    await (await weir.post("/v1/some/new/operation", CHAT)).arrayBuffer();
    expect(calls()).toBe(before + 1);
    expect(fake.ledger.calls().at(-1)?.path).toBe("/v1/some/new/operation");
    const without = await weir.post("/v1/some/new/operation", { messages: [] });
    expect(without.status).toBe(404);
    expect(await without.json()).toMatchObject({ error: { code: "unknown_url" } });
    expect(calls()).toBe(before + 1);
  });

  test.each(["/v1/x/../chat/completions", "/v1/chat\\completions", "/v1/%2e%2e/v1/./chat/completions"])(
    "%s is resolved once, before anybody reads it",
    async (path) => {
      expect(statusOf(await exchange(weir.port, posting(path, "Host: localhost\r\n")))).toBe(200);
      expect(fake.ledger.calls().at(-1)?.path).toBe(PATH);
    },
  );

  test("works with and without /v1", async () => {
    for (const path of ["/chat/completions", "/v1/chat/completions"]) {
      const answer = await weir.post(path, CHAT);
      expect(answer.status).toBe(200);
      await answer.arrayBuffer();
      expect(fake.ledger.calls().at(-1)?.path).toBe("/v1/chat/completions");
    }
  });

  test.each([
    ["GET", PATH, "POST"],
    ["PUT", "/v1/files/x", "GET, POST, DELETE"],
    ["DELETE", "/v1/messages", "POST"],
    ["GET", "/v1beta/models/gemini-2.5-flash:generateContent", "POST"],
    ["POST", "/v1/models", "GET"],
    ["POST", "/health", "GET"],
    ["PATCH", "/health/ready", "GET"],
    ["HEAD", PATH, "POST"],
    ["OPTIONS", PATH, "POST"],
    ["PROPFIND", PATH, "POST"],
  ])("%s %s is the wrong method", async (method, path, allow) => {
    const before = calls();
    const answer = await fetch(weir.url + path, { method });
    expect(answer.status).toBe(405);
    expect(answer.headers.get("allow")).toBe(allow);
    await answer.arrayBuffer();
    expect(calls()).toBe(before);
  });
});

describe("weir's own errors", () => {
  const SHAPES: readonly (readonly [string, string, object])[] = [
    ["OpenAI", "/v1/nothing", { error: { type: "invalid_request_error", param: null } }],
    ["Anthropic", "/v1/messages/nothing", { type: "error", error: { type: "not_found_error" } }],
    ["Gemini", "/v1beta/nothing", { error: { code: 404, status: "NOT_FOUND" } }],
  ];
  test.each(SHAPES)("have the shape of the family (%s)", async (_, path, shape) => {
    const answer = await fetch(weir.url + path);
    expect(answer.status).toBe(404);
    expect(answer.headers.get("content-type")).toStartWith("application/json");
    expect(await answer.json()).toMatchObject(shape);
  });

  test.each([
    ["no model", "{}"],
    ["a model that is no string", '{"model":7}'],
    ["two models", '{"model":"gpt-4o","model":"gpt-4"}'],
    ["no JSON", "hello"],
    ["nothing", ""],
  ])("refuse a body with %s, without an upstream call", async (_, body) => {
    const before = calls();
    const answer = await weir.post(PATH, body);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { code: "invalid_request", param: "model" } });
    expect(calls()).toBe(before);
  });

  test("a bug answers 500 in our shape, and shows neither message nor source", async () => {
    let broken = false;
    const createId = (): string => {
      if (broken) throw new Error("secret sk-very-secret");
      return "id";
    };
    const pages = [
      {
        method: "GET" as const,
        path: "/boom",
        respond: () => {
          throw new Error("secret sk-very-secret");
        },
      },
    ];
    await using server = startBareServer({ providers, createId }, { pages });
    broken = true;
    for (const request of [postBytes(PATH, BODY), "GET /boom HTTP/1.1\r\nhost: localhost\r\n\r\n"]) {
      const answer = await exchange(server.port, request);
      expect(statusOf(answer)).toBe(500);
      expect(jsonOf(answer)).toMatchObject({ error: { type: "server_error", code: "internal_error" } });
      expect(answer).not.toContain("secret");
      expect(answer).not.toContain(".ts");
    }
    expect(server.events.map((event) => event.kind)).toEqual(["server_error", "server_error"]);
    broken = false;
    expect(statusOf(await exchange(server.port, postBytes(PATH, BODY)))).toBe(200);
  });
});

describe("bodies", () => {
  test("longer than allowed are refused with 413 in our shape, declared or in chunks", async () => {
    await using small = startWeir({ providers, buffers: { requestBytes: 1000 } });
    const before = calls();
    const long = JSON.stringify({ ...CHAT, pad: "x".repeat(2000) });
    const declared = await small.post(PATH, long);
    expect(declared.status).toBe(413);
    expect(await declared.json()).toMatchObject({ error: { code: "request_too_large" } });
    const chunked = `POST ${PATH} HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n${chunk(long).toString()}0\r\n\r\n`;
    const answer = await exchange(small.port, chunked);
    expect(statusOf(answer)).toBe(413);
    expect(jsonOf(answer)).toMatchObject({ error: { code: "request_too_large" } });
    expect((await small.post(PATH, CHAT)).status).toBe(200);
    const exact = { ...CHAT, pad: "" };
    exact.pad = "x".repeat(1000 - JSON.stringify(exact).length);
    expect((await small.post(PATH, exact)).status).toBe(200);
    expect(calls()).toBe(before + 2);
  });

  test("declared longer than the runtime would take are refused by weir too, before they are sent", async () => {
    const head = `POST ${PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 900000000\r\n\r\n`;
    const answer = await exchange(weir.port, head);
    expect(statusOf(answer)).toBe(413);
    expect(jsonOf(answer)).toMatchObject({ error: { code: "request_too_large" } });
  });

  test("of 40 MB are refused by weir, not by the runtime", async () => {
    const answer = await weir.post(PATH, `{"model":"gpt-4o","pad":"${"x".repeat(40 * 1024 ** 2)}"}`);
    expect(answer.status).toBe(413);
    expect(await answer.json()).toMatchObject({ error: { code: "request_too_large" } });
    const anthropic = await weir.post("/v1/messages", `{"pad":"${"x".repeat(40 * 1024 ** 2)}"}`);
    expect(await anthropic.json()).toMatchObject({ type: "error", error: { type: "request_too_large" } });
  });

  test("of unknown length are refused as soon as they are too long", async () => {
    let pieces = 0;
    const body = new ReadableStream({
      pull(controller) {
        pieces += 1;
        if (pieces <= 200) controller.enqueue(new Uint8Array(1_000_000));
        else controller.close();
      },
    });
    const answer = await fetch(weir.url + PATH, { method: "POST", body });
    expect(answer.status).toBe(413);
    expect(pieces).toBeLessThan(100);
    await answer.arrayBuffer();
  });

  test.each(["gzip", "br", "GZIP", "zstd"])("compressed by %s are refused with 415", async (encoding) => {
    const before = calls();
    const answer = await weir.post(PATH, BODY, { headers: { "content-encoding": encoding } });
    expect(answer.status).toBe(415);
    expect(await answer.json()).toMatchObject({ error: { code: "unsupported_encoding" } });
    expect(calls()).toBe(before);
  });

  test("beyond what all may hold together are refused with 503 until room is given back", async () => {
    await using tight = startWeir({ providers, buffers: { requestBytes: 1000, allRequestsBytes: 1000 } });
    await using first = await dialRaw(tight.port);
    first.send(`POST ${PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 900\r\n\r\n{`);
    await until(() => tight.app.heldBytes() === 900, "the first body is held");
    const full = await tight.post(PATH, { ...CHAT, pad: "x".repeat(100) });
    expect(full.status).toBe(503);
    expect(full.headers.get("retry-after")).toBe("1");
    expect(await full.json()).toMatchObject({ error: { code: "out_of_buffers" } });
    const pieces = chunk("x".repeat(101)).toString();
    const chunked = await exchange(
      tight.port,
      `POST ${PATH} HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n${pieces}0\r\n\r\n`,
    );
    expect(statusOf(chunked)).toBe(503);
    expect(tight.app.heldBytes()).toBe(900);
    first.leave();
    await tight.idle();
    expect((await tight.post(PATH, { ...CHAT, pad: "x".repeat(100) })).status).toBe(200);
  });

  test("are given back when the answer begins, not when it ends", async () => {
    await using hung = startWeir({ providers });
    await using client = await dialRaw(hung.port);
    const fault = 'x-fake: {"fault":"hang_stream","after":2}\r\n';
    client.send(postBytes(PATH, JSON.stringify({ ...CHAT, stream: true }), fault));
    await client.until((received) => received.includes("data: "), "the stream begins");
    expect(hung.app.heldBytes()).toBe(0);
    expect(hung.app.inFlight()).toBe(1);
    client.leave();
  });
});

describe("pages of other origins", () => {
  test("are refused, except on this very host", async () => {
    const before = calls();
    for (const headers of [
      { origin: "https://evil.test" },
      { origin: "null" },
      { "sec-fetch-site": "cross-site" },
    ])
      expect((await weir.post(PATH, CHAT, { headers })).status).toBe(403);
    expect(calls()).toBe(before);
    const own = { origin: weir.url, "sec-fetch-site": "same-origin" };
    expect((await weir.post(PATH, CHAT, { headers: own })).status).toBe(200);
  });

  test("are served when they are listed, streams and errors too", async () => {
    const origin = "https://app.test";
    await using open = startWeir({ providers, server: { allowedOrigins: [origin] } });
    const preflight = await fetch(open.url + PATH, {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe(origin);
    expect(preflight.headers.get("access-control-allow-headers")).toBe("authorization,content-type");
    const asks: readonly (readonly [string, object])[] = [
      [PATH, CHAT],
      [PATH, { ...CHAT, stream: true }],
      ["/v1/nothing", {}],
    ];
    for (const [path, body] of asks) {
      const answer = await open.post(path, body, { headers: { origin } });
      expect(answer.headers.get("access-control-allow-origin")).toBe(origin);
      expect(answer.headers.get("vary")).toBe("origin");
      await answer.arrayBuffer();
    }
    const other = await open.post(PATH, CHAT, { headers: { origin: "https://evil.test" } });
    expect(other.status).toBe(403);
    expect(other.headers.get("access-control-allow-origin")).toBeNull();
  });

  test("get no permission from the upstream's headers", async () => {
    const answer = await weir.post(PATH, CHAT, { headers: { "x-fake": "set_cookie" } });
    expect(answer.status).toBe(200);
    for (const name of ["set-cookie", "alt-svc", "strict-transport-security", "access-control-allow-origin"])
      expect(answer.headers.get(name)).toBeNull();
  });
});

describe("weir's own pages", () => {
  test.each(["/health", "/health/live", "/health/liveliness"])("%s is always well", async (path) => {
    const answer = await fetch(weir.url + path);
    expect([answer.status, await answer.json()]).toEqual([200, { status: "ok" }]);
  });

  test("readiness of a weir without any backend says so", async () => {
    await using empty = startWeir({ providers: [] });
    const told = await fetch(`${empty.url}/health/ready`);
    expect(told.status).toBe(503);
    expect(await told.json()).toMatchObject({ reason: "no backend is configured", backends: 0 });
  });

  test.each(["/health/ready", "/health/readiness"])("%s tells whether a backend is usable", async (path) => {
    const revoking = startFake({ script: { keys: [] } });
    await using poor = startWeir({ providers: [{ name: "openai", urls: [revoking.url], keys: [KEY] }] });
    const ready = await fetch(poor.url + path);
    expect([ready.status, await ready.json()]).toEqual([200, { status: "ok", usable: 1, backends: 1 }]);
    await (await poor.post(PATH, CHAT)).arrayBuffer();
    const not = await fetch(poor.url + path);
    expect(not.status).toBe(503);
    expect(await not.json()).toMatchObject({ status: "unavailable", usable: 0, reason: expect.any(String) });
    await revoking.stop();
  });

  test("health pages are open to any host and without a token", async () => {
    await using guarded = startWeir({ providers, accessKeys: ["team-1"] });
    const probe = "GET /health/ready HTTP/1.1\r\nhost: 10.1.2.3:8080\r\n\r\n";
    expect(statusOf(await exchange(guarded.port, probe))).toBe(200);
    expect(statusOf(await exchange(weir.port, probe))).toBe(200);
  });

  test("a rejected reload is told by readiness, and a good one clears it", async () => {
    await using reloaded = startWeir({ providers });
    reloaded.app.rejectReload(["cannot read WEIR_PORT"]);
    const told = await (await fetch(`${reloaded.url}/health/ready`)).json();
    expect(told).toMatchObject({ status: "ok", reload_rejected: ["cannot read WEIR_PORT"] });
    expect((await reloaded.post(PATH, CHAT)).status).toBe(200);
  });

  test("HEAD is as good as GET", async () => {
    const answer = await fetch(`${weir.url}/health`, { method: "HEAD" });
    expect([answer.status, await answer.text()]).toEqual([200, ""]);
  });
});

describe("weir's headers on answers", () => {
  test("stand on successes, streams, refusals and upstream errors", async () => {
    const headers = { "x-request-id": "my-id-1" };
    const asks: readonly (readonly [object, number, string | null, string])[] = [
      [CHAT, 200, backendId("openai", 0), "1"],
      [{ ...CHAT, stream: true }, 200, backendId("openai", 0), "1"],
      [{ messages: [] }, 400, null, "0"],
    ];
    for (const [body, status, backend, attempts] of asks) {
      const answer = await weir.post(PATH, body, { headers });
      await answer.arrayBuffer();
      expect(answer.status).toBe(status);
      expect(answer.headers.get("x-weir-request-id")).toBe("my-id-1");
      expect(answer.headers.get("x-weir-backend")).toBe(backend);
      expect(answer.headers.get("x-weir-attempts")).toBe(attempts);
    }
    const fault = { ...headers, "x-fake": "bad_request" };
    const answer = await weir.post(PATH, CHAT, { headers: fault });
    expect([answer.status, answer.headers.get("x-weir-backend")]).toEqual([400, backendId("openai", 0)]);
  });

  test("an id that could break a line is replaced", async () => {
    const answer = await weir.post(PATH, CHAT, { headers: { "x-request-id": 'a"b c' } });
    await answer.arrayBuffer();
    expect(answer.headers.get("x-weir-request-id")).toStartWith("req-");
  });

  test("can be left out, or joined by LiteLLM's", async () => {
    await using none = startWeir({ providers, server: { responseHeaders: "none" } });
    const bare = await none.post(PATH, CHAT);
    await bare.arrayBuffer();
    expect([...bare.headers.keys()].filter((name) => name.startsWith("x-weir"))).toEqual([]);
    await using litellm = startWeir({ providers, server: { responseHeaders: "litellm" } });
    const both = await litellm.post(PATH, CHAT);
    await both.arrayBuffer();
    expect(both.headers.get("x-litellm-model-id")).toBe(both.headers.get("x-weir-backend"));
    expect(both.headers.get("x-litellm-call-id")).toBe(both.headers.get("x-weir-request-id"));
    expect(both.headers.get("x-litellm-attempted-retries")).toBe("0");
    expect(both.headers.get("x-litellm-attempted-fallbacks")).toBe("0");
    expect(both.headers.get("x-litellm-model-group")).toBe("gpt-4o");
  });

  test("of LiteLLM tell weir's own time apart from the provider's, whole or streamed", async () => {
    await using slow = openFake({ latency: "40ms" });
    await using litellm = startWeir({
      providers: [{ name: "openai", urls: [slow.url], keys: [KEY] }],
      server: { responseHeaders: "litellm" },
    });
    for (const stream of [false, true]) {
      const { headers, body } = await litellm.post(PATH, { ...CHAT, stream });
      await body?.cancel();
      const [whole, own] = ["response", "overhead"].map((name) =>
        Number(headers.get(`x-litellm-${name}-duration-ms`) ?? Number.NaN),
      );
      expect((whole ?? 0) - (own ?? 0)).toBeGreaterThanOrEqual(35);
    }
    const model = "modèle";
    const odd = await litellm.post(PATH, { ...CHAT, model });
    expect([odd.status, odd.headers.get("x-litellm-model-group")]).toEqual([200, null]);
    await odd.arrayBuffer();
    await litellm.idle();
  });
});

describe("a loop", () => {
  test("of a weir behind itself is answered 508, by way of one pass", async () => {
    await using upstream = await startRawUpstream(() => undefined);
    const { port } = upstream;
    await upstream[Symbol.asyncDispose]();
    await using own = startWeir({
      server: { port },
      providers: [{ name: "openai", urls: [`http://127.0.0.1:${port}`], keys: [KEY] }],
      retry: { max: 0 },
    });
    const answer = await own.post(PATH, CHAT);
    expect(answer.status).toBe(508);
    expect(await answer.json()).toMatchObject({ error: { code: "loop_detected" } });
    expect(own.requests().length).toBeLessThanOrEqual(2);
  });

  test("over two weirs is found too", async () => {
    await using upstream = await startRawUpstream(() => undefined);
    const { port } = upstream;
    await upstream[Symbol.asyncDispose]();
    await using first = startWeir({
      providers: [{ name: "openai", urls: [`http://127.0.0.1:${port}`], keys: [KEY] }],
      retry: { max: 0 },
    });
    await using second = startWeir({
      server: { port },
      providers: [{ name: "openai", urls: [first.url], keys: [KEY] }],
      retry: { max: 0 },
    });
    expect((await first.post(PATH, CHAT)).status).toBe(508);
    expect(second.requests().length).toBeLessThanOrEqual(2);
  });

  test("is not one weir behind another", async () => {
    await using inner = startWeir({ providers });
    await using outer = startWeir({ providers: [{ name: "openai", urls: [inner.url], keys: ["sk-inner"] }] });
    expect((await outer.post(PATH, CHAT)).status).toBe(200);
  });
});

describe("the port", () => {
  test("of a running weir cannot be taken by a second one", () => {
    const failure = (() => {
      try {
        startWeir({ providers, server: { port: weir.port } });
        return undefined;
      } catch (error) {
        return error;
      }
    })();
    expect(failure).toMatchObject({ code: "EADDRINUSE" });
  });
});

describe("stopping", () => {
  test("is not ready at once, asks for closed connections, and lets a stream finish", async () => {
    const end = createLatch();
    await using upstream = await startRawUpstream(async ({ socket }) => {
      socket.write(STREAM_HEAD);
      socket.write(chunk('data: {"choices":[]}\n\n'));
      await end.opened;
      socket.write(Buffer.concat([chunk("data: [DONE]\n\n"), Buffer.from("0\r\n\r\n")]));
    });
    const stopped = startWeir({
      providers: [{ name: "openai", urls: [upstream.url], keys: [KEY] }],
      shutdown: { delayMs: 3000, graceMs: 60_000 },
      unchecked: true,
    });
    await using client = await dialRaw(stopped.port);
    client.send(postBytes(PATH, JSON.stringify({ ...CHAT, stream: true })));
    await client.until((received) => received.includes("data: "), "the stream begins");
    const stopping = stopped.app.stop({ skipDelay: false });
    const ready = await fetch(`${stopped.url}/health/ready`);
    expect(ready.status).toBe(503);
    expect(ready.headers.get("connection")).toBe("close");
    expect(await ready.json()).toMatchObject({ reason: "weir is stopping" });
    const late = await fetch(`${stopped.url}/v1/nothing`);
    expect([late.status, late.headers.get("connection")]).toEqual([404, "close"]);
    const isServed = (): Promise<boolean> =>
      fetch(`${stopped.url}/health`).then(
        () => true,
        () => false,
      );
    while (await isServed()) await Bun.sleep(20);
    end.open();
    await client.until((received) => received.endsWith("0\r\n\r\n"), "the stream ends");
    expect(client.received).toContain("data: [DONE]");
    await stopping;
    expect((await stopped.finished()).ending).toBe("complete");
  });

  test("ends streams that outlast the grace with an error event", async () => {
    await using stopped = startWeir({ providers, shutdown: { graceMs: 100 }, unchecked: true });
    await using client = await dialRaw(stopped.port);
    const fault = 'x-fake: {"fault":"hang_stream","after":2}\r\n';
    client.send(postBytes(PATH, JSON.stringify({ ...CHAT, stream: true }), fault));
    await client.until((received) => received.includes("data: "), "the stream begins");
    const started = performance.now();
    await stopped.app.stop({ skipDelay: true });
    expect(performance.now() - started).toBeGreaterThanOrEqual(90);
    await client.closed();
    expect(client.received).toContain("event: error");
    expect(client.received).toContain("weir is stopping");
    expect(client.received).toEndWith("0\r\n\r\n");
    expect(stopped.slot(KEY).state.failuresInRow).toBe(0);
    expect(stopped.app.inFlight()).toBe(0);
  });

  test("tells a request that still waits for its answer", async () => {
    await using stopped = startWeir({ providers, shutdown: { graceMs: 100 }, unchecked: true });
    await using client = await dialRaw(stopped.port);
    client.send(postBytes(PATH, BODY, "x-fake: hang_headers\r\n"));
    await until(() => stopped.app.inFlight() === 1, "the request is being served");
    await stopped.app.stop({ skipDelay: true });
    await client.closed();
    expect(statusOf(client.received)).toBe(503);
    expect(jsonOf(client.received)).toMatchObject({ error: { code: "shutting_down" } });
    expect(stopped.slot(KEY).state.failuresInRow).toBe(0);
  });

  test("without anything to wait for is done at once", async () => {
    const stopped = startWeir({ providers, shutdown: { graceMs: 60_000 } });
    await (await stopped.post(PATH, CHAT)).arrayBuffer();
    const started = performance.now();
    await stopped.app.stop({ skipDelay: true });
    // The grace would be a minute.
    expect(performance.now() - started).toBeLessThan(25_000);
  });
});
