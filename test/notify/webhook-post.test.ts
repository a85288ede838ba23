import { describe, expect, test } from "bun:test";
import { Secret } from "../../src/core/credential.ts";
import { WEBHOOK_DEFAULTS, type WebhookConfig } from "../../src/core/webhook.ts";
import { postMessage, type PostTerms } from "../../src/notify/webhook-post.ts";
import { startReceiver } from "../support/receiver.ts";
import { createLatch, until } from "../support/until.ts";

const configOf = (url: string, fields: Partial<WebhookConfig> = {}): WebhookConfig => ({
  ...WEBHOOK_DEFAULTS,
  url: new Secret(url),
  format: "json",
  allowPrivate: true,
  ...fields,
});

const post = (config: WebhookConfig, terms: Partial<PostTerms> = {}) =>
  postMessage(config, '{"a":1}', {
    lookUp: () => Promise.reject(new Error("no look-up expected")),
    signal: new AbortController().signal,
    ca: undefined,
    ...terms,
  });

describe("a message", () => {
  test("arrives whole, as JSON, and is taken under a good status", async () => {
    await using receiver = startReceiver(() => new Response(null, { status: 204 }));
    expect(await post(configOf(receiver.url))).toEqual({ kind: "taken" });
    const [call] = receiver.received;
    expect(call).toMatchObject({ path: "/hook?key=canary-token-0123456789", body: '{"a":1}' });
    expect(call?.headers.get("content-type")).toBe("application/json; charset=utf-8");
  });

  test("is dialled at the address that was looked up, under its name", async () => {
    await using receiver = startReceiver();
    const url = `http://hook.test:${receiver.port}/x`;
    const lookUp = (name: string) => Promise.resolve(name === "hook.test" ? ["127.0.0.1"] : []);
    expect(await post(configOf(url), { lookUp })).toEqual({ kind: "taken" });
    expect(receiver.received[0]?.headers.get("host")).toBe(`hook.test:${receiver.port}`);
  });

  test.each([
    ["http://127.0.0.1:PORT/x", []],
    ["http://[::1]:PORT/x", []],
    ["http://2130706433:PORT/x", []],
    ["http://localhost:PORT/x", ["127.0.0.1"]],
    ["http://hook.test:PORT/x", ["8.8.8.8", "10.0.0.1"]],
    ["http://metadata.test:PORT/x", ["169.254.169.254"]],
  ])("does not go to %s unless private addresses are allowed", async (text, found) => {
    await using receiver = startReceiver();
    const url = text.replace("PORT", String(receiver.port));
    const posted = await post(configOf(url, { allowPrivate: false }), {
      lookUp: () => Promise.resolve(found),
    });
    expect(posted).toEqual({
      kind: "failed",
      reason: "its address is private, and allow_private is not set",
    });
    expect(receiver.received).toEqual([]);
  });

  test("goes through the proxy by its name, whether or not it means something here", async () => {
    await using proxy = startReceiver();
    const config = configOf("http://hook.test/x?key=1", {
      allowPrivate: false,
      proxyUrl: `http://127.0.0.1:${proxy.port}`,
    });
    const never = new Promise<never>(() => undefined);
    for (const lookUp of [
      () => Promise.resolve(["8.8.8.8"]),
      () => Promise.reject(new Error("x")),
      () => never,
    ])
      expect(await post(config, { lookUp, timeoutMs: 5000 })).toEqual({ kind: "taken" });
    expect(proxy.received.map(({ path, headers }) => [path, headers.get("host")])).toEqual(
      Array.from({ length: 3 }, () => ["/x?key=1", "hook.test"]),
    );
  });

  test("does not ask a proxy for what is private", async () => {
    await using proxy = startReceiver();
    await using receiver = startReceiver();
    const through = { proxyUrl: `http://127.0.0.1:${proxy.port}` };
    const lookUp = () => Promise.resolve(["127.0.0.1"]);
    const url = `http://hook.test:${receiver.port}/x`;
    expect(await post(configOf(url, { ...through, allowPrivate: false }), { lookUp })).toMatchObject({
      kind: "failed",
    });
    expect(await post(configOf(url, through), { lookUp })).toEqual({ kind: "taken" });
    expect([proxy.received.length, receiver.received.length]).toEqual([0, 1]);
  });

  test("follows no redirect", async () => {
    await using elsewhere = startReceiver();
    await using receiver = startReceiver(() => Response.redirect(elsewhere.url, 307));
    expect(await post(configOf(receiver.url))).toEqual({ kind: "failed", reason: "status 307" });
    expect(elsewhere.received).toEqual([]);
  });

  test("is not taken under a bad status, which may ask to wait", async () => {
    await using receiver = startReceiver((count) =>
      count === 1
        ? new Response("slow down", { status: 429, headers: { "retry-after": "7" } })
        : new Response("gone", { status: 404, headers: { "retry-after": "soon" } }),
    );
    const config = configOf(receiver.url);
    expect(await post(config)).toEqual({ kind: "failed", reason: "status 429", afterMs: 7000 });
    expect(await post(config)).toEqual({ kind: "failed", reason: "status 404" });
  });

  test("is not taken when WeCom says so under a good status", async () => {
    await using receiver = startReceiver(() => Response.json({ errcode: 45009, errmsg: "freq" }));
    expect(await post(configOf(receiver.url, { format: "wecom" }))).toEqual({
      kind: "failed",
      reason: "errcode 45009",
    });
  });

  test("waits for no receiver that says nothing", async () => {
    const latch = createLatch();
    await using receiver = startReceiver(async () => {
      await latch.opened;
      return new Response("late");
    });
    expect(await post(configOf(receiver.url), { timeoutMs: 20 })).toEqual({
      kind: "failed",
      reason: "no answer in time",
    });
    latch.open();
  });

  test("waits for no look-up that says nothing", async () => {
    const posted = await post(configOf("http://hook.test/x"), {
      lookUp: () => new Promise(() => undefined),
      timeoutMs: 20,
    });
    expect(posted).toEqual({ kind: "failed", reason: "no answer in time" });
  });

  test("reads no more of an endless answer than its beginning", async () => {
    let isCancelled = false;
    const endless = () =>
      new ReadableStream({
        pull: (controller) => controller.enqueue(new Uint8Array(4096).fill(97)),
        cancel() {
          isCancelled = true;
        },
      });
    await using receiver = startReceiver(() => new Response(endless()));
    expect(await post(configOf(receiver.url))).toEqual({ kind: "taken" });
    await until(() => isCancelled, "the rest is cancelled");
  });

  test("says of a failure no more than its code", async () => {
    const refused = await post(configOf("http://127.0.0.1:1/hook?key=canary"));
    expect(refused).toEqual({ kind: "failed", reason: "ECONNREFUSED" });
    const unknown = await post(configOf("http://hook.test/x?key=canary"), {
      lookUp: () => Promise.reject(Object.assign(new Error("x"), { code: "ENOTFOUND" })),
    });
    expect(unknown).toEqual({ kind: "failed", reason: "ENOTFOUND" });
    expect(await post(configOf("http://hook.test/x"), { lookUp: () => Promise.resolve([]) })).toEqual({
      kind: "failed",
      reason: "no address",
    });
  });
});
