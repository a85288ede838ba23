import { afterEach, describe, expect, test } from "bun:test";
import { createSocketTransport } from "../../src/bench/socket-transport.ts";
import type { Transport } from "../../src/bench/transport.ts";
import { until } from "../support/until.ts";

interface Told {
  readonly statuses: number[];
  body: string;
  ended: number;
  failures: string[];
  readonly abandon: () => void;
}

const open: { stop: () => void }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.stop();
});

/** A server of raw sockets: what it does with the n-th request of all, counted from 1. */
function serveRaw(answer: (socket: Bun.Socket, request: string, count: number) => void): string {
  let count = 0;
  const server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: { data: (socket, bytes) => answer(socket, bytes.toString(), (count += 1)) },
  });
  open.push({ stop: () => server.stop(true) });
  return `http://127.0.0.1:${server.port}/v1/chat/completions`;
}

function transportTo(url: string): Transport {
  const transport = createSocketTransport({ url }, [[["x-key", "one"]], [["x-key", "two"]]]);
  open.push({ stop: transport.close });
  return transport;
}

function send(transport: Transport, body = "{}", headers = 0): Told {
  const told = { statuses: [] as number[], body: "", ended: 0, failures: [] as string[] };
  const abandon = transport.send(
    { headers, body },
    {
      onHead: ({ status }) => void told.statuses.push(status),
      onBody: (bytes, from, to) => void (told.body += Buffer.from(bytes.subarray(from, to)).toString()),
      onEnd: () => void (told.ended += 1),
      onFailure: (reason) => void told.failures.push(reason),
    },
  );
  return Object.assign(told, { abandon });
}

const isOver = (told: Told) => (): boolean => told.ended + told.failures.length > 0;
const ok = (body: string, headers = ""): string =>
  `HTTP/1.1 200 OK\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`;

describe("a transport of sockets", () => {
  test("sends a whole request with the chosen headers and keeps the connection for the next one", async () => {
    const requests: string[] = [];
    const url = serveRaw((socket, request) => {
      requests.push(request);
      socket.write(ok("fine"));
    });
    const transport = transportTo(url);
    for (const headers of [0, 1]) {
      const told = send(transport, '{"a":"ü"}', headers);
      await until(isOver(told), "it ends");
      expect([told.statuses, told.body, told.ended]).toEqual([[200], "fine", 1]);
    }
    const host = new URL(url).host;
    expect(requests).toEqual(
      ["one", "two"].map(
        (key) =>
          `POST /v1/chat/completions HTTP/1.1\r\nhost: ${host}\r\nx-key: ${key}\r\ncontent-length: 10\r\n\r\n{"a":"ü"}`,
      ),
    );
    expect(transport.counts()).toEqual({ opened: 1, resent: 0 });
  });

  test("opens a new connection when the server closes it after each answer", async () => {
    const transport = transportTo(serveRaw((socket) => socket.end(ok("x", "Connection: close\r\n"))));
    for (let call = 0; call < 3; call += 1) {
      const told = send(transport);
      await until(isOver(told), "it ends");
      expect(told.ended).toBe(1);
    }
    expect(transport.counts()).toEqual({ opened: 3, resent: 0 });
  });

  test("sends a request again, once, when a kept connection turns out to be closed", async () => {
    const transport = transportTo(
      serveRaw(
        (socket, _, count) => void (count === 2 ? socket.terminate() : socket.write(ok(String(count)))),
      ),
    );
    const first = send(transport);
    await until(isOver(first), "the first ends");
    const second = send(transport);
    await until(isOver(second), "the second ends");
    expect([second.body, second.failures]).toEqual(["3", []]);
    expect(transport.counts()).toEqual({ opened: 2, resent: 1 });
  });

  test("does not send a request again on a fresh connection", async () => {
    const transport = transportTo(serveRaw((socket) => socket.terminate()));
    const told = send(transport);
    await until(isOver(told), "it fails");
    expect(told.failures).toHaveLength(1);
    expect(told.failures[0]).toMatch(/^(?:closed without an answer|connection broke)$/);
    expect(transport.counts().resent).toBe(0);
  });

  test("tells an answer that was cut from one that never came", async () => {
    const transport = transportTo(
      serveRaw((socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nha")),
    );
    const told = send(transport);
    await until(isOver(told), "it fails");
    expect([told.body, told.failures]).toEqual(["ha", ["closed in the middle of an answer"]]);
  });

  test("tells what is no HTTP, and leaves that connection", async () => {
    const transport = transportTo(serveRaw((socket) => void socket.write("hello\r\n\r\n")));
    const told = send(transport);
    await until(isOver(told), "it fails");
    expect(told.failures).toEqual(["no HTTP answer: it does not speak HTTP/1.1"]);
  });

  test("tells that nobody listens", async () => {
    const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
    const url = `http://127.0.0.1:${server.port}/`;
    server.stop(true);
    const told = send(transportTo(url));
    await until(isOver(told), "it fails");
    expect(told.failures).toEqual(["cannot connect: ECONNREFUSED"]);
  });

  test("sends a body that is larger than what a socket takes at once", async () => {
    const body = JSON.stringify("x".repeat(8_000_000));
    const server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: async (request) => new Response(String((await request.text()).length)),
    });
    open.push({ stop: () => void server.stop(true) });
    const told = send(transportTo(`http://127.0.0.1:${server.port}/`), body);
    await until(isOver(told), "it ends");
    expect([told.body, told.failures]).toEqual([String(body.length), []]);
  });

  test("tells nothing of an abandoned call and closes its connection", async () => {
    let closed = 0;
    let asked = 0;
    const server = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: { data: () => void (asked += 1), close: () => void (closed += 1), error: () => undefined },
    });
    open.push({ stop: () => server.stop(true) });
    const told = send(transportTo(`http://127.0.0.1:${server.port}/`));
    await until(() => asked === 1, "the request comes");
    told.abandon();
    await until(() => closed === 1, "the connection closes");
    expect([told.ended, told.failures]).toEqual([0, []]);
  });
});
