// What displays say of many backends, and what single requests and attempts tell for them.
import { expect, setDefaultTimeout, test } from "bun:test";
import { startFake } from "../../src/fake/server.ts";
import { jsonResponse, startRawUpstream } from "../support/raw.ts";
import { readEvents } from "../support/sse.ts";
import { createLatch, until } from "../support/until.ts";
import { startWeir, type Weir } from "../support/weir.ts";

// Hundreds of calls, on machines that do other things too.
setDefaultTimeout(60_000);

async function embed(weir: Weir, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1)
    await (await weir.post("/v1/embeddings", { model: "gpt-4o", input: "x" })).text();
}

test("a thousand backends are shown in time, and what is pushed stays small", async () => {
  const fake = startFake({});
  const keys = Array.from({ length: 1000 }, (_, index) => `sk-many-${String(index).padStart(12, "0")}`);
  await using weir = startWeir({
    providers: [{ name: "openai", urls: [fake.url], keys, models: ["gpt-4o"] }],
  });
  await embed(weir, 50);
  const took: number[] = [];
  let bytes = 0;
  for (let index = 0; index < 20; index += 1) {
    const startedMs = performance.now();
    const text = await (await fetch(`${weir.url}/api/dashboard`)).text();
    took.push(performance.now() - startedMs);
    bytes = text.length;
    expect(JSON.parse(text).backends).toHaveLength(1000);
  }
  const median = took.toSorted((a, b) => a - b)[10] ?? 0;
  console.log(
    `/api/dashboard of 1,000 backends: median ${median.toFixed(1)} ms, ${Math.round(bytes / 1024)} KiB`,
  );
  const abort = new AbortController();
  const sizes: number[] = [];
  for await (const { event, data } of readEvents(
    await fetch(`${weir.url}/api/events`, { signal: abort.signal }),
  )) {
    if (event === "status") sizes.push(JSON.stringify(data).length);
    if (sizes.length === 1) await embed(weir, 5);
    if (sizes.length === 3) break;
  }
  abort.abort();
  const [whole = 0, ...changes] = sizes;
  expect(whole).toBeGreaterThan(500_000);
  for (const change of changes) expect(change).toBeLessThan(50_000);
});

test("a request's time is told apart: in line, at the backend, and weir's own", async () => {
  const served = createLatch();
  await using upstream = await startRawUpstream(async ({ socket, number }) => {
    if (number === 1) await served.opened;
    socket.write(jsonResponse({ data: [] }));
  });
  await using weir = startWeir({
    providers: [
      {
        name: "openai",
        urls: [upstream.url],
        keys: ["sk-one-000000000001"],
        adjust: (backend) => ({ ...backend, limits: { concurrency: 1 } }),
      },
    ],
    queue: { maxWaitMs: 10_000 },
  });
  const asked = [embed(weir, 1)];
  await until(() => upstream.calls.length === 1, "the first is at the backend");
  asked.push(embed(weir, 1));
  const metrics = async (): Promise<string> => (await fetch(`${weir.url}/metrics`)).text();
  while (!/^weir_requests_queued 1$/m.test(await metrics())) await Bun.sleep(5);
  served.open();
  await Promise.all(asked);
  await weir.finished(2);
  // The second has waited for the end of the first.
  const [first, second] = weir.requests();
  const spent = weir.attempts().map(({ durationMs }) => durationMs);
  expect(first?.queuedMs).toBe(0);
  expect(second?.queuedMs).toBeGreaterThan(0);
  // What is left of the whole is weir's, and the body that it waited for.
  for (const request of [first, second]) {
    const others = (request?.queuedMs ?? 0) + Math.min(...spent) + (request?.overheadMs ?? 0);
    expect(others).toBeLessThanOrEqual((request?.durationMs ?? 0) + 0.001);
  }
  expect(weir.attempts().map(({ attempt, label }) => [attempt, label])).toEqual([
    [1, "other"],
    [1, "other"],
  ]);
});

test("a retry tells what the attempt before came to, and a fallback that it was one", async () => {
  const fake = startFake({
    script: {
      rules: [
        { match: { model: "down" }, do: { error: "unavailable" } },
        { times: 1, do: { error: "rate_limit", retry_after: "30s" } },
      ],
    },
  });
  await using weir = startWeir({
    providers: [{ name: "openai", urls: [fake.url], keys: ["sk-one-000000000001", "sk-two-000000000002"] }],
    fallbacks: { general: new Map([["down", ["up"]]]) },
    retry: { max: 0 },
  });
  await (await weir.post("/v1/embeddings", { model: "up", input: "x" })).text();
  await weir.finished(1);
  expect(weir.attempts().map(({ attempt, after }) => [attempt, after])).toEqual([
    [1, undefined],
    [2, "rate_limited"],
  ]);
  await (await weir.post("/v1/embeddings", { model: "down", input: "x" })).text();
  const end = await weir.finished(2);
  expect(end).toMatchObject({ status: 200, fallbacks: 1, route: "openai" });
});
