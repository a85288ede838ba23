// The musl binary in a root with nothing else in it but what it loads, read-only and without any rights, as in its image.
import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { startFake } from "../../src/fake/server.ts";
import { librariesOf, makeEmptyRoot } from "../support/empty-root.ts";
import { buildRelease, RELEASES } from "../support/release.ts";
import { until } from "../support/until.ts";

const REPLY = "Only three files are here.";
const folder = mkdtempSync(join(tmpdir(), "weir-empty-root-"));
const root = join(folder, "root");
const fake = startFake({ script: { reply: REPLY } });
const messages = [{ role: "user" as const, content: "hi" }];
let binary: string;

beforeAll(() => {
  binary = buildRelease(RELEASES["linux-x64-musl"], folder);
  makeEmptyRoot(binary, root);
});

afterAll(async () => {
  await fake.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the binary in the root as the image would: the root cannot be written, the user is nobody. */
function runInRoot(args: readonly string[], env: Record<string, string>) {
  const script = `mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift &&
    exec chroot --userspec=65532:65532 "${root}" /weir "$@"`;
  return Bun.spawn(["unshare", "--mount", "sh", "-c", script, "sh", root, ...args], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
}

async function startInRoot() {
  const keys = {
    OPENAI_API_KEYS: "root-key-one-0001,root-key-two-0002",
    ANTHROPIC_API_KEY: "root-key-ant-0001",
  };
  const addresses = { OPENAI_BASE_URL: fake.url, ANTHROPIC_BASE_URL: fake.url };
  const child = runInRoot(["--port", "0"], {
    ...keys,
    ...addresses,
    WEIR_SHUTDOWN_DELAY: "0s",
    WEIR_LOG_LEVEL: "error",
  });
  let text = "";
  const decoder = new TextDecoder();
  const reader = child.stdout.getReader();
  while (!/listens on (\S+)/.test(text)) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`weir ended with ${await child.exited}: ${text}`);
    text += decoder.decode(value, { stream: true });
  }
  return {
    child,
    url: /listens on (\S+)/.exec(text)?.[1] ?? "",
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

test("the root holds the binary, musl's loader and libstdc++, and the binary asks for nothing more", () => {
  expect(
    readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name)
      .toSorted(),
  ).toEqual(["ld-musl-x86_64.so.1", "libstdc++.so.6", "weir"]);
  // musl takes every name that begins with `libc.` for itself.
  expect(librariesOf(binary).toSorted()).toEqual(["libc.musl-x86_64.so.1", "libstdc++.so.6"]);
  const image = readFileSync(join(import.meta.dir, "../../.container/Dockerfile"), "utf8");
  expect(image).toContain("/lib/ld-musl-*.so.1 /usr/lib/libstdc++.so.6 /usr/lib/libgcc_s.so.1 /image/lib/");
});

test("the binary in an empty root serves calls of both SDKs, answers its health check and exits 0", async () => {
  await using weir = await startInRoot();
  const { child, url } = weir;
  const openai = new OpenAI({ apiKey: "x", baseURL: `${url}/v1`, maxRetries: 0 });
  const answer = await openai.chat.completions.create({ model: "gpt-4o", messages });
  expect(answer.choices[0]?.message.content).toBe(REPLY);
  let streamed = "";
  for await (const event of await openai.chat.completions.create({ model: "gpt-4o", messages, stream: true }))
    streamed += event.choices[0]?.delta.content ?? "";
  expect(streamed).toBe(REPLY);
  const anthropic = new Anthropic({ apiKey: "x", baseURL: url, maxRetries: 0 });
  const message = await anthropic.messages.create({ model: "claude-x", max_tokens: 50, messages });
  expect(message.content[0]).toMatchObject({ type: "text", text: REPLY });

  expect(await runInRoot(["health"], { WEIR_PORT: new URL(url).port }).exited).toBe(0);
  expect(await runInRoot(["health"], { WEIR_PORT: "1" }).exited).toBe(1);
  child.kill("SIGTERM");
  expect(await child.exited).toBe(0);
});

test("the binary in an empty root has more than 256 calls in flight", async () => {
  fake.configure({ rules: [{ do: "hang_headers" }] });
  await using weir = await startInRoot();
  const { hostname, port } = new URL(weir.url);
  const body = JSON.stringify({ model: "gpt-4o", messages });
  const request = `POST /v1/chat/completions HTTP/1.1\r\nHost: ${hostname}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const open = () =>
    Bun.connect({
      hostname,
      port: Number(port),
      socket: { open: (socket) => void socket.write(request), data() {} },
    });
  const sockets = await Promise.all(Array.from({ length: 300 }, open));
  // Bun's own limit would stop them at 256: weir has started itself anew, without /proc to tell it where it is.
  await until(() => fake.openCalls === 300, "300 calls at the provider");
  for (const socket of sockets) socket.end();
}, 60_000);
