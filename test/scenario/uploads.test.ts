// Bodies that stream through: as long as they move nobody is late, and when one stops, whoever stopped it is to blame.
import { describe, expect, test } from "bun:test";
import { createServer } from "node:net";
import { dialRaw, jsonOf, startRawUpstream, statusOf, jsonResponse, isWhole } from "../support/raw.ts";
import { until } from "../support/until.ts";
import { startWeir, type WeirSetup } from "../support/weir.ts";

const KEY = "sk-upload-0000000001";
const PART = "x".repeat(1000);

const headOf = (framing: string): string =>
  `POST /v1/files HTTP/1.1\r\nhost: localhost\r\n${framing}\r\n\r\n`;

const start = (url: string, timeouts: WeirSetup["timeouts"] = {}) =>
  startWeir({ providers: [{ name: "openai", urls: [url], keys: [KEY] }], timeouts });

describe("an upload", () => {
  test("may take longer than the first byte may, while it moves", async () => {
    const PARTS = 14;
    await using upstream = await startRawUpstream(
      ({ socket }) => void socket.write(jsonResponse({ id: "file-1" })),
    );
    await using weir = start(upstream.url, { firstByteMs: 1000, connectMs: 300 });
    await using client = await dialRaw(weir.port);
    client.send(headOf(`content-length: ${PARTS * PART.length}`));
    for (let part = 1; part <= PARTS; part += 1) {
      const sentMs = performance.now();
      await until(() => performance.now() - sentMs > 100, "time passes");
      client.send(PART);
    }
    await client.until(isWhole, "an answer");
    expect(statusOf(client.received)).toBe(200);
    expect(upstream.calls[0]?.body.length).toBe(PARTS * PART.length);
  });

  test("that its caller stops is answered 408 and blamed on nobody", async () => {
    await using upstream = await startRawUpstream(() => undefined);
    await using weir = start(upstream.url, { idleMs: 100, connectMs: 300 });
    await using client = await dialRaw(weir.port);
    client.send(headOf("content-length: 100000") + PART);
    await client.until(isWhole, "an answer");
    expect(statusOf(client.received)).toBe(408);
    expect(jsonOf(client.received)).toMatchObject({ error: { code: "request_timeout" } });
    expect(weir.slot(KEY).state.failuresInRow).toBe(0);
    expect(weir.attempts()).toMatchObject([{ outcome: "abandoned" }]);
    await until(() => upstream.open === 0, "the upstream call is closed");
  });

  test("that never ends is ended when its total time is over", async () => {
    await using upstream = await startRawUpstream(() => undefined);
    await using weir = start(upstream.url, { totalMs: 800, connectMs: 300 });
    await using client = await dialRaw(weir.port);
    client.send(headOf("content-length: 100000000"));
    await until(() => {
      if (!isWhole(client.received)) client.send("x");
      return isWhole(client.received);
    }, "an answer");
    expect(statusOf(client.received)).toBe(408);
    expect(weir.slot(KEY).state.failuresInRow).toBe(0);
  });

  test("that is broken by its caller is blamed on nobody", async () => {
    await using upstream = await startRawUpstream(() => undefined);
    await using weir = start(upstream.url);
    await using client = await dialRaw(weir.port);
    client.send(`${headOf("transfer-encoding: chunked")}3e8\r\n${PART}\r\n`);
    await until(() => upstream.open === 1, "the upload has begun");
    client.send("no chunk\r\n");
    expect(await weir.finished()).toMatchObject({ ending: "abandoned" });
    expect(weir.slot(KEY).state.failuresInRow).toBe(0);
  });

  test("that the upstream does not take is the upstream's failure", async () => {
    const server = createServer((socket) => void socket.pause().on("error", () => undefined));
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await using weir = start(`http://127.0.0.1:${port}`, { idleMs: 200, connectMs: 300 });
    await using client = await dialRaw(weir.port);
    const size = 64 * 1024 * 1024;
    client.send(headOf(`content-length: ${size}`));
    client.send(Buffer.alloc(size));
    expect(await weir.finished()).toMatchObject({ status: 504 });
    expect(weir.attempts()).toMatchObject([
      { outcome: "failed", detail: "the body was not taken for 0.2 s" },
    ]);
    server.close();
  });
});
