import { describe, expect, test } from "bun:test";
import type { Question } from "../../src/core/question.ts";
import { askBackend } from "../../src/proxy/ask-backend.ts";
import { createDialCheck } from "../../src/proxy/dial.ts";
import { makeEngine } from "../support/engines.ts";

const KEY = "sk-secret-engine-key";
const now = () => performance.now();

async function ask(answer: () => Response | Promise<Response>, question: Partial<Question> = {}) {
  const seen: string[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    fetch(request) {
      seen.push(`${new URL(request.url).pathname} ${request.headers.get("authorization")}`);
      return answer();
    },
  });
  try {
    const backend = makeEngine("e", `http://127.0.0.1:${server.port}`, KEY);
    const told = await askBackend(
      backend,
      {
        family: "openai",
        path: "/models",
        below: "base",
        headers: {},
        timeoutMs: 20_000,
        signal: new AbortController().signal,
        ...question,
      },
      { dialCheck: createDialCheck(now), session: undefined, now },
    ).catch((error: unknown) => error);
    return { told, seen };
  } finally {
    await server.stop(true);
  }
}

const endless = (chunk: string, everyMs: number): Response =>
  new Response(
    new ReadableStream({
      async pull(controller) {
        await Bun.sleep(everyMs);
        controller.enqueue(new TextEncoder().encode(chunk));
      },
    }),
  );

const silent = (): Promise<Response> => new Promise(() => undefined);

describe("a question to a backend", () => {
  test("carries its key and brings any status with its text", async () => {
    const { told, seen } = await ask(() => new Response("not yet", { status: 503 }));
    expect(told).toEqual({ status: 503, text: "not yet" });
    expect(seen).toEqual([`/v1/models Bearer sk-${KEY}`]);
  });

  test("below the root leaves the base's /v1 out", async () => {
    const { seen } = await ask(() => new Response("ok"), { below: "root", path: "/metrics" });
    expect(seen[0]).toStartWith("/metrics ");
  });

  test("follows no redirect", async () => {
    const { told, seen } = await ask(() => Response.redirect("/elsewhere", 302));
    expect([told, seen.length]).toMatchObject([{ status: 302 }, 1]);
  });

  test("is given up when the answer goes on for ever, by bytes", async () => {
    const { told } = await ask(() => endless("x".repeat(1024 * 1024), 0));
    expect(told).toMatchObject({ code: "the answer is too long" });
  });

  test("is given up when the answer goes on for ever, by time", async () => {
    const { told } = await ask(() => endless("x", 10), { timeoutMs: 1000 });
    expect(told).toMatchObject({ code: "the answer stalled" });
  });

  test("is given up when no head comes, and when it is called off", async () => {
    expect((await ask(silent, { timeoutMs: 100 })).told).toMatchObject({ code: "no answer within 0.1 s" });
    const abort = new AbortController();
    const asked = ask(silent, { signal: abort.signal });
    abort.abort();
    expect((await asked).told).toMatchObject({ code: "stopped" });
  });

  test("that cannot be put fails with a reason without address and key", async () => {
    const dead = makeEngine("e", "http://127.0.0.1:1", KEY);
    const question = { family: "openai", path: "/models", below: "base", headers: {} } as const;
    const told = await askBackend(
      dead,
      { ...question, timeoutMs: 20_000, signal: new AbortController().signal },
      { dialCheck: createDialCheck(now), session: undefined, now },
    ).catch((error: unknown) => error);
    expect(told).toMatchObject({ code: expect.stringMatching(/^cannot connect: \w+$/) });
    expect(String(told)).not.toContain(KEY);
  });
});
