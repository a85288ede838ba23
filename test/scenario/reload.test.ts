// A reload under way: what is running stays where it is, what was learned is kept, what is new is used at once.
import { describe, expect, test } from "bun:test";
import { startFake } from "../../src/fake/server.ts";
import { dialRaw, exchange, postBytes, statusOf } from "../support/raw.ts";
import { until } from "../support/until.ts";
import { buildConfig, startWeir, type WeirSetup } from "../support/weir.ts";

const K1 = "sk-first-000000000000000001";
const K2 = "sk-second-00000000000000002";
const K3 = "sk-third-000000000000000003";
const PATH = "/v1/chat/completions";
const CHAT = { model: "gpt-4o", messages: [{ role: "user", content: "hello" }] };

const withKeys = (url: string, ...keys: string[]): WeirSetup => ({
  providers: [{ name: "openai", urls: [url], keys }],
});

describe("a reload", () => {
  test("uses a new key from the next request on, and a removed one no more", async () => {
    const fake = startFake();
    await using weir = startWeir(withKeys(fake.url, K1, K2));
    for (let count = 0; count < 4; count += 1) await (await weir.post(PATH, CHAT)).arrayBuffer();
    weir.app.reload(buildConfig(withKeys(fake.url, K1, K2, K3)));
    for (let count = 0; count < 3; count += 1) await (await weir.post(PATH, CHAT)).arrayBuffer();
    expect(
      fake.ledger
        .calls()
        .slice(4)
        .map((call) => call.key),
    ).toContain(K3);
    weir.app.reload(buildConfig(withKeys(fake.url, K1)));
    for (let count = 0; count < 3; count += 1) await (await weir.post(PATH, CHAT)).arrayBuffer();
    expect(
      fake.ledger
        .calls()
        .slice(7)
        .map((call) => call.key),
    ).toEqual([K1, K1, K1]);
    expect(weir.events.filter((event) => event.kind === "pool_changed")).toHaveLength(2);
    await fake.stop();
  });

  test("asks for the models again where none are known: after a failure, and when every key is another", async () => {
    const fake = startFake({ script: { keys: [K2, K3], models: ["gpt-9"] } });
    const models = async () => (await Array.fromAsync(weir.openai().models.list())).map(({ id }) => id);
    const setup = (...keys: string[]): WeirSetup => ({
      providers: [
        {
          name: "openai",
          urls: [fake.url],
          keys,
          // As in earnest, a backend with another key is another backend.
          adjust: (backend) => ({ ...backend, id: `openai-${backend.credential.secret?.reveal()}` }),
        },
      ],
      discover: true,
    });
    const failed = () => weir.events.some(({ kind }) => kind === "discovery_failed");
    await using weir = startWeir(setup(K1));
    await until(failed, "the list has failed");
    expect(await models()).toEqual([]);
    for (const [count, key] of [K2, K3].entries()) {
      weir.app.reload(buildConfig(setup(key)));
      await weir.found(count + 1);
      expect(await models()).toEqual(["gpt-9"]);
    }
    weir.app.reload(buildConfig(setup(K2, K3)));
    await weir.idle();
    expect(fake.ledger.calls().map(({ key }) => key)).toEqual([K1, K2, K3]);
    await fake.stop();
  });

  test("keeps a key's rest and a backend's failures", async () => {
    const fake = startFake({
      script: {
        rules: [
          { match: { key: K1 }, do: { error: "rate_limit", retry_after: "30s" } },
          { match: { key: K2 }, times: 1, do: 500 },
        ],
      },
    });
    await using weir = startWeir(withKeys(fake.url, K1, K2));
    await (await weir.post(PATH, CHAT)).arrayBuffer();
    const before = weir.slot(K1).keyState.rest;
    expect(before).toBeDefined();
    weir.app.reload(buildConfig(withKeys(fake.url, K1, K2)));
    expect(weir.slot(K1).keyState.rest).toEqual(before);
    await (await weir.post(PATH, CHAT)).arrayBuffer();
    expect(fake.ledger.calls().filter((call) => call.key === K1)).toHaveLength(1);
    await fake.stop();
  });

  test("lets a stream finish on a backend that it removes, and counts it down", async () => {
    const fake = startFake({ script: { gap: "10ms", tokens: 30 } });
    await using weir = startWeir(withKeys(fake.url, K1));
    const removed = weir.slot(K1);
    await using client = await dialRaw(weir.port);
    client.send(postBytes(PATH, JSON.stringify({ ...CHAT, stream: true })));
    await client.until((received) => received.includes("data: "), "the stream begins");
    expect(removed.state.inFlight).toBe(1);
    weir.app.reload(buildConfig(withKeys(fake.url, K2)));
    await client.until((received) => received.endsWith("0\r\n\r\n"), "the stream ends");
    expect(client.received).toContain("data: [DONE]");
    await weir.idle();
    expect(removed.state.inFlight).toBe(0);
    expect((await weir.finished()).ending).toBe("complete");
    await fake.stop();
  });

  test("brings client tokens and hosts into force at once", async () => {
    const fake = startFake();
    await using weir = startWeir(withKeys(fake.url, K1));
    const ask = (token: string): Promise<Response> =>
      weir.post(PATH, CHAT, { headers: { authorization: `Bearer ${token}` } });
    expect((await ask("anything")).status).toBe(200);
    weir.app.reload(buildConfig({ ...withKeys(fake.url, K1), accessKeys: ["team-1", "team-2"] }));
    expect((await ask("anything")).status).toBe(401);
    expect((await ask("team-2")).status).toBe(200);
    weir.app.reload(buildConfig({ ...withKeys(fake.url, K1), server: { allowedHosts: ["weir.test"] } }));
    const named = await exchange(
      weir.port,
      postBytes(PATH, JSON.stringify(CHAT)).replace("localhost", "weir.test"),
    );
    expect(statusOf(named)).toBe(200);
    await fake.stop();
  });

  test("in the middle of a failover goes on with the new keys", async () => {
    const fake = startFake({ script: { rules: [{ match: { key: K1 }, do: 503 }] } });
    await using weir = startWeir({
      ...withKeys(fake.url, K1),
      retry: { backoffMs: 2000, maxBackoffMs: 2000 },
    });
    const answer = weir.post(PATH, CHAT);
    await fake.ledger.waitFor((entry) => entry.state === "finished");
    weir.app.reload(buildConfig(withKeys(fake.url, K2)));
    expect((await answer).status).toBe(200);
    expect(fake.ledger.calls().map((call) => call.key)).toEqual([K1, K2]);
    await fake.stop();
  });

  test("lets a request that waits for a limit go on with what it brings", async () => {
    const fake = startFake();
    const limited = (...keys: string[]): WeirSetup => ({
      providers: [
        {
          name: "openai",
          urls: [fake.url],
          keys,
          adjust: (backend) => ({
            ...backend,
            credential: { ...backend.credential, limits: { requestsPerMinute: 1 } },
          }),
        },
      ],
      queue: { maxWaitMs: 600_000 },
    });
    await using weir = startWeir(limited(K1));
    expect((await weir.post(PATH, CHAT)).status).toBe(200);
    const waiting = weir.post(PATH, CHAT);
    const metrics = async () => (await fetch(`${weir.url}/metrics`)).text();
    while (!/^weir_requests_queued 1$/m.test(await metrics())) await Bun.sleep(5);
    weir.app.reload(buildConfig(limited(K1, K2)));
    expect((await waiting).status).toBe(200);
    expect(fake.ledger.calls().map((call) => call.key)).toEqual([K1, K2]);
    await fake.stop();
  });

  test("a hundred times under load loses nothing", async () => {
    const fake = startFake({ script: { latency: "2ms" } });
    await using weir = startWeir(withKeys(fake.url, K1, K2));
    const over = new AbortController();
    const statuses: number[] = [];
    const load = async (): Promise<void> => {
      while (!over.signal.aborted) {
        const answer = await weir.post(PATH, CHAT);
        await answer.arrayBuffer();
        statuses.push(answer.status);
      }
    };
    const loads = Array.from({ length: 8 }, load);
    for (let reloads = 1; reloads <= 100; reloads += 1) {
      weir.app.reload(buildConfig(withKeys(fake.url, ...(reloads % 2 === 0 ? [K1, K2] : [K2, K3]))));
      await Bun.sleep(2);
    }
    await until(() => statuses.length > 100, "enough have been answered");
    over.abort();
    await Promise.all(loads);
    expect(new Set(statuses)).toEqual(new Set([200]));
    await fake.stop();
  });
});
