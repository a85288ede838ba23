import { describe, expect, test } from "bun:test";
import { nextSnapshot } from "../../src/core/pool.ts";
import type { PoolSpec } from "../../src/core/pool-spec.ts";
import { noteProbe } from "../../src/core/backend-state.ts";
import type { Told } from "../../src/core/question.ts";
import { startScraper } from "../../src/health/scraper.ts";
import { HEALTH_DEFAULTS } from "../../src/health/settings.ts";
import {
  type Answer,
  engineSpec,
  makeEngine,
  makeFleet,
  refused,
  status,
  twoProviders,
} from "../support/engines.ts";
import { createSchedule } from "../support/schedule.ts";

const page = (waiting: number): Told => ({
  status: 200,
  text: `vllm:num_requests_waiting ${waiting}\nvllm:num_requests_running 2\nvllm:kv_cache_usage_perc 0.5\n`,
});

/** All engines are up, unless told otherwise. */
function start(spec: PoolSpec, answer: Answer, random: () => number = () => 0) {
  const schedule = createSchedule();
  const fleet = makeFleet(spec, schedule.now, answer);
  const { now, after } = schedule;
  const { pool, ask } = fleet;
  const scraper = startScraper({ pool, ask, now, random, after, settings: HEALTH_DEFAULTS });
  const probe = (id: string, good: boolean): void => {
    const noted = { good, detail: "", nowMs: now(), threshold: 1, dueMs: now() + 60_000 };
    noteProbe(fleet.state(id), noted);
    scraper.refresh();
  };
  for (const { backend } of pool.current.slots) probe(backend.id, true);
  const times = (id: string) => fleet.asked.flatMap(({ backend, atMs }) => (backend === id ? [atMs] : []));
  const load = (id: string) => fleet.state(id).measures.load;
  return {
    ...schedule,
    ...fleet,
    scraper,
    probe,
    times,
    load,
    async [Symbol.asyncDispose]() {
      await scraper.stop();
      expect([schedule.pending(), fleet.open()]).toEqual([0, 0]);
    },
  };
}

/** Behind a path of a shared host. */
const deep = (id: string, key: string) => {
  const engine = makeEngine(id, "http://e", key);
  const { openai } = engine.endpoints;
  return { ...engine, endpoints: { openai: { ...openai!, baseUrl: "http://e/engine-1/v1" } } };
};

describe("an engine's metrics", () => {
  test("are read at the server's root every 3 s", async () => {
    await using run = start(engineSpec(makeEngine("e")), () => page(7));
    await run.advance(9000);
    expect(run.times("e")).toEqual([0, 3000, 6000, 9000]);
    expect(run.asked[0]?.url).toBe("http://e:8000/metrics");
    expect(run.load("e")).toEqual({
      engine: "vllm",
      waiting: 7,
      running: 2,
      cacheShare: 0.5,
      atMs: 9000,
      intervalMs: 3000,
    });
  });

  test("are spread over the interval", async () => {
    await using run = start(
      engineSpec(makeEngine("e")),
      () => page(7),
      () => 0.9,
    );
    await run.advance(7000);
    expect(run.times("e").map(Math.round)).toEqual([0, 300, 3300, 6300]);
  });

  test("are read below what stands before /v1, once for all backends of a server", async () => {
    await using run = start(engineSpec(deep("a", "k1"), deep("b", "k2")), () => page(3));
    await run.advance(3000);
    expect(run.asked.map(({ url }) => url)).toEqual(Array(2).fill("http://e/engine-1/metrics"));
    expect([run.load("a")?.waiting, run.load("b")?.waiting]).toEqual([3, 3]);
  });

  test("are not read before it is up, nor while it is down", async () => {
    await using run = start(engineSpec(makeEngine("e")), () => page(7));
    await run.advance(1000);
    run.probe("e", false);
    await run.advance(60_000);
    expect(run.times("e")).toEqual([0]);
    run.probe("e", true);
    await run.advance(0);
    expect(run.times("e")).toEqual([0, 61_000]);
  });

  test("that are missing are looked for again after ten minutes, or when the engine is back", async () => {
    await using run = start(engineSpec(makeEngine("e")), () => status(404));
    await run.advance(599_000);
    expect(run.times("e")).toEqual([0]);
    await run.advance(1000);
    expect(run.times("e")).toEqual([0, 600_000]);
    run.probe("e", false);
    run.probe("e", true);
    await run.advance(0);
    expect(run.times("e")).toHaveLength(3);
  });

  test.each([
    [501, ""],
    [403, ""],
    [200, "<html>"],
    [200, "go_goroutines 8\n"],
  ])("with status %d and %j are missing", async (code, text) => {
    await using run = start(engineSpec(makeEngine("e")), () => ({ status: code, text }));
    await run.advance(60_000);
    expect([run.times("e"), run.load("e")]).toEqual([[0], undefined]);
  });

  test("that fail are no load, and are tried after 6, 12, 24, 48 and then every 60 s", async () => {
    await using run = start(engineSpec(makeEngine("e")), () => page(7));
    await run.advance(1000);
    run.answerWith(() => refused());
    await run.advance(2000);
    expect(run.load("e")).toBeUndefined();
    await run.advance(210_000);
    expect(run.times("e")).toEqual([0, 3000, 9000, 21_000, 45_000, 93_000, 153_000, 213_000]);
    run.answerWith(() => page(1));
    await run.advance(63_000);
    expect(run.times("e").slice(-2)).toEqual([273_000, 276_000]);
    expect(run.load("e")?.waiting).toBe(1);
  });

  test("with a 5xx are a failure, not missing", async () => {
    await using run = start(engineSpec(makeEngine("e")), () => status(503));
    await run.advance(6000);
    expect(run.times("e")).toEqual([0, 6000]);
  });

  test("are read as often as their provider says, from a reload on at once", async () => {
    const every = (metricsIntervalMs: number) => twoProviders({ health: { metricsIntervalMs } }, {});
    await using run = start(every(1000), () => page(7));
    await run.advance(2000);
    expect([run.times("a"), run.times("b")]).toEqual([[0, 1000, 2000], [0]]);
    expect(run.load("a")?.intervalMs).toBe(1000);
    run.pool.replace((previous) => nextSnapshot(previous, every(10_000)));
    await run.advance(500);
    run.scraper.refresh();
    await run.advance(10_000);
    expect(run.times("a")).toEqual([0, 1000, 2000, 2500, 12_500]);
    expect(run.times("b")).toEqual([0, 3000, 6000, 9000, 12_000]);
    expect(run.load("a")?.intervalMs).toBe(10_000);
  });

  test("of a hundred are read twenty at a time, and the end calls them off", async () => {
    const many = Array.from({ length: 100 }, (_, at) => makeEngine(`e${at}`));
    await using run = start(engineSpec(...many), () => new Promise<Told>(() => undefined));
    await run.advance(100);
    expect([run.open(), run.mostOpen()]).toEqual([20, 20]);
  });
});
