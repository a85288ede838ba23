// A receiver of webhooks: keeps what it was sent, and answers as the test says.
export interface Received {
  readonly path: string;
  readonly headers: Headers;
  readonly body: string;
  readonly atMs: number;
}

export interface Receiver extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly received: readonly Received[];
}

export function startReceiver(
  answer: (count: number) => Response | Promise<Response> = () => new Response("ok"),
): Receiver {
  const received: Received[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    development: false,
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      const body = await request.text();
      received.push({ path: pathname + search, headers: request.headers, body, atMs: performance.now() });
      return answer(received.length);
    },
  });
  const port = server.port ?? 0;
  return {
    url: `http://127.0.0.1:${port}/hook?key=canary-token-0123456789`,
    port,
    received,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}
