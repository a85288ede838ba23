// Behind a real nginx, as many deployments have it: streams pass event by event, aborts go through, old HTTP is answered.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { startFake } from "../../src/fake/server.ts";
import { type RunningBinary, startBinary } from "../support/binary.ts";
import { until } from "../support/until.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-nginx-"));
const fake = startFake({ script: { tokens: 10, gap: "100ms" } });
const chat = { model: "gpt-4o", messages: [{ role: "user" as const, content: "hi" }] };
let weir: RunningBinary;
let nginx: Bun.Subprocess;
let url = "";

/** A port that was free a moment ago: nginx cannot be asked to choose one. */
function freePort(): number {
  using probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  return probe.port;
}

beforeAll(async () => {
  weir = await startBinary({ env: { OPENAI_API_KEYS: "nginx-key-one-0001", OPENAI_BASE_URL: fake.url } });
  const port = freePort();
  url = `http://127.0.0.1:${port}`;
  // The directives that the README asks for; HTTP/1.0 is what nginx speaks to upstreams unless told otherwise.
  writeFileSync(
    join(folder, "nginx.conf"),
    `daemon off; pid ${folder}/pid; error_log stderr error; worker_processes 1; events { worker_connections 256; }
http { access_log off; client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f;
  uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  server { listen 127.0.0.1:${port}; location / { proxy_pass ${weir.url}; proxy_buffering off; proxy_read_timeout 1h; } } }`,
  );
  nginx = Bun.spawn(["nginx", "-p", folder, "-c", join(folder, "nginx.conf")], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  for (let tries = 0; tries < 1000; tries += 1) {
    if (
      await fetch(`${url}/health`).then(
        (response) => response.ok,
        () => false,
      )
    )
      return;
    await Bun.sleep(25);
  }
  throw new Error("nginx does not answer");
});

afterAll(async () => {
  nginx.kill();
  await nginx.exited;
  await weir[Symbol.asyncDispose]();
  await fake.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("a stream behind nginx arrives event by event and complete", async () => {
  const client = new OpenAI({ apiKey: "x", baseURL: `${url}/v1`, maxRetries: 0 });
  const stream = await client.chat.completions.create({ ...chat, stream: true });
  const arrivals: number[] = [];
  for await (const event of stream) if (event.choices[0]?.delta.content) arrivals.push(performance.now());
  expect(arrivals).toHaveLength(10);
  // Ten paced events that came in one piece would span no time at all.
  expect(arrivals[9]! - arrivals[0]!).toBeGreaterThan(9 * 100 * 0.5);
});

test("a client that leaves nginx leaves the provider too", async () => {
  fake.configure({ rules: [{ do: "hang_headers" }] });
  const leave = new AbortController();
  const call = fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    body: JSON.stringify(chat),
    signal: leave.signal,
  });
  await until(() => fake.openCalls === 1, "the call at the provider");
  leave.abort();
  expect(call).rejects.toThrow();
  await until(() => fake.openCalls === 0, "the provider's call to end");
});
