import { describe, expect, test } from "bun:test";
import { nextSnapshot } from "../../src/core/pool.ts";
import type { PoolSpec } from "../../src/core/pool-spec.ts";
import { isResting } from "../../src/core/rest.ts";
import type { Told } from "../../src/core/question.ts";
import { startProber } from "../../src/health/prober.ts";
import { HEALTH_DEFAULTS } from "../../src/health/settings.ts";
import {
  type Answer,
  engineSpec,
  listOf,
  makeEngine,
  makeFleet,
  refused,
  status,
  twoProviders,
} from "../support/engines.ts";
import { createSchedule } from "../support/schedule.ts";

type Late = (ms: number) => Promise<void>;
type LateAnswer = (...asked: [...Parameters<Answer>, Late]) => ReturnType<Answer>;

function start(spec: PoolSpec, answer: LateAnswer, random: () => number = () => 0) {
  const schedule = createSchedule();
  const late: Late = (ms) => new Promise((resolve) => void schedule.after(ms, resolve));
  const fleet = makeFleet(spec, schedule.now, (backend, question) => answer(backend, question, late));
  const prober = startProber({
    pool: fleet.pool,
    ask: fleet.ask,
    emit: (event) => void fleet.events.push(event),
    now: schedule.now,
    random,
    after: schedule.after,
    settings: HEALTH_DEFAULTS,
    onChange: () => undefined,
  });
  const kinds = () => fleet.events.map(({ kind }) => kind);
  const times = (id: string) => fleet.asked.flatMap(({ backend, atMs }) => (backend === id ? [atMs] : []));
  return { ...schedule, ...fleet, prober, kinds, times };
}

describe("an engine that is up", () => {
  test("is asked for its models every 30 s, and its list enters the pool once", async () => {
    await using run = stopping(start(engineSpec(makeEngine("e")), () => listOf("m-1", "m-2")));
    await run.advance(90_100);
    expect(run.times("e")).toEqual([0, 30_000, 60_000, 90_000]);
    expect(run.asked[0]?.url).toBe("http://e:8000/v1/models");
    expect(run.pool.current.discovered.get("e")).toEqual(["m-1", "m-2"]);
    expect(run.pool.current.version).toBe(2);
    expect(run.kinds()).toEqual(["engine_up", "engines_probed"]);
  });

  test("has its second probe at a random place in the interval, then every 30 s", async () => {
    await using run = stopping(
      start(
        engineSpec(makeEngine("e")),
        () => listOf(),
        () => 0.75,
      ),
    );
    await run.advance(70_000);
    expect(run.times("e")).toEqual([0, 7500, 37_500, 67_500]);
  });

  test("changes the pool when its list changes", async () => {
    let models = ["m-1"];
    await using run = stopping(start(engineSpec(makeEngine("e")), () => listOf(...models)));
    await run.advance(100);
    models = ["m-1", "m-2"];
    await run.advance(30_000);
    expect(run.pool.current.discovered.get("e")).toEqual(["m-1", "m-2"]);
    expect(run.pool.current.version).toBe(3);
  });

  test("is down after three failed probes in a row, asked every 5 s from the first failure on", async () => {
    await using run = stopping(start(engineSpec(makeEngine("e")), () => listOf("m")));
    await run.advance(1000);
    run.answerWith(() => refused());
    await run.advance(29_000 + 5000);
    expect(run.state("e").health).toEqual({ standing: "up", failures: 2 });
    expect(run.state("e").rest).toBeUndefined();
    await run.advance(5000);
    expect(run.state("e").rest).toMatchObject({
      cause: "down",
      detail: "probe: cannot connect: ECONNREFUSED",
    });
    expect(run.events.at(-1)).toEqual({
      kind: "engine_down",
      backend: "e",
      address: "http://e:8000",
      reason: "cannot connect: ECONNREFUSED",
    });
    expect(run.times("e")).toEqual([0, 30_000, 35_000, 40_000]);
  });

  test("keeps its list while it is down", async () => {
    await using run = stopping(start(engineSpec(makeEngine("e")), () => listOf("m")));
    await run.advance(1000);
    run.answerWith(() => refused());
    await run.advance(60_000);
    expect(run.state("e").health.standing).toBe("down");
    expect(run.pool.current.discovered.get("e")).toEqual(["m"]);
  });
});

describe("an engine that is down", () => {
  test("rests without a gap until one good probe, within 5 s of coming up", async () => {
    await using run = stopping(start(engineSpec(makeEngine("e")), () => refused()));
    for (let at = 0; at < 400; at += 1) {
      await run.advance(250);
      expect(isResting(run.state("e").rest, run.now())).toBe(true);
    }
    run.answerWith(() => listOf("m"));
    await run.advance(5000);
    expect(run.state("e").rest).toBeUndefined();
    expect(run.kinds()).toEqual(["engine_down", "engines_probed", "engine_up"]);
  });

  test("that lets probes time out rests without a gap and is asked again at once", async () => {
    const { advance, now, ...run } = start(engineSpec(makeEngine("e")), async (_, __, late) => {
      await late(10_000);
      return refused();
    });
    await advance(10_000);
    for (let at = 0; at < 100; at += 1) {
      await advance(333);
      expect(isResting(run.state("e").rest, now())).toBe(true);
    }
    expect(run.times("e").slice(0, 4)).toEqual([0, 10_000, 20_000, 30_000]);
    await run.prober.stop();
  });

  test("among a hundred that let probes time out rests without a gap too", async () => {
    const many = Array.from({ length: 100 }, (_, at) => makeEngine(`e${at}`));
    const { advance, now, ...run } = start(engineSpec(...many), async (_, __, late) => {
      await late(10_000);
      return refused();
    });
    await advance(50_100);
    for (let at = 0; at < 100; at += 1) {
      await advance(1000);
      for (const { state } of run.pool.current.slots) expect(isResting(state.rest, now())).toBe(true);
    }
    await run.prober.stop();
  });
});

const verdictOf = async (told: Told): Promise<string> => {
  await using run = stopping(start(engineSpec(makeEngine("e")), () => told));
  await run.advance(100);
  return run.state("e").health.standing;
};

describe("an answer that is no list", () => {
  test.each([404, 405, 429])("with status %d says that the engine is up", async (code) => {
    expect(await verdictOf(status(code))).toBe("up");
  });

  test.each([204, 302, 307, 400, 500, 502, 503])("with status %d is a failed probe", async (code) => {
    expect(await verdictOf(status(code))).toBe("down");
  });

  test("but a page leaves what is known of its models", async () => {
    expect(await verdictOf({ status: 200, text: "<html>" })).toBe("up");
    let told = listOf("m");
    await using run = stopping(start(engineSpec(makeEngine("e")), () => told));
    await run.advance(100);
    told = { status: 200, text: '{"data":"no"}' };
    await run.advance(30_000);
    expect(run.pool.current.discovered.get("e")).toEqual(["m"]);
  });

  test.each([401, 403])("with status %d is told once as a wrong key, and the engine is up", async (code) => {
    let told = status(code);
    await using run = stopping(start(engineSpec(makeEngine("e", "http://e:8000", "k")), () => told));
    await run.advance(61_000);
    expect(run.state("e").health.standing).toBe("up");
    expect(run.state("e").rest).toBeUndefined();
    expect(run.events).toEqual([
      { kind: "engine_up", backend: "e", address: "http://e:8000" },
      { kind: "engine_key_refused", backend: "e", address: "http://e:8000", key: "***", status: code },
      { kind: "engines_probed", up: 1, engines: 1 },
    ]);
    told = listOf("m");
    await run.advance(30_000);
    told = status(code);
    await run.advance(30_000);
    expect(run.kinds().filter((kind) => kind === "engine_key_refused")).toHaveLength(2);
  });
});

describe("backends at one address", () => {
  test("with one key are asked about once, and all hear of it", async () => {
    const twice = [makeEngine("a", "http://e:8000", "k"), makeEngine("b", "http://e:8000", "k")];
    await using run = stopping(start(engineSpec(...twice), () => listOf("m")));
    await run.advance(100);
    expect(run.asked).toHaveLength(1);
    expect(["a", "b"].map((id) => run.state(id).health.standing)).toEqual(["up", "up"]);
    expect([...run.pool.current.discovered.keys()]).toEqual(["a", "b"]);
  });

  test("with two keys are asked about with each", async () => {
    const twice = [makeEngine("a", "http://e:8000", "k1"), makeEngine("b", "http://e:8000", "k2")];
    await using run = stopping(
      start(engineSpec(...twice), ({ id }) => (id === "a" ? listOf("m") : status(401))),
    );
    await run.advance(100);
    expect(run.asked.map(({ backend }) => backend)).toEqual(["a", "b"]);
    expect(run.kinds()).toContain("engine_key_refused");
  });
});

describe("a hundred engines", () => {
  test("are asked twenty at a time", async () => {
    const many = Array.from({ length: 100 }, (_, at) => makeEngine(`e${at}`));
    const { advance, ...run } = start(engineSpec(...many), async (_, __, late) => {
      await late(50);
      return listOf("m");
    });
    await advance(400);
    expect([run.mostOpen(), run.asked.length]).toEqual([20, 100]);
    await run.prober.stop();
  });

  test("that answer together change the pool together", async () => {
    const many = Array.from({ length: 100 }, (_, at) => makeEngine(`e${at}`));
    await using run = stopping(start(engineSpec(...many), () => listOf("m")));
    await run.advance(100);
    expect(run.pool.current.discovered.size).toBe(100);
    expect(run.pool.current.version).toBe(2);
  });
});

describe("the first round", () => {
  test("is over when every engine has a verdict and the lists are in the pool", async () => {
    const { advance, ...run } = start(
      engineSpec(makeEngine("quick"), makeEngine("slow"), makeEngine("dead")),
      async ({ id }, _, late) => {
        if (id === "dead") return refused();
        if (id === "slow") await late(3000);
        return listOf(`m-${id}`);
      },
    );
    await advance(2900);
    expect(run.prober.isFirstRoundOver()).toBe(false);
    await advance(200);
    expect(run.prober.isFirstRoundOver()).toBe(true);
    expect(run.pool.current.discovered.get("slow")).toEqual(["m-slow"]);
    expect(run.events.at(-1)).toEqual({ kind: "engines_probed", up: 2, engines: 3 });
    await run.prober.stop();
  });

  test("is over after the time-out of a probe in any case", async () => {
    const many = Array.from({ length: 30 }, (_, at) => makeEngine(`e${at}`));
    const run = start(engineSpec(...many), () => new Promise<Told>(() => undefined));
    await run.advance(9000);
    expect(run.prober.isFirstRoundOver()).toBe(false);
    await run.advance(1100);
    expect(run.prober.isFirstRoundOver()).toBe(true);
    expect(run.kinds().filter((kind) => kind === "engines_probed")).toHaveLength(1);
    await run.prober.stop();
  });

  test("of no engines is over at once, without a word", async () => {
    await using run = stopping(start(engineSpec(), () => listOf()));
    expect(run.prober.isFirstRoundOver()).toBe(true);
    await run.advance(20_000);
    expect([run.events, run.asked, run.pending()]).toEqual([[], [], 0]);
  });
});

describe("a reload", () => {
  test("asks new engines at once, gone ones no more, and leaves the others their time and state", async () => {
    const [a, b, c] = [makeEngine("a"), makeEngine("b"), makeEngine("c")];
    await using run = stopping(
      start(engineSpec(a, b), ({ id }) => (id === "b" ? refused() : listOf(`m-${id}`))),
    );
    await run.advance(12_000);
    const before = run.state("b");
    run.pool.replace((previous) => nextSnapshot(previous, engineSpec(b, c)));
    run.prober.refresh();
    await run.advance(30_000);
    expect(run.times("a")).toEqual([0]);
    expect(run.times("b")).toEqual([0, 5000, 10_000, 15_000, 20_000, 25_000, 30_000, 35_000, 40_000]);
    expect(run.times("c")).toEqual([12_000, 42_000]);
    expect(run.state("b")).toBe(before);
    expect([...run.pool.current.discovered.keys()]).toEqual(["c"]);
    expect(run.prober.isFirstRoundOver()).toBe(true);
  });

  test("that changes nothing asks nobody", async () => {
    const spec = engineSpec(makeEngine("a"));
    await using run = stopping(start(spec, () => listOf("m")));
    await run.advance(1000);
    run.pool.replace((previous) => nextSnapshot(previous, spec));
    run.prober.refresh();
    await run.advance(1000);
    expect(run.times("a")).toEqual([0]);
  });

  test("that adds a backend at a known address asks for it at once", async () => {
    const [a, b] = [makeEngine("a", "http://e:8000"), makeEngine("b", "http://e:8000")];
    await using run = stopping(start(engineSpec(a), () => listOf("m")));
    await run.advance(1000);
    run.pool.replace((previous) => nextSnapshot(previous, engineSpec(a, b)));
    run.prober.refresh();
    await run.advance(100);
    expect(run.state("b").health.standing).toBe("up");
    expect(run.pool.current.discovered.get("b")).toEqual(["m"]);
  });
});

describe("a provider's own settings", () => {
  const own = { intervalMs: 10_000, fastIntervalMs: 1000, threshold: 1, timeoutMs: 500 };

  test("count for its engines alone", async () => {
    const spec = twoProviders({ health: own }, {});
    await using run = stopping(start(spec, () => listOf("m")));
    await run.advance(31_000);
    expect(run.times("a")).toEqual([0, 10_000, 20_000, 30_000]);
    expect(run.times("b")).toEqual([0, 30_000]);
    run.answerWith(() => refused());
    await run.advance(30_000);
    expect(run.times("a").slice(4, 7)).toEqual([40_000, 41_000, 42_000]);
    expect([run.state("a"), run.state("b")].map(({ health }) => health)).toEqual([
      { standing: "down", failures: 22 },
      { standing: "up", failures: 1 },
    ]);
  });

  test("bound each question and the first round", async () => {
    const bounds = new Map<string, number>();
    const spec = twoProviders({ health: own }, { health: { timeoutMs: 20_000 } });
    await using run = stopping(
      start(spec, (backend, { timeoutMs }) => {
        bounds.set(backend.id, timeoutMs);
        return backend.id === "a" ? listOf("m") : new Promise<Told>(() => undefined);
      }),
    );
    await run.advance(19_000);
    expect([...bounds]).toEqual([
      ["a", 500],
      ["b", 20_000],
    ]);
    expect(run.prober.isFirstRoundOver()).toBe(false);
    await run.advance(1100);
    expect(run.prober.isFirstRoundOver()).toBe(true);
  });

  test("take effect at once when a reload changes them, and disturb nobody else", async () => {
    await using run = stopping(start(twoProviders({}, {}), () => listOf("m")));
    await run.advance(5000);
    for (const health of [own, own, { ...own, intervalMs: 60_000 }]) {
      run.pool.replace((previous) => nextSnapshot(previous, twoProviders({ health }, {})));
      run.prober.refresh();
      await run.advance(9000);
    }
    expect(run.times("a")).toEqual([0, 5000, 15_000, 23_000]);
    await run.advance(60_000);
    expect(run.times("a")).toEqual([0, 5000, 15_000, 23_000, 83_000]);
    expect(run.times("b")).toEqual([0, 30_000, 60_000, 90_000]);
  });
});

describe("the end", () => {
  test("calls off what is under way and leaves no timer", async () => {
    const spec = engineSpec(makeEngine("deaf"), makeEngine("good"));
    const run = start(spec, ({ id }) => (id === "deaf" ? new Promise<Told>(() => undefined) : listOf("m")));
    await run.advance(1000);
    expect(run.open()).toBe(1);
    await run.prober.stop();
    expect([run.open(), run.pending()]).toEqual([0, 0]);
    expect(run.state("deaf").health.standing).toBe("unknown");
  });
});

/** Ends the prober with the test, and looks whether it left a timer. */
function stopping<T extends { prober: { stop: () => Promise<void> }; pending: () => number }>(run: T) {
  return {
    ...run,
    async [Symbol.asyncDispose]() {
      await run.prober.stop();
      expect(run.pending()).toBe(0);
    },
  };
}
