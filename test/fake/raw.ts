// A raw client for tests of the fake: sends bytes as they are, and tells what came back and how it ended.
import { connect } from "node:net";
import type { Socket } from "node:net";

export interface RawClient {
  readonly socket: Socket;
  /** Everything that has come, as latin1 text. */
  readonly text: () => string;
  /** When each piece came, by performance.now. */
  readonly arrivals: readonly { readonly atMs: number; readonly text: string }[];
  /** Resolves when the text so far satisfies the test; rejects after twenty seconds. */
  until(test: (text: string) => boolean): Promise<string>;
  /** How the connection ended: "fin", or the error's code such as ECONNRESET. */
  readonly ended: Promise<string>;
}

export function rawClient(port: number): RawClient {
  const socket = connect(port, "127.0.0.1");
  const arrivals: { atMs: number; text: string }[] = [];
  let all = "";
  const watchers = new Set<() => void>();
  const changed = (): void => {
    for (const watcher of watchers) watcher();
  };
  socket.on("data", (bytes: Buffer) => {
    const text = bytes.toString("latin1");
    all += text;
    arrivals.push({ atMs: performance.now(), text });
    changed();
  });
  const ended = new Promise<string>((resolve) => {
    socket.on("error", (cause: NodeJS.ErrnoException) => resolve(cause.code ?? cause.message));
    socket.on("end", () => resolve("fin"));
    socket.on("close", () => resolve("closed"));
  });
  return {
    socket,
    arrivals,
    ended,
    text: () => all,
    until: (test) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => {
          watchers.delete(watcher);
          reject(new Error(`the text did not come; so far: ${all.slice(-500)}`));
        }, 20_000);
        const watcher = (): void => {
          if (!test(all)) return;
          clearTimeout(late);
          watchers.delete(watcher);
          resolve(all);
        };
        watchers.add(watcher);
        watcher();
      }),
  };
}

export interface RawRequest {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** A request as bytes; the body as JSON unless it is text. */
export function requestText({
  method = "POST",
  path = "/v1/chat/completions",
  headers = {},
  body,
}: RawRequest): string {
  const content = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = Buffer.byteLength(content);
  return `${method} ${path} HTTP/1.1\r\nhost: fake\r\n${lines.join("")}content-length: ${length}\r\n\r\n${content}`;
}

export const chatBody = (extra: Readonly<Record<string, unknown>> = {}) => ({
  model: "gpt-4o",
  messages: [{ role: "user", content: "hello" }],
  ...extra,
});

/** A chat request that asks the fake for an action. */
export const askFor = (action: unknown, body: Readonly<Record<string, unknown>> = {}): string =>
  requestText({
    headers: { "x-fake": typeof action === "string" ? action : JSON.stringify(action) },
    body: chatBody(body),
  });

/** The data of a chunked body, which must be complete unless `cut` is allowed. */
export function dechunk(text: string, cut = false): string {
  let rest = text.slice(text.indexOf("\r\n\r\n") + 4);
  let data = "";
  for (;;) {
    const size = /^([0-9a-f]+)\r\n/.exec(rest);
    if (size === null) {
      if (cut) return data;
      throw new Error(`no chunk size at ${JSON.stringify(rest.slice(0, 40))}`);
    }
    const length = Number.parseInt(size[1]!, 16);
    if (length === 0) return data;
    data += rest.slice(size[0].length, size[0].length + length);
    rest = rest.slice(size[0].length + length + 2);
  }
}
