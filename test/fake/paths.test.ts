// Paths: every operation under any base path, the engines' own, and what nobody has heard of.
import { afterAll, expect, test } from "bun:test";
import { routeOf } from "../../src/fake/families/route.ts";
import { startFake } from "../../src/fake/server.ts";

const fake = startFake();
afterAll(() => fake.stop());

const post = async (path: string, body: unknown) => {
  const answer = await fetch(fake.url + path, { method: "POST", body: JSON.stringify(body) });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
};

test("a path finds its operation under any base path", () => {
  for (const base of ["", "/v1", "/openai/v1", "/api/v1", "/api/paas/v4", "/compatible-mode/v1"]) {
    expect(routeOf(`${base}/chat/completions`)).toMatchObject({ family: "openai", operation: "chat" });
    expect(routeOf(`${base}/completions`)).toMatchObject({ operation: "completions" });
    expect(routeOf(`${base}/files/file-1/content`)).toMatchObject({
      operation: "files",
      object: "file-1/content",
    });
    expect(routeOf(`${base}/models/org%2Fmodel`)).toMatchObject({ operation: "models", object: "org/model" });
  }
  expect(routeOf("/anthropic/v1/messages/count_tokens")).toMatchObject({ operation: "count_tokens" });
  expect(routeOf("/v1/threads/t1/messages")).toMatchObject({ family: "openai", operation: "other" });
  expect(routeOf("/google/v1beta/models/a/b:streamGenerateContent")).toMatchObject({
    family: "gemini",
    model: "a/b",
    operation: "streamGenerateContent",
  });
  expect(routeOf("/openai/deployments/my%20gpt/embeddings")).toMatchObject({
    operation: "embeddings",
    model: "my gpt",
  });
});

test("models come in the shape of whoever asks", async () => {
  const read = async (path: string, headers: Record<string, string> = {}) =>
    (await fetch(fake.url + path, { headers })).json();
  expect(await read("/v1/models")).toMatchObject({ object: "list" });
  expect(await read("/v1/models", { "anthropic-version": "2023-06-01" })).toMatchObject({ has_more: false });
  expect((await read("/v1beta/models")).models[0]).toMatchObject({ name: "models/gpt-4o" });
  expect((await fetch(`${fake.url}/v1/models/none`)).status).toBe(404);
});

test("the engines' paths answer: rerank, score, tokenize, detokenize", async () => {
  const ranked = await post("/v1/rerank", { model: "r", query: "q", documents: ["a", "b", "c"], top_n: 2 });
  const results = ranked.body["results"] as { relevance_score: number }[];
  expect(results).toHaveLength(2);
  expect(results[0]!.relevance_score).toBeGreaterThanOrEqual(results[1]!.relevance_score);
  expect((await post("/score", { model: "s", text_1: "a", text_2: ["b", "c"] })).body["data"]).toHaveLength(
    2,
  );
  const tokens = (await post("/tokenize", { model: "t", prompt: "weir" })).body["tokens"];
  expect((await post("/detokenize", { model: "t", tokens })).body).toEqual({ prompt: "weir" });
});

test("an unknown path with a model is echoed, and without one is not found", async () => {
  expect((await post("/v1/future/thing", { model: "m" })).body).toMatchObject({
    object: "fake.echo",
    model: "m",
  });
  expect((await post("/v1/future/thing", {})).status).toBe(404);
  expect((await fetch(`${fake.url}/favicon.ico`)).status).toBe(404);
});

test("Gemini's stream without alt=sse is one JSON array", async () => {
  const answer = await fetch(`${fake.url}/v1beta/models/g:streamGenerateContent`, {
    method: "POST",
    body: "{}",
  });
  const parts = (await answer.json()) as { candidates: { finishReason?: string }[] }[];
  expect(parts).toHaveLength(15);
  expect(parts.at(-1)!.candidates[0]!.finishReason).toBe("STOP");
});

test("a HEAD request gets a head and nothing else", async () => {
  const answer = await fetch(`${fake.url}/v1/models`, { method: "HEAD" });
  expect(Number(answer.headers.get("content-length"))).toBeGreaterThan(100);
  expect(await answer.text()).toBe("");
});

test("a large upload arrives whole, with a length and in chunks", async () => {
  const body = Buffer.alloc(8 * 1024 * 1024, "weir ");
  const expected = new Bun.CryptoHasher("sha256").update(body).digest("hex");
  const chunked = new ReadableStream({
    start(controller) {
      for (let at = 0; at < body.length; at += 300_000) controller.enqueue(body.subarray(at, at + 300_000));
      controller.close();
    },
  });
  for (const one of [body, chunked]) {
    await fetch(`${fake.url}/v1/files`, { method: "POST", body: one }).then((answer) => answer.text());
    expect(fake.ledger.calls().at(-1)).toMatchObject({ bodySha256: expected, bodyBytes: body.length });
  }
});
