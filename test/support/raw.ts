// Both ends of a connection as bare bytes: an upstream that sends whatever a test wants, and a client that does too.
import { connect, createServer, type Socket } from "node:net";
import { until } from "./until.ts";

export interface RawCall {
  /** Request line and headers. */
  readonly head: string;
  readonly body: Buffer;
  readonly socket: Socket;
  /** Counts from 1 over all connections. */
  readonly number: number;
}

export interface RawUpstream extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  readonly calls: readonly RawCall[];
  /** Sockets that are open now. */
  readonly open: number;
  /** Sockets ever accepted. */
  readonly accepted: number;
}

/** Listens on a free loopback port; `onCall` gets every complete request and may write to its socket when it likes. */
export async function startRawUpstream(onCall: (call: RawCall) => unknown): Promise<RawUpstream> {
  const calls: RawCall[] = [];
  const sockets = new Set<Socket>();
  let accepted = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    accepted += 1;
    let pending = Buffer.alloc(0);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    socket.on("data", (bytes: Buffer) => {
      pending = Buffer.concat([pending, bytes]);
      const headEnd = pending.indexOf("\r\n\r\n");
      if (headEnd < 0) return;
      const head = pending.toString("latin1", 0, headEnd);
      const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
      if (pending.length < headEnd + 4 + length) return;
      const body = pending.subarray(headEnd + 4, headEnd + 4 + length);
      pending = pending.subarray(headEnd + 4 + length);
      const call = { head, body, socket, number: calls.length + 1 };
      calls.push(call);
      onCall(call);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    url: `http://127.0.0.1:${address.port}`,
    calls,
    get open() {
      return sockets.size;
    },
    get accepted() {
      return accepted;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

/** One piece of a chunked body as it goes on the wire. */
export function chunk(piece: string | Uint8Array): Buffer {
  const bytes = Buffer.from(piece as Uint8Array);
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]);
}

export const STREAM_HEAD =
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

/** A whole JSON answer with its length. */
export function jsonResponse(json: unknown, status = 200, headers = ""): string {
  const body = JSON.stringify(json);
  return `HTTP/1.1 ${status} X\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`;
}

export interface RawClient extends AsyncDisposable {
  readonly send: (data: string | Uint8Array) => void;
  /** Everything received so far, one character a byte. */
  readonly received: string;
  /** The end of it, cheap enough to look at often. */
  readonly tail: string;
  readonly isClosed: boolean;
  readonly closed: () => Promise<void>;
  /** Resolves once what was received fits. */
  readonly until: (fits: (received: string) => boolean, what: string, timeoutMs?: number) => Promise<void>;
  /** Stops reading, so that the kernel's buffers fill. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** Leaves with a FIN, as most clients do. */
  readonly leave: () => void;
}

const TAIL_BYTES = 64;

export async function dialRaw(port: number): Promise<RawClient> {
  const pieces: Buffer[] = [];
  let isClosed = false;
  const socket = connect(port, "127.0.0.1");
  socket.on("data", (bytes: Buffer) => pieces.push(bytes));
  socket.on("error", () => undefined);
  socket.on("close", () => {
    isClosed = true;
  });
  socket.on("end", () => {
    isClosed = true;
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  const received = (): string => {
    if (pieces.length > 1) pieces.splice(0, pieces.length, Buffer.concat(pieces));
    return pieces[0]?.toString("latin1") ?? "";
  };
  return {
    send: (data) => void socket.write(data),
    get received() {
      return received();
    },
    get tail() {
      return Buffer.concat(pieces.slice(-8)).toString("latin1").slice(-TAIL_BYTES);
    },
    get isClosed() {
      return isClosed;
    },
    closed: () => until(() => isClosed, "the server closes the connection"),
    until: (fits, what, timeoutMs) =>
      until(() => fits(received()), `${what}; received ${received().slice(0, 400)}`, timeoutMs),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    leave: () => void socket.destroy(),
    async [Symbol.asyncDispose]() {
      socket.destroy();
      await until(() => isClosed, "own socket closes");
    },
  };
}

/** A POST as bytes. */
export function postBytes(path: string, body: string, headers = ""): string {
  return `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`;
}

/** The status of the first answer in the bytes; 0 for none. */
export const statusOf = (received: string): number =>
  Number(/^HTTP\/1\.[01] (\d{3})/.exec(received)?.[1] ?? 0);

/** True when the bytes hold one whole answer. */
export function isWhole(received: string): boolean {
  const headEnd = received.indexOf("\r\n\r\n");
  if (headEnd < 0) return false;
  const head = received.slice(0, headEnd);
  if (/^transfer-encoding: chunked/im.test(head)) return received.endsWith("\r\n0\r\n\r\n");
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? Number.NaN);
  return received.length >= headEnd + 4 + length;
}

/** Sends bytes on a connection of their own and gives what comes back: one whole answer, or all until the close. */
export async function exchange(port: number, data: string): Promise<string> {
  await using client = await dialRaw(port);
  client.send(data);
  await until(() => client.isClosed || isWhole(client.received), `an answer to ${data.slice(0, 80)}`);
  return client.received;
}

/** The JSON body of an answer with a length. */
export const jsonOf = (received: string): unknown =>
  JSON.parse(received.slice(received.indexOf("\r\n\r\n") + 4));
