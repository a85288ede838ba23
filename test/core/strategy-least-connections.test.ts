// The less busy of two, by weight; failures count as load, so that a broken backend does not look idle.
import { describe, expect, test } from "bun:test";
import { noteEnd } from "../../src/core/measures.ts";
import type { Level, Slot } from "../../src/core/seams.ts";
import { createLeastConnections } from "../../src/core/strategy-least-connections.ts";
import { seedRandom } from "../../src/fake/random.ts";
import {
  begin,
  countById,
  levelOf,
  levelOfSize,
  sendTraffic,
  slotOf,
  type Reaction,
} from "../support/traffic.ts";

const FAILS_FAST: Reaction = { durationMs: 5, kind: "failed" };
const SERVES: Reaction = { durationMs: 2000, firstByteMs: 300 };
const isBad = ({ backend }: Slot) => backend.id === "bad";

const pickOnce = (level: Level, nowMs = 0, seed = 1) =>
  createLeastConnections().pick(level, { nowMs, random: seedRandom(seed), isUsable: () => true });

describe("least connections", () => {
  test("keeps under 5 % of requests from failing after the first ten, beside a backend that fails in 5 ms", () => {
    for (const everyMs of [1, 20, 200, 1000])
      for (const seed of [1, 2, 3]) {
        const sent = sendTraffic(levelOf(slotOf("bad"), slotOf("good")), {
          pick: createLeastConnections().pick,
          react: (slot) => (isBad(slot) ? FAILS_FAST : SERVES),
          count: 1000,
          everyMs,
          random: seedRandom(seed),
        });
        const later = sent.slice(10);
        expect(later.filter(({ kind }) => kind === "failed").length / later.length).toBeLessThan(0.05);
      }
  });

  test("gives a backend that has recovered its share again", () => {
    const level = levelOf(slotOf("bad"), slotOf("good"));
    const sent = sendTraffic(level, {
      pick: createLeastConnections().pick,
      react: (slot, nowMs) => (isBad(slot) && nowMs < 60_000 ? FAILS_FAST : SERVES),
      count: 2400,
      everyMs: 100,
    });
    const lastMinute = countById(sent.slice(1800));
    expect((lastMinute["bad"] ?? 0) / 600).toBeGreaterThan(0.45);
  });

  test("does not exile a busy backend for one failure among many answers", () => {
    let asked = 0;
    const sent = sendTraffic(levelOf(slotOf("bad"), slotOf("good")), {
      pick: createLeastConnections().pick,
      react: (slot) => {
        asked += isBad(slot) ? 1 : 0;
        return isBad(slot) && asked % 50 === 0 ? FAILS_FAST : SERVES;
      },
      count: 2000,
      everyMs: 100,
    });
    expect((countById(sent)["bad"] ?? 0) / 2000).toBeGreaterThan(0.45);
  });

  test("tries a failing backend again when all of the others are as bad", () => {
    const sent = sendTraffic(levelOf(slotOf("a"), slotOf("b"), slotOf("c")), {
      pick: createLeastConnections().pick,
      react: () => FAILS_FAST,
      count: 300,
      everyMs: 50,
    });
    for (const id of ["a", "b", "c"]) expect(countById(sent)[id]).toBeGreaterThan(70);
  });

  test("counts a refused key as a failure, and a refused request or a client that left as none", () => {
    const level = levelOf(slotOf("a"), slotOf("b"));
    const [a] = level.slots;
    const end = (kind: Reaction["kind"]) =>
      noteEnd(
        a!.state.measures,
        { outcome: { kind: kind!, detail: "" }, durationMs: 5, tokens: undefined },
        0,
      );
    for (const kind of ["rejected", "abandoned"] as const) end(kind);
    const seeds = Array.from({ length: 20 }, (_, seed) => seed);
    expect(seeds.some((seed) => pickOnce(level, 0, seed) === 0)).toBe(true);
    end("rate_limited");
    expect(seeds.every((seed) => pickOnce(level, 0, seed) === 1)).toBe(true);
  });

  test("gives a backend that takes ten times as long a tenth of the others' requests", () => {
    const sent = sendTraffic(levelOf(slotOf("slow"), slotOf("b"), slotOf("c"), slotOf("d")), {
      pick: createLeastConnections().pick,
      react: ({ backend }) => ({ durationMs: backend.id === "slow" ? 10_000 : 1000 }),
      count: 6000,
      everyMs: 10,
    });
    const counts = countById(sent);
    expect((counts["slow"] ?? 0) / (counts["b"] ?? 1)).toBeLessThan(0.15);
  });

  test("lets a heavy slot carry its weight, also among many light ones", () => {
    for (const everyMs of [3, 500]) {
      const level = levelOfSize(20, (at) => (at === 7 ? 19 : 1));
      const sent = sendTraffic(level, {
        pick: createLeastConnections().pick,
        react: () => SERVES,
        count: 6000,
        everyMs,
      });
      expect(Math.abs((countById(sent)["b7"] ?? 0) / 6000 - 0.5)).toBeLessThan(0.04);
    }
  });

  test("leaves the busy for the idle, and keeps loads level without comparing all", () => {
    const pair = levelOf(slotOf("a"), slotOf("b"));
    begin(pair.slots[0]!, 0);
    for (let seed = 0; seed < 20; seed += 1) expect(pickOnce(pair, 0, seed)).toBe(1);
    const level = levelOfSize(100);
    for (let at = 0; at < 1000; at += 1) begin(level.slots[pickOnce(level, 0, at)]!, 0);
    const loads = level.slots.map(({ state }) => state.inFlight);
    expect(Math.max(...loads)).toBeLessThanOrEqual(13);
    expect(Math.min(...loads)).toBeGreaterThanOrEqual(6);
  });
});
