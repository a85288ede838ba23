import { afterEach, expect, test } from "bun:test";
import { createFetchTransport } from "../../src/bench/fetch-transport.ts";
import { until } from "../support/until.ts";

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

function serve(answer: (request: Request) => Response | Promise<Response>): string {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: answer });
  stops.push(() => server.stop(true));
  return server.url.href;
}

function send(url: string) {
  const told = { statuses: [] as number[], body: "", ended: 0, failures: [] as string[] };
  const transport = createFetchTransport(url, [[["x-key", "one"]]]);
  stops.push(transport.close);
  const abandon = transport.send(
    { headers: 0, body: "{}" },
    {
      onHead: ({ status }) => void told.statuses.push(status),
      onBody: (bytes, from, to) => void (told.body += Buffer.from(bytes.subarray(from, to)).toString()),
      onEnd: () => void (told.ended += 1),
      onFailure: (reason) => void told.failures.push(reason),
    },
  );
  return Object.assign(told, { abandon });
}

test("a call over fetch brings status, body and end", async () => {
  const url = serve(
    async (request) =>
      new Response(`${request.headers.get("x-key")} ${await request.text()}`, { status: 418 }),
  );
  const told = send(url);
  await until(() => told.ended === 1, "it ends");
  expect([told.statuses, told.body, told.failures]).toEqual([[418], "one {}", []]);
});

test("a call over fetch that cannot be made tells the code, and no address", async () => {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  const url = server.url.href;
  await server.stop(true);
  const told = send(url);
  await until(() => told.failures.length === 1, "it fails");
  expect(told.failures).toEqual(["cannot call: ECONNREFUSED"]);
});

test("an abandoned call over fetch tells nothing and leaves the server", async () => {
  const left = Promise.withResolvers<void>();
  let asked = false;
  const url = serve((request) => {
    asked = true;
    request.signal.addEventListener("abort", () => left.resolve());
    return new Promise(() => undefined);
  });
  const told = send(url);
  await until(() => asked, "the request comes");
  told.abandon();
  await left.promise;
  expect([told.ended, told.failures]).toEqual([0, []]);
});
