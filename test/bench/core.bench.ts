// Times what the core does for every request, and prints nanoseconds per operation. On request:
// `bun test/bench/core.bench.ts`. Figures of one machine are good for comparing two commits on it, and for nothing else.
import { pickByAffinity } from "../../src/core/affinity.ts";
import { chooseSlot } from "../../src/core/choose.ts";
import { readEnvelope } from "../../src/core/envelope.ts";
import { createLimitSet } from "../../src/core/limit.ts";
import { noteFirstByte, noteLoad } from "../../src/core/measures.ts";
import { createPool } from "../../src/core/pool.ts";
import type { Level, Slot, Strategy } from "../../src/core/seams.ts";
import { createCustom } from "../../src/core/strategy-custom.ts";
import { createStrategy } from "../../src/core/strategy.ts";
import { seedRandom } from "../../src/fake/random.ts";
import { makeBackend, makeSpec } from "../support/slots.ts";
import { begin } from "../support/traffic.ts";

const SIZES = [1, 10, 100, 1000] as const;
const STRATEGIES = [
  "least-used",
  "smooth-weighted-round-robin",
  "simple-shuffle",
  "least-connections",
  "least-waiting",
  "latency-based",
  "usage-based",
  "lowest-cost",
] as const;

const ROUNDS = 7;
const ROUND_MS = 60;

/** The median of some rounds after a warm-up; the result of `run` is kept, so that nothing is optimised away. */
let kept: unknown;
function nanoseconds(run: () => unknown): number {
  const round = (): number => {
    let count = 0;
    const startedNs = Bun.nanoseconds();
    for (;;) {
      for (let inner = 0; inner < 16; inner += 1) kept = run();
      count += 16;
      const elapsedNs = Bun.nanoseconds() - startedNs;
      if (elapsedNs > ROUND_MS * 1e6) return elapsedNs / count;
    }
  };
  round();
  return Array.from({ length: ROUNDS }, round).sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0;
}

const shown = (ns: number): string =>
  ns >= 1e6 ? `${(ns / 1e6).toFixed(2)} ms` : `${ns.toFixed(ns < 100 ? 1 : 0)} ns`;
const print = (name: string, values: readonly number[]): void =>
  console.log(`${name.padEnd(34)}${values.map((ns) => shown(ns).padStart(12)).join("")}`);
const head = (name: string, columns: readonly (string | number)[]): void =>
  console.log(`\n${name.padEnd(34)}${columns.map((column) => String(column).padStart(12)).join("")}`);

/** A route over so many backends under way: requests in flight, latencies, and fresh metrics. */
function routeOf(size: number, strategy: string) {
  const backends = Array.from({ length: size }, (_, at) =>
    makeBackend(`backend-${at}`, { weight: 1 + (at % 3), price: { inputPerToken: 1, outputPerToken: 1 } }),
  );
  const route = createPool(makeSpec({ p: { backends, strategy } })).current.providers[0]?.route;
  const level = route?.levels[0];
  if (route === undefined || level === undefined) throw new Error("no route");
  const random = seedRandom(size);
  for (const slot of level.slots) {
    for (let sent = 0; sent < 10; sent += 1) {
      const end = begin(slot, sent);
      if (random() < 0.5) end({ durationMs: 5, tokens: 100, firstByteMs: 5 }, sent + 5);
    }
    noteFirstByte(slot.state.measures, 50 + 100 * random(), 100);
    noteLoad(slot.state.measures, {
      waiting: Math.floor(4 * random()),
      running: 8,
      atMs: 100,
      intervalMs: 5000,
    });
  }
  return { route, level };
}

function timePick(strategy: Strategy, level: Level, isUsable: (slot: Slot) => boolean): number {
  const choice = { nowMs: 200, random: seedRandom(9), isUsable };
  return nanoseconds(() => strategy.pick(level, choice));
}

function benchPicks(): void {
  head("pick, all usable; backends:", SIZES);
  for (const name of STRATEGIES)
    print(
      name,
      SIZES.map((size) => timePick(createStrategy(name), routeOf(size, name).level, () => true)),
    );
  const custom = () =>
    createCustom((candidates) => candidates.length - 1, {
      name: "custom:x",
      now: () => 0,
      report: () => undefined,
    });
  print(
    "custom (takes the last)",
    SIZES.map((size) => timePick(custom(), routeOf(size, "least-used").level, () => true)),
  );
  print(
    "session affinity",
    SIZES.map((size) => {
      const { level } = routeOf(size, "least-used");
      const choice = { nowMs: 200, random: seedRandom(9), isUsable: () => true };
      return nanoseconds(() => pickByAffinity(level, choice, "a-session-of-some-36-characters-00001"));
    }),
  );

  head("pick, a third usable; backends:", SIZES.slice(1));
  for (const name of STRATEGIES)
    print(
      name,
      SIZES.slice(1).map((size) => {
        const { level } = routeOf(size, name);
        const usable = new Set(level.slots.filter((_, at) => at % 3 === 0));
        return timePick(createStrategy(name), level, (slot) => usable.has(slot));
      }),
    );

  head("chooseSlot: pick and eligibility", SIZES);
  for (const name of STRATEGIES)
    print(
      name,
      SIZES.map((size) => {
        const { route } = routeOf(size, name);
        const random = seedRandom(9);
        const tried = new Set<string>();
        const wanted = {
          family: "openai",
          model: "gpt-x",
          listed: false,
          nowMs: 200,
          estimatedTokens: 100,
        } as const;
        return nanoseconds(() => chooseSlot(route, { wanted, tried, random }));
      }),
    );
}

function benchLimits(): void {
  head("limits; keys in turn:", SIZES);
  const limits = { requestsPerMinute: 1e6, tokensPerMinute: 1e9, concurrency: 1e6 };
  for (const [name, given] of [
    ["acquire and settle, no limits", {}],
    ["acquire and settle, rpm", { requestsPerMinute: 1e6 }],
    ["acquire and settle, rpm tpm conc.", limits],
  ] as const)
    print(
      name,
      SIZES.map((size) => {
        const sets = Array.from({ length: size }, () => createLimitSet(given));
        let turn = 0;
        let nowMs = 0;
        return nanoseconds(() => {
          turn = turn + 1 === size ? 0 : turn + 1;
          nowMs += 0.01;
          const hold = sets[turn]?.acquire(nowMs, 100);
          if (hold?.refusedBy === undefined) hold?.settle(nowMs, 90);
          return hold;
        });
      }),
    );
}

function benchScan(): void {
  const sizes = [1024, 100 * 1024, 20 * 1024 * 1024] as const;
  head("readEnvelope", ["1 KB", "100 KB", "20 MB"]);
  const bodyOf = (size: number, isLast: boolean): Uint8Array => {
    const text = 'The quick brown fox said \\"hello\\" to the lazy dog.\\n';
    const messages = `"messages":[{"role":"user","content":"${text.repeat(Math.ceil(size / text.length))}"}]`;
    const fields = `"model":"gpt-4o-mini","stream":true`;
    return new TextEncoder().encode(isLast ? `{${messages},${fields}}` : `{${fields},${messages}}`);
  };
  for (const isLast of [false, true]) {
    const values = sizes.map((size) => {
      const body = bodyOf(size, isLast);
      if (readEnvelope(body).kind === "unreadable") throw new Error("unreadable body");
      return nanoseconds(() => readEnvelope(body));
    });
    print(`model ${isLast ? "last" : "first"}, escaped text`, values);
  }
  const images = sizes.map((size) => {
    const body = new TextEncoder().encode(
      `{"model":"gpt-4o","messages":[{"role":"user","content":"${"A".repeat(size)}"}]}`,
    );
    return nanoseconds(() => readEnvelope(body));
  });
  print("model first, one base64 image", images);
}

benchPicks();
benchLimits();
benchScan();
if (kept === undefined) throw new Error("nothing was timed");
