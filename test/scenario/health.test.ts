// Engines that come, go, fill up and move, seen through the whole app: what is asked of them, and who gets the requests.
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { type Fake, startFake } from "../../src/fake/server.ts";
import { jsonResponse, startRawUpstream } from "../support/raw.ts";
import { createLatch, until } from "../support/until.ts";
import { backendId, buildConfig, startWeir, type Weir, type WeirSetup } from "../support/weir.ts";

const PATH = "/v1/chat/completions";
const CHAT = { model: "fake-model", messages: [{ role: "user", content: "hello" }] };

/** Everything a hundred times quicker; a time-out is a fault here, so it is long. */
const QUICK = {
  settings: { intervalMs: 300, fastIntervalMs: 50, timeoutMs: 5000, metricsIntervalMs: 30 },
};

const fleet = (urls: readonly string[], more: Partial<WeirSetup> = {}): WeirSetup => ({
  discover: true,
  health: QUICK,
  providers: [{ name: "vllm", urls }],
  ...more,
});

const readiness = async (weir: Weir): Promise<number> => (await fetch(`${weir.url}/health/ready`)).status;
const chat = async (weir: Weir): Promise<number> => {
  const answer = await weir.post(PATH, CHAT);
  await answer.arrayBuffer();
  return answer.status;
};
const count = (fake: Fake, path: string): number =>
  fake.ledger.calls().filter((call) => call.path === path).length;
const chats = (fake: Fake): number => count(fake, PATH);
const stateOf = (weir: Weir, url: number) =>
  weir.app.pool.current.slots.find(({ backend }) => backend.id === backendId("vllm", 0, url))?.state;
const told = (weir: Weir, kind: string): number => weir.events.filter((event) => event.kind === kind).length;

describe("an engine", () => {
  test("that is down at the start serves within one fast interval of coming up", async () => {
    const late = startFake({ script: { accept: "refuse" } });
    // Whatever else asks comes too late for this test.
    const settings = { ...QUICK.settings, intervalMs: 600_000, fastIntervalMs: 200 };
    await using weir = startWeir(fleet([late.url], { health: { settings } }));
    await until(() => told(weir, "engine_down") === 1, "the engine is found down");
    expect(await readiness(weir)).toBe(503);
    late.configure({});
    await until(() => stateOf(weir, 0)?.rest === undefined, "its rest is over");
    expect(count(late, "/v1/models")).toBe(1);
    expect(await chat(weir)).toBe(200);
    expect(await readiness(weir)).toBe(200);
    await late.stop();
  });

  test("goes down after three failed probes, gets nothing then, and is back after one good one", async () => {
    const [sick, well] = [startFake(), startFake()];
    const other = startFake();
    await using weir = startWeir(fleet([sick.url, well.url, other.url]));
    await until(() => told(weir, "engines_probed") === 1, "all have been asked");
    expect(told(weir, "engine_up")).toBe(3);
    sick.configure({ rules: [{ match: { method: "GET", path: "/v1/models" }, do: 500 }] });
    const before = count(sick, "/v1/models");
    await until(() => told(weir, "engine_down") === 1, "the sick one is found down");
    expect(count(sick, "/v1/models") - before).toBeGreaterThanOrEqual(3);
    expect(stateOf(weir, 0)?.rest).toMatchObject({ cause: "down", detail: "probe: status 500" });
    const had = chats(sick);
    for (let call = 0; call < 6; call += 1) expect(await chat(weir)).toBe(200);
    expect(chats(sick)).toBe(had);
    const asked = count(sick, "/v1/models");
    sick.configure({});
    await until(() => told(weir, "engine_up") === 4, "it is up again");
    expect(count(sick, "/v1/models") - asked).toBeLessThanOrEqual(2);
    for (let call = 0; call < 6; call += 1) expect(await chat(weir)).toBe(200);
    expect(chats(sick)).toBeGreaterThan(0);
    await Promise.all([sick, well, other].map((fake) => fake.stop()));
  });

  test("whose chat fails stays out though its probes are good", async () => {
    const sick = startFake({ script: { rules: [{ match: { path: PATH }, do: 500 }] } });
    const [well, other] = [startFake(), startFake()];
    await using weir = startWeir(
      fleet([sick.url, well.url, other.url], { cooldown: { threshold: 1, firstMs: 60_000 } }),
    );
    await until(() => told(weir, "engines_probed") === 1, "all have been asked");
    for (let call = 0; call < 3; call += 1) expect(await chat(weir)).toBe(200);
    const probes = count(sick, "/v1/models");
    await until(() => count(sick, "/v1/models") >= probes + 3, "it was probed three times more");
    for (let call = 0; call < 6; call += 1) expect(await chat(weir)).toBe(200);
    expect(stateOf(weir, 0)).toMatchObject({ rest: { cause: "failures" }, health: { standing: "up" } });
    expect(chats(sick)).toBe(1);
    await Promise.all([sick, well, other].map((fake) => fake.stop()));
  });

  test("that refuses its key is up, and the log says whose key it is", async () => {
    const fake = startFake({ script: { keys: ["right"] } });
    const wrong = "sk-wrong-0000000000000000001";
    await using weir = startWeir({
      ...fleet([]),
      providers: [{ name: "vllm", urls: [fake.url], keys: [wrong] }],
    });
    await until(() => told(weir, "engine_key_refused") === 1, "the refusal is told");
    expect(stateOf(weir, 0)?.health.standing).toBe("up");
    const line = weir.lines.find((text) => text.includes("refuses the key")) ?? "";
    expect(JSON.parse(line)).toMatchObject({ level: "error", key: "***0001", status: 401 });
    expect(weir.lines.join("")).not.toContain(wrong);
    await fake.stop();
  });
});

describe("readiness", () => {
  test("of engines alone waits for the first round, of hosted keys does not", async () => {
    const listed = createLatch();
    await using slow = await startRawUpstream(async ({ head, socket }) => {
      if (!head.startsWith("GET /v1/models")) return socket.write(jsonResponse({ choices: [] }));
      await listed.opened;
      return socket.write(jsonResponse({ object: "list", data: [] }));
    });
    const hosted = startFake();
    await using alone = startWeir(fleet([slow.url]));
    expect(await readiness(alone)).toBe(503);
    await using mixed = startWeir({
      ...fleet([]),
      providers: [
        { name: "vllm", urls: [slow.url] },
        { name: "openai", urls: [hosted.url], keys: ["sk-hosted-0000000000000001"] },
      ],
    });
    expect(await readiness(mixed)).toBe(200);
    expect(await chat(alone)).toBe(200);
    listed.open();
    await until(() => told(alone, "engines_probed") === 1, "the engine has been asked");
    expect(await readiness(alone)).toBe(200);
    await hosted.stop();
  });
});

describe("a hosted provider", () => {
  test("gets exactly one GET of its models, and no completion", async () => {
    const hosted = startFake({ script: { models: ["gpt-4o"] } });
    const engine = startFake();
    const setup: WeirSetup = {
      ...fleet([]),
      providers: [
        { name: "openai", urls: [hosted.url], keys: ["sk-hosted-0000000000000001", "sk-hosted-2"] },
        { name: "vllm", urls: [engine.url] },
      ],
    };
    await using weir = startWeir(setup);
    await weir.found(1);
    weir.app.reload(buildConfig(setup));
    await until(() => count(engine, "/v1/models") >= 4, "the engine has been asked four times");
    expect(hosted.ledger.calls().map(({ method, path, key }) => [method, path, key])).toEqual([
      ["GET", "/v1/models", "sk-hosted-0000000000000001"],
    ]);
    await Promise.all([hosted.stop(), engine.stop()]);
  });
});

const leastWaiting: WeirSetup["shapePool"] = (pool) => ({
  ...pool,
  providerRoutes: pool.providerRoutes.map((route) => ({ ...route, strategy: "least-waiting" })),
});

describe("engines' metrics", () => {
  test("steer requests to the one that has no queue, and change when the engines do", async () => {
    const [one, two] = [
      startFake({ script: { metrics: { engine: "vllm", waiting: [30, 20] } } }),
      startFake({ script: { metrics: { engine: "sglang", waiting: 0 } } }),
    ];
    // Figures are believed for three intervals, so that these outlast every stall of the machine.
    const settings = { ...QUICK.settings, metricsIntervalMs: 1000 };
    await using weir = startWeir(
      fleet([one.url, two.url], { shapePool: leastWaiting, random: Math.random, health: { settings } }),
    );
    const waiting = () => [0, 1].map((url) => stateOf(weir, url)?.measures.load?.waiting);
    await until(() => waiting().join() === "50,0", "both queues are known");
    for (let call = 0; call < 40; call += 1) expect(await chat(weir)).toBe(200);
    expect(chats(two)).toBeGreaterThanOrEqual(38);
    one.configure({ metrics: { engine: "vllm-old", waiting: 0 } });
    two.configure({ metrics: { engine: "sglang", waiting: [40, 10] } });
    await until(() => waiting().join() === "0,50", "both queues have changed");
    const had = chats(one);
    for (let call = 0; call < 40; call += 1) expect(await chat(weir)).toBe(200);
    expect(chats(one) - had).toBeGreaterThanOrEqual(38);
    await Promise.all([one.stop(), two.stop()]);
  });

  test("are asked for at the root; an engine without them is asked once", async () => {
    const [with_, without] = [startFake({ script: { metrics: "vllm" } }), startFake()];
    await using weir = startWeir(fleet([with_.url, without.url]));
    await until(() => count(with_, "/metrics") >= 5, "the one has been read five times");
    expect(count(without, "/metrics")).toBe(1);
    expect(stateOf(weir, 0)?.measures.load).toMatchObject({ waiting: 0, intervalMs: 30 });
    expect(stateOf(weir, 1)?.measures.load).toBeUndefined();
    await Promise.all([with_.stop(), without.stop()]);
  });
});

describe("a reload", () => {
  test("probes a new engine at once, a removed one no more, and keeps what is known of the others", async () => {
    const [gone, stays, comes] = [startFake(), startFake(), startFake()];
    const settings = { ...QUICK.settings, intervalMs: 60_000 };
    const of = (...fakes: Fake[]): WeirSetup => ({
      ...fleet([], { health: { settings } }),
      providers: fakes.map((fake, at) => ({
        name: ["vllm", "sglang", "ollama"][[gone, stays, comes].indexOf(fake)] ?? String(at),
        urls: [fake.url],
      })),
    });
    await using weir = startWeir(of(gone, stays));
    await until(() => told(weir, "engines_probed") === 1, "both have been asked");
    weir.app.reload(buildConfig(of(stays, comes)));
    await until(() => told(weir, "engine_up") === 3, "the new one is up");
    expect(await readiness(weir)).toBe(200);
    expect([gone, stays, comes].map((fake) => count(fake, "/v1/models"))).toEqual([1, 1, 1]);
    expect(weir.app.pool.current.slots.map(({ state }) => state.health.standing)).toEqual(["up", "up"]);
    await Promise.all([gone, stays, comes].map((fake) => fake.stop()));
  });
});

describe("a name with two addresses", () => {
  test("is two engines: both serve, asked for by the name, and keep their states in a reload", async () => {
    const one = startFake();
    const two = startFake({ hostname: "127.0.0.2", port: one.port });
    let looked = 0;
    const lookUp = async (): Promise<readonly string[]> => {
      looked += 1;
      return ["127.0.0.1", "127.0.0.2"];
    };
    const url = `http://engines.test:${one.port}`;
    const setup = fleet([url], { health: { ...QUICK, lookUp } });
    await using weir = startWeir(setup);
    await until(() => told(weir, "engine_up") === 2, "both are up");
    for (let call = 0; call < 10; call += 1) expect(await chat(weir)).toBe(200);
    expect([chats(one), chats(two)]).toEqual([5, 5]);
    expect(
      new Set([...one.ledger.calls(), ...two.ledger.calls()].map(({ headers }) => headers["host"])),
    ).toEqual(new Set([`engines.test:${one.port}`]));
    const kept = weir.app.pool.current.slots.map(({ state }) => state);
    weir.app.reload(buildConfig(setup));
    expect(weir.app.pool.current.slots.map(({ state }) => state)).toEqual(kept);
    expect(looked).toBe(1);
    await Promise.all([one.stop(), two.stop()]);
  });
});

test("a weir that has stopped leaves nothing behind: its process ends by itself", async () => {
  const [good, deaf] = [
    startFake({ script: { metrics: "vllm" } }),
    startFake({ script: { accept: "hang" } }),
  ];
  const child = Bun.spawn(
    [process.execPath, join(import.meta.dir, "../support/stop-and-exit.ts"), good.url, deaf.url],
    { stdout: "pipe", stderr: "pipe" },
  );
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  expect([await child.exited, out, err]).toEqual([0, "stopped\n", ""]);
  await Promise.all([good.stop(), deaf.stop()]);
}, 60_000);
