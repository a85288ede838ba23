// Every fault, provoked and seen from the other end of the connection.
import { afterAll, beforeEach, expect, test } from "bun:test";
import { gunzipSync } from "node:zlib";
import { FAULTS } from "../../src/fake/faults.ts";
import { startFake } from "../../src/fake/server.ts";
import { askFor, chatBody, dechunk, rawClient, requestText } from "./raw.ts";

const fake = startFake({ script: { tokens: 6 } });
afterAll(() => fake.stop());
beforeEach(() => fake.ledger.clear());

const last = () => fake.ledger.calls().at(-1)!;
const contents = (text: string): number => text.split('"delta":{"content":"').length - 1;

async function provoke(action: unknown, body: Readonly<Record<string, unknown>> = { stream: true }) {
  const client = rawClient(fake.port);
  client.socket.write(askFor(action, body));
  return client;
}

test("the fake refuses without a byte", async () => {
  const client = await provoke("refuse");
  expect(await client.ended).toBe("fin");
  expect(client.text()).toBe("");
  expect(last()).toMatchObject({ state: "cut", status: 0, fault: "refuse" });
});

test("the fake hangs before its headers until the client leaves", async () => {
  const client = await provoke("hang_headers");
  const entry = await fake.ledger.waitFor((one) => one.fault === "hang_headers");
  expect(entry.state).toBe("open");
  expect(client.text()).toBe("");
  client.socket.destroy();
  await fake.ledger.settled();
  expect(last()).toMatchObject({ state: "aborted", status: 0, firstByteAt: 0 });
});

test("the fake hangs in a stream after the n-th chunk", async () => {
  const client = await provoke({ fault: "hang_stream", after: 2 });
  const text = await client.until((all) => contents(all) === 2);
  expect(text).not.toContain("[DONE]");
  expect(last()).toMatchObject({ state: "open", chunks: 2 });
  client.socket.destroy();
  await fake.ledger.settled();
  expect(last()).toMatchObject({ state: "aborted", chunks: 2 });
});

test("the fake hangs in an unstreamed body", async () => {
  const client = await provoke("hang_stream", {});
  await client.until((all) => all.includes('"object"') || all.includes('{"id"'));
  expect(client.text()).toContain("HTTP/1.1 200 OK");
  expect(last().state).toBe("open");
  client.socket.destroy();
  await fake.ledger.settled();
});

test("the fake resets before its headers", async () => {
  const client = await provoke("reset");
  expect(await client.ended).toBe("ECONNRESET");
  expect(client.text()).toBe("");
  expect(last()).toMatchObject({ state: "cut", status: 0 });
});

test("the fake resets a stream after the k-th chunk", async () => {
  for (const after of [0, 1, 5]) {
    const client = await provoke({ fault: "reset", after });
    expect(await client.ended).toBe("ECONNRESET");
    expect(client.text()).toContain("HTTP/1.1 200 OK");
    expect(contents(client.text())).toBe(after);
    expect(last()).toMatchObject({ state: "cut", status: 200, chunks: after });
  }
});

test("the fake resets in the middle of an unstreamed body", async () => {
  const client = await provoke({ fault: "reset", after: 1 }, {});
  expect(await client.ended).toBe("ECONNRESET");
  const [head = "", body = ""] = client.text().split("\r\n\r\n");
  const promised = Number(/content-length: (\d+)/.exec(head)?.[1]);
  expect(body.length).toBeGreaterThan(0);
  expect(body.length).toBeLessThan(promised);
});

test("the fake ends a stream politely without a terminal event and keeps the connection", async () => {
  const client = await provoke({ fault: "early_end", after: 3 });
  const text = await client.until((all) => all.endsWith("0\r\n\r\n"));
  expect(contents(dechunk(text))).toBe(3);
  expect(text).not.toContain("[DONE]");
  expect(text).not.toContain('"finish_reason":"stop"');
  client.socket.write(askFor("500"));
  await client.until((all) => all.includes("HTTP/1.1 500"));
  expect(last()).toMatchObject({ connection: fake.ledger.calls()[0]!.connection, turn: 2 });
  client.socket.destroy();
});

test("the fake promises more bytes than it sends, then closes", async () => {
  for (const body of [{ stream: true }, {}]) {
    const client = await provoke("short_body", body);
    expect(await client.ended).toBe("fin");
    const [head = "", rest = ""] = client.text().split("\r\n\r\n");
    expect(rest.length).toBeGreaterThan(0);
    expect(Number(/content-length: (\d+)/.exec(head)?.[1])).toBeGreaterThan(rest.length);
  }
});

test("the fake sends a broken chunk size", async () => {
  const client = await provoke({ fault: "bad_chunk", after: 1 });
  expect(await client.ended).toBe("fin");
  expect(client.text()).toContain("\r\nxyz\r\n");
  expect(contents(dechunk(client.text(), true))).toBe(1);
});

test("the fake sends an error as the first event, in each family's way", async () => {
  const rows = [
    ["/v1/chat/completions", chatBody({ stream: true }), /^data: \{"error":\{"message":/],
    ["/v1/responses", { model: "m", stream: true, input: "x" }, /^event: error\ndata: \{"type":"error"/],
    [
      "/v1/messages",
      { model: "m", stream: true, max_tokens: 9, messages: [] },
      /^event: error\ndata: \{"type":"error"/,
    ],
    ["/v1beta/models/m:streamGenerateContent?alt=sse", { contents: [] }, /^\{"error":\{"code":500/],
  ] as const;
  for (const [path, body, form] of rows) {
    const client = rawClient(fake.port);
    client.socket.write(requestText({ path, body, headers: { "x-fake": "error_first" } }));
    const text = await client.until((all) => all.endsWith("0\r\n\r\n"));
    expect(text).toContain("HTTP/1.1 200 OK");
    expect(dechunk(text)).toMatch(form);
    client.socket.destroy();
  }
});

test("the fake sends a chosen error after the n-th event", async () => {
  const client = await provoke({ fault: "error_later", after: 2, error: "rate_limit" });
  const data = dechunk(await client.until((all) => all.endsWith("0\r\n\r\n")));
  expect(contents(data)).toBe(2);
  expect(data.trimEnd().split("\n\n").at(-1)).toContain('"code":"rate_limit_exceeded"');
  expect(data).not.toContain("[DONE]");
  client.socket.destroy();
});

test("the fake sends a head that is not HTTP", async () => {
  const client = await provoke("garbage_headers");
  expect(await client.ended).toBe("fin");
  expect(client.text()).not.toMatch(/^HTTP\/1\.1 \d{3} /);
});

test("the fake sends oversized headers", async () => {
  const client = await provoke({ fault: "huge_headers", bytes: 50_000 });
  const text = await client.until((all) => all.endsWith("0\r\n\r\n"));
  expect(text.indexOf("\r\n\r\n")).toBeGreaterThan(50_000);
  client.socket.destroy();
});

test("the fake drips its body at an interval", async () => {
  const client = await provoke({ fault: "drip", bytes: 60, interval: "5ms", tokens: 1 });
  const text = await client.until((all) => all.endsWith("0\r\n\r\n"));
  const pieces = Math.ceil(Buffer.from(dechunk(text), "latin1").length / 60);
  // Each piece has its time from the beginning, so that a late head leaves less between it and the end.
  expect(last().endedAt - last().receivedAt).toBeGreaterThanOrEqual(pieces * 5 - 1);
  expect(dechunk(text)).toContain("[DONE]");
  client.socket.destroy();
});

test("the fake splits its body into single bytes, inside of characters too", async () => {
  const client = await provoke({ fault: "split", bytes: 1, tokens: 9 });
  const text = await client.until((all) => all.endsWith("\r\n0\r\n\r\n"));
  const sizes = text.slice(text.indexOf("\r\n\r\n") + 4).matchAll(/(?:^|\r\n)([0-9a-f]+)\r\n/g);
  expect([...sizes].slice(0, -1).every((size) => size[1] === "1")).toBe(true);
  expect(Buffer.from(dechunk(text), "latin1").toString()).toContain("水は");
  client.socket.destroy();
});

test("the fake redirects to where it is told", async () => {
  const client = await provoke({ fault: "redirect", location: "http://127.0.0.1:1/steal" }, {});
  const text = await client.until((all) => all.includes("Moved"));
  expect(text).toStartWith("HTTP/1.1 301 Moved Permanently");
  expect(text).toContain("location: http://127.0.0.1:1/steal\r\n");
  client.socket.destroy();
});

test("the fake compresses unasked, whole and streamed", async () => {
  for (const body of [{}, { stream: true }]) {
    const answer = await fetch(`${fake.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "x-fake": "gzip" },
      body: JSON.stringify(chatBody(body)),
      decompress: false,
    });
    expect(answer.headers.get("content-encoding")).toBe("gzip");
    expect(gunzipSync(await answer.arrayBuffer()).toString()).toContain("chatcmpl-fake");
  }
});

test("the fake sets cookies and other headers that must not pass", async () => {
  const client = await provoke("set_cookie", {});
  const text = await client.until((all) => all.includes("chatcmpl"));
  expect(text.match(/set-cookie: /g)).toHaveLength(2);
  expect(text).toContain("strict-transport-security");
  client.socket.destroy();
});

test("the fake echoes the key in a 401", async () => {
  const answer = await fetch(`${fake.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "x-fake": "echo_key", authorization: "Bearer sk-canary-123456" },
    body: JSON.stringify(chatBody()),
  });
  expect(answer.status).toBe(401);
  expect(await answer.text()).toContain("sk-canary-123456");
});

test("the fake floods with 1xx answers before the real one", async () => {
  const client = await provoke({ fault: "informational", count: 50 }, {});
  const text = await client.until((all) => all.includes("chatcmpl"));
  expect(text.match(/HTTP\/1\.1 103 /g)).toHaveLength(50);
  expect(text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(1);
  client.socket.destroy();
});

test("the fake closes a kept connection when the second request arrives on it", async () => {
  const client = await provoke("close_on_reuse", {});
  await client.until((all) => all.includes("chatcmpl"));
  client.socket.write(askFor("close_on_reuse"));
  expect(await client.ended).toBe("fin");
  expect(client.text().match(/HTTP\/1\.1/g)).toHaveLength(1);
  expect(last()).toMatchObject({ turn: 2, status: 0, state: "cut" });
});

test("the fake sends any raw text as its whole answer", async () => {
  const client = await provoke({
    fault: "raw",
    text: "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nhi",
  });
  expect(await client.ended).toBe("fin");
  expect(client.text()).toEndWith("content-length: 3\r\n\r\nhi");
});

test("the fake answers with any status, headers and body", async () => {
  const action = {
    status: 418,
    headers: { "x-pot": "tea", "content-type": "text/tea" },
    body: "short and stout",
  };
  const client = await provoke(action, {});
  const text = await client.until((all) => all.endsWith("stout"));
  expect(text).toStartWith("HTTP/1.1 418 I'm a Teapot");
  expect(text).toContain("x-pot: tea\r\n");
  expect(text.match(/content-type/g)).toHaveLength(1);
  client.socket.destroy();
});

test("the fake delimits a stream by closing when told to", async () => {
  const client = await provoke({ framing: "close" });
  expect(await client.ended).toBe("fin");
  expect(client.text()).toContain("data: [DONE]");
  expect(client.text()).not.toContain("transfer-encoding");
});

test("the fake gives a stream a length when told to", async () => {
  const answer = await fetch(`${fake.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "x-fake": '{"framing":"length"}' },
    body: JSON.stringify(chatBody({ stream: true })),
  });
  const length = Number(answer.headers.get("content-length"));
  expect((await answer.arrayBuffer()).byteLength).toBe(length);
});

test("the fake tells of a bad x-fake header", async () => {
  const answer = await fetch(`${fake.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "x-fake": "rest" },
    body: JSON.stringify(chatBody()),
  });
  expect(answer.status).toBe(400);
  expect(await answer.text()).toContain('did you mean \\"reset\\"?');
});

test("the fake leaves no call open and no connection behind after all faults", async () => {
  const clients = await Promise.all(
    Object.keys(FAULTS).flatMap((name) => [provoke(name), provoke(name, {})]),
  );
  await fake.ledger.waitFor(() => fake.ledger.counters().calls >= clients.length);
  for (const client of clients) client.socket.destroy();
  await fake.ledger.settled();
  expect(fake.openCalls).toBe(0);
  expect(fake.ledger.counters().open).toBe(0);
});
