import { expect, test } from "bun:test";
import { connect } from "node:net";
import { createEventStream, eventText } from "../../../src/views/api/event-stream.ts";
import { readEvents } from "../../support/sse.ts";
import { until } from "../../support/until.ts";

function serveStream(most: number, greeting: () => string = () => "whole", maySee = () => true) {
  const stream = createEventStream(most);
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) =>
      stream.open({
        signal: request.signal,
        greet: () => [eventText("greeting", greeting())],
        maySee,
      }) ?? new Response("full", { status: 503 }),
  });
  return {
    stream,
    url: `http://127.0.0.1:${server.port}/`,
    port: Number(server.port),
    async [Symbol.asyncDispose]() {
      stream.close();
      await server.stop(true);
    },
  };
}

test("a reader gets a greeting at once, then what is sent, and the end", async () => {
  await using scene = serveStream(2);
  const response = await fetch(scene.url);
  expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  const seen: unknown[] = [];
  for await (const { event, data } of readEvents(response)) {
    seen.push([event, data]);
    if (event === "greeting") scene.stream.send([eventText("news", { line: "a\nb" }), eventText("more", 2)]);
    if (event === "more") scene.stream.close();
  }
  expect(seen).toEqual([
    ["greeting", "whole"],
    ["news", { line: "a\nb" }],
    ["more", 2],
  ]);
});

test("a reader that may not see it any more gets the end instead", async () => {
  let isLoggedIn = true;
  await using scene = serveStream(
    2,
    () => "whole",
    () => isLoggedIn,
  );
  const seen: string[] = [];
  for await (const { event } of readEvents(await fetch(scene.url))) {
    seen.push(event);
    if (event === "news") isLoggedIn = false;
    scene.stream.send([eventText("news", 1)]);
  }
  expect(seen).toEqual(["greeting", "news"]);
  expect(scene.stream.readers).toBe(0);
});

test("there are only so many readers, and one that leaves makes room", async () => {
  await using scene = serveStream(1);
  const abort = new AbortController();
  const first = await fetch(scene.url, { signal: abort.signal });
  expect((await fetch(scene.url)).status).toBe(503);
  abort.abort();
  await first.text().catch(() => undefined);
  await until(() => scene.stream.readers === 0, "the reader has left");
  expect((await fetch(scene.url)).status).toBe(200);
});

test("a reader that stalls costs no memory, holds nobody up, and gets the whole again when it reads on", async () => {
  let sent = 0;
  await using scene = serveStream(2, () => `whole after ${sent}`);
  const socket = connect(scene.port, "127.0.0.1");
  let heard = "";
  socket.on("data", (bytes: Buffer) => {
    heard += bytes.toString("latin1").replaceAll(/x{100,}/g, "x");
  });
  socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await until(() => heard.includes("whole after 0"), "the greeting has come");
  socket.pause();
  const quick = readEvents(await fetch(scene.url));
  await quick.next();

  const big = "x".repeat(256 * 1024);
  Bun.gc(true);
  const beforeBytes = process.memoryUsage.rss();
  for (; sent < 400; sent += 1) {
    scene.stream.send([eventText("big", big)]);
    // Who reads on keeps getting everything, however long another stalls.
    expect((await quick.next()).value?.event).toBe("big");
  }
  Bun.gc(true);
  // 100 MiB were sent; what the stalled one could hold is in the kernel's buffers.
  expect(process.memoryUsage.rss() - beforeBytes).toBeLessThan(80 * 1024 ** 2);

  socket.resume();
  const endMs = performance.now() + 20_000;
  while (!heard.includes("whole after 4") && performance.now() < endMs) {
    scene.stream.send([eventText("later", 1)]);
    await Bun.sleep(5);
  }
  expect(heard).toContain("whole after 400");
  socket.destroy();
}, 60_000);
