// The compiled binary as a binary: what only it can get wrong.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { appendFileSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { startFake } from "../src/fake/server.ts";
import { BUILD_PATIENCE_MS, runBinary, startBinary, weirBinary } from "./support/binary.ts";
import { dialRaw, isWhole, jsonOf, postBytes, statusOf } from "./support/raw.ts";
import { until } from "./support/until.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-binary-test-"));
beforeAll(() => void weirBinary(), BUILD_PATIENCE_MS);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const TWO_KEYS = "binary-key-one-0001,binary-key-two-0002";
const chat = { model: "gpt-4o", messages: [{ role: "user" as const, content: "hi" }] };

const sdk = (url: string) => new OpenAI({ apiKey: "client", baseURL: `${url}/v1`, maxRetries: 0 });
const chatKeys = (fake: ReturnType<typeof startFake>) =>
  fake.ledger
    .calls()
    .filter((call) => call.path.endsWith("/chat/completions"))
    .map((call) => call.key);

test("the binary prints its version, its help and the short text without a backend", async () => {
  expect(await runBinary({ env: {}, args: ["version"] })).toMatchObject({
    code: 0,
    out: expect.stringContaining("weir "),
  });
  expect((await runBinary({ env: {}, args: ["help", "serve"] })).out).toContain("WEIR_PORT");
  const bare = await runBinary({ env: {}, cwd: folder });
  expect(bare).toMatchObject({
    code: 78,
    out: "",
    err: expect.stringContaining("OPENAI_API_KEYS=key1,key2"),
  });
});

test("wrong usage exits 64, wrong configuration 78, a taken port 69", async () => {
  const env = { OPENAI_API_KEYS: TWO_KEYS };
  expect(await runBinary({ env, args: ["--prot", "1"] })).toMatchObject({
    code: 64,
    err: expect.stringContaining("--port"),
  });
  expect((await runBinary({ env, args: ["nonsense"] })).code).toBe(64);
  expect(await runBinary({ env, args: ["--config", "nowhere.yaml"] })).toMatchObject({
    code: 78,
    err: expect.stringContaining("no such file"),
  });
  const wrong = await runBinary({ env: { ...env, WEIR_PORT: "80a", WEIR_TIMEOUTS_IDLE: "5" } });
  expect(wrong.code).toBe(78);
  expect(wrong.err).toContain("cannot read WEIR_PORT");
  expect(wrong.err).toContain("cannot read WEIR_TIMEOUTS_IDLE");
  using taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  expect(await runBinary({ env, args: ["--port", String(taken.port)] })).toMatchObject({
    code: 69,
    err: expect.stringContaining("EADDRINUSE"),
  });
});

test("ten sequential calls reach the provider with each of two keys five times", async () => {
  const fake = startFake();
  await using weir = await startBinary({ env: { OPENAI_API_KEYS: TWO_KEYS, OPENAI_BASE_URL: fake.url } });
  for (let call = 0; call < 10; call += 1) await sdk(weir.url).chat.completions.create(chat);
  const keys = chatKeys(fake);
  expect(keys.filter((key) => key === "binary-key-one-0001")).toHaveLength(5);
  expect(keys.filter((key) => key === "binary-key-two-0002")).toHaveLength(5);
  expect(weir.output()).not.toContain("binary-key-one-0001");
  await fake.stop();
});

test.each(["append", "rename"])(
  "a key that a key file gains by %s is used without a restart",
  async (how) => {
    const fake = startFake();
    const file = join(folder, `keys-${how}`);
    writeFileSync(file, "file-key-first-0001\n");
    await using weir = await startBinary({ env: { OPENAI_API_KEYS_FILE: file, OPENAI_BASE_URL: fake.url } });
    await sdk(weir.url).chat.completions.create(chat);
    if (how === "append") appendFileSync(file, "file-key-second-0002 # new\n");
    else {
      writeFileSync(`${file}.new`, "file-key-first-0001\nfile-key-second-0002\n");
      renameSync(`${file}.new`, file);
    }
    const changed = performance.now();
    while (!chatKeys(fake).includes("file-key-second-0002") && performance.now() - changed < 20_000)
      await sdk(weir.url).chat.completions.create(chat);
    expect(chatKeys(fake)).toContain("file-key-second-0002");
    await fake.stop();
  },
);

test("more than 256 calls are in flight at once", async () => {
  const fake = startFake({ script: { rules: [{ do: "hang_headers" }] } });
  await using weir = await startBinary({ env: { OPENAI_API_KEYS: TWO_KEYS, OPENAI_BASE_URL: fake.url } });
  // By raw sockets: this process's own fetch would queue at 256 too.
  const calls = await Promise.all(
    Array.from({ length: 1024 }, () => openCall(weir.url, JSON.stringify(chat))),
  );
  await until(() => fake.openCalls >= 1024, "1,024 calls at the provider", 20_000);
  for (const call of calls) call.end();
  await until(() => fake.openCalls === 0, "no call at the provider");
  await fake.stop();
}, 60_000);

test("no backend is blamed when weir may open no more connections", async () => {
  const fake = startFake({ script: { rules: [{ match: { model: "slow" }, do: "hang_headers" }] } });
  const env = { OPENAI_API_KEYS: TWO_KEYS, OPENAI_BASE_URL: fake.url };
  await using weir = await startBinary({ env, descriptors: 64 });
  const descriptors = () => readdirSync(`/proc/${weir.pid}/fd`).length;
  const port = Number(new URL(weir.url).port);
  // Callers take every descriptor, so that no connection is left for their calls but one kept from the start.
  const callers = await Promise.all(Array.from({ length: 64 - descriptors() }, () => dialRaw(port)));
  await until(() => descriptors() === 64, "weir has no descriptor left");
  const slow = postBytes("/v1/chat/completions", JSON.stringify({ ...chat, model: "slow" }));
  for (const caller of callers) caller.send(slow);
  const answered = () => callers.filter((caller) => isWhole(caller.received));
  await until(() => answered().length > 0, "a call is refused");
  expect(statusOf(answered()[0]!.received)).toBe(503);
  expect(jsonOf(answered()[0]!.received)).toMatchObject({ error: { code: "out_of_descriptors" } });
  for (const caller of callers) caller.leave();
  await until(() => descriptors() < 32, "weir has let go of the callers");
  const after = await sdk(weir.url).chat.completions.create(chat).withResponse();
  expect(after.response.headers.get("x-weir-attempts")).toBe("1");
  expect(weir.output()).not.toContain("failures in a row");
  await fake.stop();
}, 60_000);

/** Sends one chat completion over a socket of its own and leaves it open. */
function openCall(url: string, body: string): Promise<{ end: () => void }> {
  const { hostname, port } = new URL(url);
  return Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      open(socket) {
        socket.write(
          `POST /v1/chat/completions HTTP/1.1\r\nHost: ${hostname}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        );
      },
      data() {},
    },
  });
}

test("a hostile folder and environment do not reach into the binary", async () => {
  const fake = startFake();
  const hostile = mkdtempSync(join(folder, "hostile-"));
  writeFileSync(join(hostile, ".env"), `OPENAI_API_KEYS=stolen-key-0000-0000\nWEIR_PORT=1\n`);
  writeFileSync(
    join(hostile, "evil.ts"),
    `require("node:fs").writeFileSync("${join(hostile, "pwned")}", "x");\n`,
  );
  writeFileSync(join(hostile, "bunfig.toml"), `preload = ["./evil.ts"]\n`);
  const env = {
    OPENAI_API_KEYS: TWO_KEYS,
    OPENAI_BASE_URL: fake.url,
    HTTP_PROXY: "http://127.0.0.1:1",
    ALL_PROXY: "http://127.0.0.1:1",
  };
  await using weir = await startBinary({ env, cwd: hostile });
  await sdk(weir.url).chat.completions.create(chat);
  expect(chatKeys(fake)).toEqual(["binary-key-one-0001"]);
  expect(await Bun.file(join(hostile, "pwned")).exists()).toBe(false);
  await fake.stop();
});

test("SIGTERM lets a running stream complete while readiness says no at once, and exits 0", async () => {
  const fake = startFake({ script: { tokens: 60, gap: "50ms" } });
  const env = { OPENAI_API_KEYS: TWO_KEYS, OPENAI_BASE_URL: fake.url, WEIR_SHUTDOWN_DELAY: "2s" };
  await using weir = await startBinary({ env });
  const stream = await sdk(weir.url).chat.completions.create({ ...chat, stream: true });
  let events = 0;
  let ready: number | undefined;
  for await (const _ of stream) {
    events += 1;
    if (events !== 2) continue;
    weir.kill("SIGTERM");
    while (ready !== 503) ready = (await fetch(`${weir.url}/health/ready`)).status;
  }
  expect(ready).toBe(503);
  expect(events).toBeGreaterThan(59);
  expect(await weir.exited).toBe(0);
  await fake.stop();
});

test("warnings are lines of the log, so that whoever reads JSON there gets nothing else", async () => {
  const env = { OPENAI_API_KEYS: TWO_KEYS, OPENAI_BASE_URL: "http://127.0.0.1:9", OPENAI_APIKEY: "x" };
  await using weir = await startBinary({ env });
  await until(() => weir.output().includes("did you mean OPENAI_API_KEY?"), "the warning");
  expect(weir.output()).not.toContain("warning:");
  const lines = weir.output().split("\n");
  const told = lines.find((line) => line.includes("did you mean")) ?? "";
  expect(JSON.parse(told)).toMatchObject({
    level: "warn",
    message: expect.stringMatching(/^OPENAI_APIKEY /),
  });
});

test("a configuration from a pipe of the shell is served, and signals reach whoever serves it", async () => {
  const fake = startFake();
  const piped = `providers: { openai: { api_key: sk-piped-key-01, base_url: "${fake.url}" } }`;
  await using weir = await startBinary({ env: {}, piped });
  await sdk(weir.url).chat.completions.create(chat);
  expect(chatKeys(fake)).toEqual(["sk-piped-key-01"]);
  weir.kill("SIGHUP");
  await until(() => weir.output().includes("pool changed"), "the reload");
  weir.kill("SIGTERM");
  expect(await weir.exited).toBe(0);
  await fake.stop();
});

test("a second signal ends the binary at once with 130", async () => {
  const fake = startFake({ script: { rules: [{ do: "hang_headers" }] } });
  await using weir = await startBinary({ env: { OPENAI_API_KEYS: TWO_KEYS, OPENAI_BASE_URL: fake.url } });
  const left = sdk(weir.url)
    .chat.completions.create(chat)
    .catch(() => "cut");
  await until(() => fake.openCalls === 1, "the call at the provider");
  weir.kill("SIGINT");
  while ((await fetch(`${weir.url}/health/ready`).catch(() => ({ status: 503 }))).status !== 503);
  weir.kill("SIGINT");
  expect(await weir.exited).toBe(130);
  expect(await left).toBe("cut");
  await fake.stop();
});

test("weir health tells readiness by its exit code", async () => {
  const fake = startFake();
  await using weir = await startBinary({ env: { OPENAI_API_KEYS: TWO_KEYS, OPENAI_BASE_URL: fake.url } });
  expect((await runBinary({ env: {}, args: ["health", "--url", weir.url] })).code).toBe(0);
  expect((await runBinary({ env: { WEIR_PORT: new URL(weir.url).port }, args: ["health"] })).code).toBe(0);
  expect((await runBinary({ env: { WEIR_PORT: "1" }, args: ["health"] })).code).toBe(1);
  await fake.stop();
});

test("the demo runs through and shows real answers and a stream", async () => {
  const demo = await runBinary({ env: {}, args: ["demo", "--once"] });
  expect(demo.code).toBe(0);
  expect(demo.out).toContain(
    "A weir spreads the river over its whole width, so that no single channel floods.",
  );
  expect(demo.out).toContain("(401 key refused) then");
}, 60_000);

test("a request head of 40 KB is read", async () => {
  const fake = startFake();
  await using weir = await startBinary({ env: { OPENAI_API_KEYS: TWO_KEYS, OPENAI_BASE_URL: fake.url } });
  const response = await fetch(`${weir.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-long": "x".repeat(40_000) },
    body: JSON.stringify(chat),
  });
  expect(response.status).toBe(200);
  await fake.stop();
});

test("a strategy of the user's own is loaded by the binary, from a flag and never from a variable", async () => {
  const fake = startFake();
  const file = join(folder, "last.ts");
  writeFileSync(
    file,
    "export default (candidates: readonly { id: string }[]): number => candidates.length - 1;\n",
  );
  const env = { OPENAI_API_KEYS: TWO_KEYS, OPENAI_BASE_URL: fake.url };
  await using weir = await startBinary({ env, args: ["--strategy", `custom:${file}`] });
  for (let call = 0; call < 4; call += 1) await sdk(weir.url).chat.completions.create(chat);
  expect(new Set(chatKeys(fake)).size).toBe(1);
  const refused = await runBinary({ env: { ...env, WEIR_STRATEGY: `custom:${file}` } });
  expect([refused.code, refused.err]).toEqual([78, expect.stringContaining("--strategy")]);
  const missing = await runBinary({ env, args: ["--strategy", "custom:./nowhere.ts"] });
  expect(missing.code).toBe(78);
  await fake.stop();
});
