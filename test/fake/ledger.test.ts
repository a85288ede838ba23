// The ledger: what it says of each call, how soon it knows of an abort, and that it stays bounded.
import { afterAll, beforeEach, expect, test } from "bun:test";
import { Ledger } from "../../src/fake/ledger.ts";
import { startFake } from "../../src/fake/server.ts";
import { chatBody, rawClient, requestText } from "./raw.ts";
import type { OpenEntry } from "../../src/fake/ledger.ts";

const fake = startFake();
afterAll(() => fake.stop());
beforeEach(() => {
  fake.configure({});
  fake.ledger.clear();
});

test("the ledger holds key, path, headers, body hash, usage and times of a call", async () => {
  const body = JSON.stringify(chatBody({ stream: true, max_tokens: 5 }));
  const before = performance.timeOrigin + performance.now();
  const answer = await fetch(`${fake.url}/openai/v1/chat/completions?beta=1`, {
    method: "POST",
    headers: { authorization: "Bearer sk-x", "x-extra": "yes" },
    body,
  });
  await answer.text();
  await fake.ledger.settled();
  const [entry] = fake.ledger.calls();
  expect(entry).toMatchObject({
    key: "sk-x",
    method: "POST",
    path: "/openai/v1/chat/completions",
    query: "beta=1",
    model: "gpt-4o",
    family: "openai",
    operation: "chat",
    stream: true,
    status: 200,
    state: "finished",
    chunks: 5,
    turn: 1,
    fault: "",
    rule: -1,
    bodyBytes: body.length,
    bodySha256: new Bun.CryptoHasher("sha256").update(body).digest("hex"),
    usage: { promptTokens: Math.ceil(body.length / 4), completionTokens: 5 },
  });
  expect(entry!.headers["x-extra"]).toBe("yes");
  expect(entry!.receivedAt).toBeGreaterThanOrEqual(before);
  expect(entry!.firstByteAt).toBeGreaterThanOrEqual(entry!.receivedAt);
  expect(entry!.endedAt).toBeGreaterThanOrEqual(entry!.firstByteAt);
});

test("the ledger finds the key wherever a family carries it", async () => {
  const carried: [string, Record<string, string>][] = [
    ["/v1/messages", { "x-api-key": "k1" }],
    ["/v1/messages", { authorization: "Bearer k2" }],
    ["/openai/deployments/d/chat/completions", { "api-key": "k3" }],
    ["/v1beta/models/m:generateContent", { "x-goog-api-key": "k4" }],
    ["/v1beta/models/m:generateContent?key=k5", {}],
  ];
  for (const [path, headers] of carried) {
    await fetch(fake.url + path, { method: "POST", headers, body: "{}" }).then((answer) => answer.text());
  }
  expect(fake.ledger.calls().map((entry) => entry.key)).toEqual(["k1", "k2", "k3", "k4", "k5"]);
});

for (const how of ["FIN", "reset"] as const) {
  for (const when of ["before the headers", "in mid-stream"] as const) {
    test(`the ledger knows of a client's ${how} ${when} within 100 ms`, async () => {
      fake.configure(when === "in mid-stream" ? { gap: "60s", tokens: 5 } : { latency: "60s" });
      // A busy machine may hold one of them up, but not each.
      const delays: number[] = [];
      for (let tries = 0; tries < 5 && !delays.some((ms) => ms < 100); tries += 1) {
        fake.ledger.clear();
        const client = rawClient(fake.port);
        client.socket.write(requestText({ body: chatBody({ stream: true }) }));
        await fake.ledger.waitFor(
          (entry) => entry.state === "open" && (entry.chunks === 1 || entry.status === 0),
        );
        if (when === "in mid-stream") await client.until((text) => text.includes("Water"));
        const leftAt = performance.timeOrigin + performance.now();
        if (how === "FIN") client.socket.end();
        else client.socket.resetAndDestroy();
        const entry = await fake.ledger.waitFor((one) => one.state === "aborted");
        delays.push(entry.endedAt - leftAt);
        expect(entry.chunks).toBe(when === "in mid-stream" ? 1 : 0);
        expect(fake.openCalls).toBe(0);
      }
      expect(Math.min(...delays)).toBeLessThan(100);
    });
  }
}

test("the ledger's wait rejects when nothing fits in time", async () => {
  const failure = await fake.ledger.waitFor(() => false, 20).catch(String);
  expect(failure).toContain("no call in the ledger fitted within 20 ms");
});

test("the ledger keeps the newest calls and exact counters", () => {
  const ledger = new Ledger(100);
  for (let id = 1; id <= 1000; id += 1) {
    const entry = {
      id,
      key: `k${id % 3}`,
      state: "open",
      status: 200,
      chunks: 0,
      usage: { promptTokens: 2, completionTokens: 0 },
    };
    ledger.open(entry as OpenEntry);
    ledger.progress(entry as OpenEntry, 3, 3);
    ledger.end(entry as OpenEntry, id % 2 === 0 ? "finished" : "aborted", 1);
  }
  expect(ledger.calls()).toHaveLength(100);
  expect(ledger.calls().at(-1)!.id).toBe(1000);
  expect(ledger.counters()).toMatchObject({
    calls: 1000,
    finished: 500,
    aborted: 500,
    open: 0,
    chunks: 3000,
  });
  expect(ledger.counters().byKey["k0"]).toEqual({ calls: 333, tokens: 333 * 5 });
  expect(ledger.counters().byStatus).toEqual({ 200: 1000 });
});

test("clearing the ledger keeps the calls that are open", async () => {
  const client = rawClient(fake.port);
  client.socket.write(requestText({ body: chatBody(), headers: { "x-fake": "hang_headers" } }));
  await fetch(`${fake.url}/v1/models`).then((answer) => answer.text());
  await fake.ledger.waitFor((entry) => entry.fault === "hang_headers");
  fake.ledger.clear();
  expect(fake.ledger.calls()).toHaveLength(1);
  expect(fake.ledger.counters()).toMatchObject({ calls: 1, open: 1, finished: 0 });
  client.socket.destroy();
  await fake.ledger.settled();
  expect(fake.ledger.counters()).toMatchObject({ open: 0, aborted: 1 });
});

test("stopping the fake ends open calls as cut, not as aborted by a client", async () => {
  const own = startFake();
  const client = rawClient(own.port);
  client.socket.write(requestText({ body: chatBody(), headers: { "x-fake": "hang_headers" } }));
  await own.ledger.waitFor((entry) => entry.state === "open");
  await own.stop();
  expect(own.ledger.calls()[0]!.state).toBe("cut");
  expect(["ECONNRESET", "fin"]).toContain(await client.ended);
  expect(own.openConnections).toBe(0);
});
