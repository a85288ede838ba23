// The fake over HTTP: its script and ledger, its page, its connections, its metrics, and running it as a program.
import { afterAll, beforeEach, expect, test } from "bun:test";
import { FAKE_HELP } from "../../src/fake/help.ts";
import { EXAMPLES } from "../../src/fake/examples.ts";
import { runFake } from "../../src/fake/run.ts";
import { startFake } from "../../src/fake/server.ts";
import { until } from "../support/until.ts";
import { chatBody, rawClient, requestText } from "./raw.ts";
import type { Fake } from "../../src/fake/server.ts";

const fake = startFake();
afterAll(() => fake.stop());
beforeEach(() => {
  fake.configure({});
  fake.ledger.clear();
});

const control = async (path: string, init: RequestInit = {}) => {
  const answer = await fetch(fake.url + path, init);
  return { status: answer.status, text: await answer.text() };
};

const chat = (url = fake.url) =>
  fetch(`${url}/v1/chat/completions`, { method: "POST", body: JSON.stringify(chatBody()) });

test("a script put over HTTP holds at once, and a bad one changes nothing", async () => {
  expect(await control("/__script", { method: "PUT", body: "rules: [{ do: 503 }]" })).toMatchObject({
    status: 200,
  });
  expect((await chat()).status).toBe(503);
  const bad = await control("/__script", { method: "PUT", body: '{"rulez": []}' });
  expect(bad).toEqual({ status: 400, text: 'rulez: unknown key; did you mean "rules"?\n' });
  expect((await chat()).status).toBe(503);
  expect(() => fake.configure({ latency: "fast" })).toThrow("latency: expected a duration");
});

test("the ledger is read and forgotten over HTTP, and does not hold its own reading", async () => {
  await chat();
  await chat();
  const all = JSON.parse((await control("/__ledger")).text);
  expect(all.counters).toMatchObject({ calls: 2, finished: 2 });
  expect(all.calls).toHaveLength(2);
  expect(all.calls[0]).toMatchObject({ operation: "chat", state: "finished" });
  expect(JSON.parse((await control("/__ledger?last=1")).text).calls[0].id).toBe(all.calls[1].id);
  await control("/__ledger", { method: "DELETE" });
  expect(JSON.parse((await control("/__ledger")).text).counters.calls).toBe(0);
});

test("the page says how to run a drill, and an unknown path of the fake's own what there is", async () => {
  const page = await control("/");
  expect(page.text).toBe(FAKE_HELP);
  for (const word of ["--script", "__ledger", "x-fake", "hang_stream", "context_length"]) {
    expect(page.text).toContain(word);
  }
  expect((await control("/__nothing")).status).toBe(404);
});

test("a fake that refuses lets no connection in, and listens again after its time", async () => {
  const startedAt = performance.now();
  fake.configure({ accept: { mode: "refuse", for: "1s" } });
  const client = rawClient(fake.port);
  expect(await client.ended).toBe("ECONNREFUSED");
  let answer: Response | undefined;
  while (answer === undefined) {
    answer = await chat().catch(() => undefined);
    if (answer === undefined) await Bun.sleep(10);
  }
  expect(answer.status).toBe(200);
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(999);
  const told = await control("/__script", { method: "PUT", body: "accept: { mode: refuse, for: 20ms }" });
  expect(told.status).toBe(200);
  fake.configure({ accept: "refuse" });
  fake.configure({});
  expect((await chat()).status).toBe(200);
});

test("a fake may close, reset or ignore what it accepts", async () => {
  const ends = { close: ["fin"], reset: ["ECONNRESET"] } as const;
  for (const mode of ["close", "reset"] as const) {
    fake.configure({ accept: mode });
    const client = rawClient(fake.port);
    client.socket.write(requestText({ body: chatBody() }));
    expect([...ends[mode], "ECONNRESET"]).toContain(await client.ended);
  }
  fake.configure({ accept: "hang" });
  const before = fake.openConnections;
  const deaf = rawClient(fake.port);
  deaf.socket.write(requestText({ body: chatBody() }));
  await until(() => fake.openConnections > before, "the connection is accepted");
  fake.configure({});
  await chat();
  expect(deaf.text()).toBe("");
  expect(fake.ledger.calls()).toHaveLength(1);
  deaf.socket.destroy();
});

test("vLLM's metrics come in its form, one label set for each engine", async () => {
  fake.configure({
    models: ["qwen/q3"],
    metrics: { engine: "vllm", running: [3, 4], waiting: [0, 7], kv_cache: [0.5, 0.25] },
  });
  const { text } = await control("/metrics");
  expect(text).toContain(
    "# HELP vllm:num_requests_running Number of requests in model execution batches.\n# TYPE vllm:num_requests_running gauge\n",
  );
  expect(text).toContain('vllm:num_requests_running{engine="0",model_name="qwen/q3"} 3.0\n');
  expect(text).toContain('vllm:num_requests_waiting{engine="1",model_name="qwen/q3"} 7.0\n');
  expect(text).toContain('vllm:kv_cache_usage_perc{engine="1",model_name="qwen/q3"} 0.25\n');
  expect(text).not.toContain("gpu_cache_usage_perc");
});

test("vLLM's older metrics have the older names", async () => {
  fake.configure({ metrics: { engine: "vllm-old", model: "m", kv_cache: 0.125 } });
  expect((await control("/metrics")).text).toContain('vllm:gpu_cache_usage_perc{model_name="m"} 0.125\n');
});

test("SGLang's metrics come in its form", async () => {
  fake.configure({ metrics: { engine: "sglang", model: "m", running: 2, waiting: 5, kv_cache: 0.28 } });
  const { text } = await control("/metrics");
  expect(text).toContain("# TYPE sglang:num_queue_reqs gauge\n");
  expect(text).toMatch(/^sglang:num_queue_reqs\{.*model_name="m".*\} 5\.0$/m);
  expect(text).toMatch(/^sglang:token_usage\{.*\} 0\.28$/m);
});

test("metrics without a script's word count the open calls, and none are known without an engine", async () => {
  expect((await control("/metrics")).status).toBe(404);
  fake.configure({ metrics: "vllm", keys: ["sk-a"] });
  const client = rawClient(fake.port);
  client.socket.write(requestText({ body: chatBody(), headers: { "x-fake": "hang_headers" } }));
  await fake.ledger.waitFor((entry) => entry.state === "open");
  expect((await control("/metrics")).text).toContain(
    'vllm:num_requests_running{engine="0",model_name="gpt-4o"} 1.0\n',
  );
  client.socket.destroy();
  expect((await control("/health")).status).toBe(200);
});

test("a fake run as a program listens until its signal, and refuses a bad script", async () => {
  const controller = new AbortController();
  const listening = Promise.withResolvers<Fake>();
  const options = { port: 0, hostname: "127.0.0.1", onListen: listening.resolve };
  const ended = runFake({ ...options, scriptText: EXAMPLES[0]!.yaml }, controller.signal);
  const { url } = await listening.promise;
  expect((await chat(url)).status).toBe(401);
  controller.abort();
  await ended;
  expect(await rawClient(Number(new URL(url).port)).ended).toBe("ECONNREFUSED");
  expect(await runFake({ ...options, scriptText: "x: 1" }, controller.signal).catch(String)).toContain(
    "x: unknown key",
  );
});

test("a client that sends ahead is answered in order", async () => {
  const client = rawClient(fake.port);
  const one = requestText({ body: chatBody({ max_tokens: 1 }) });
  client.socket.write(
    one + one + requestText({ method: "GET", path: "/v1/models", headers: { connection: "close" } }),
  );
  expect(await client.ended).toBe("fin");
  expect(client.text().match(/HTTP\/1\.1 200 OK/g)).toHaveLength(3);
  expect(client.text().indexOf("chatcmpl")).toBeLessThan(client.text().indexOf('"object":"list"'));
  expect(fake.ledger.calls().map((entry) => entry.turn)).toEqual([1, 2, 3]);
});

test("a request that is not HTTP is answered 400", async () => {
  const client = rawClient(fake.port);
  client.socket.write("nonsense\r\n\r\n");
  expect(await client.ended).toBe("fin");
  expect(client.text()).toStartWith("HTTP/1.1 400 ");
});
