// The shorter queue by the engines' metrics, corrected by what we know better than they.
import { describe, expect, test } from "bun:test";
import { type EngineLoad, noteLoad } from "../../src/core/measures.ts";
import type { Level, Slot } from "../../src/core/seams.ts";
import { createLeastWaiting } from "../../src/core/strategy-least-waiting.ts";
import { seedRandom } from "../../src/fake/random.ts";
import { begin, countById, levelOf, levelOfSize, sendTraffic, slotOf } from "../support/traffic.ts";

const INTERVAL_MS = 5000;
const loadOf = (waiting: number, running: number, atMs: number): EngineLoad => ({
  waiting,
  running,
  atMs,
  intervalMs: INTERVAL_MS,
});
const scrape = (slot: Slot, load: EngineLoad | undefined) => noteLoad(slot.state.measures, load);
const SERVES = () => ({ durationMs: 2000, firstByteMs: 100 });

/** Share of the requests that went to `id`. */
const shareOf = (id: string, sent: Parameters<typeof countById>[0]) =>
  (countById(sent)[id] ?? 0) / sent.length;

/** Scrapes of constant gauges until `untilMs`. */
function gauges(level: Level, waiting: Readonly<Record<string, number>>, untilMs: number) {
  let dueMs = 0;
  return (nowMs: number) => {
    for (; dueMs <= nowMs && dueMs < untilMs; dueMs += INTERVAL_MS)
      for (const slot of level.slots) {
        const queue = waiting[slot.backend.id];
        if (queue !== undefined) scrape(slot, loadOf(queue, 10, dueMs));
      }
  };
}

describe("least waiting", () => {
  test("sends over 95 % to the idle one of two when the other's queue is 50", () => {
    const level = levelOf(slotOf("full"), slotOf("idle"));
    const sent = sendTraffic(level, {
      pick: createLeastWaiting().pick,
      react: SERVES,
      count: 2000,
      everyMs: 100,
      tick: gauges(level, { full: 50, idle: 0 }, Number.POSITIVE_INFINITY),
    });
    expect(shareOf("idle", sent)).toBeGreaterThan(0.95);
  });

  test("shares evenly again within three intervals after the metrics have stopped", () => {
    const level = levelOf(slotOf("full"), slotOf("idle"));
    const sent = sendTraffic(level, {
      pick: createLeastWaiting().pick,
      react: SERVES,
      count: 1000,
      everyMs: 100,
      tick: gauges(level, { full: 50, idle: 0 }, 20_001),
    });
    expect(shareOf("idle", sent.slice(0, 200))).toBeGreaterThan(0.95);
    const after = (20_000 + 3 * INTERVAL_MS) / 100 + 1;
    expect(Math.abs(shareOf("idle", sent.slice(after, after + 400)) - 0.5)).toBeLessThan(0.06);
  });

  test("falls back to requests in flight at once when a scrape fails", () => {
    const level = levelOf(slotOf("full"), slotOf("idle"));
    const [full, idle] = level.slots;
    scrape(full!, loadOf(50, 10, 0));
    scrape(idle!, loadOf(0, 10, 0));
    scrape(full!, undefined);
    begin(idle!, 10);
    const pick = () =>
      createLeastWaiting().pick(level, { nowMs: 10, random: seedRandom(1), isUsable: () => true });
    expect(pick()).toBe(0);
    scrape(full!, loadOf(50, 10, 20));
    expect(pick()).toBe(1);
  });

  test("gives a backend without metrics its share beside engines that have them", () => {
    for (const everyMs of [20, 1000]) {
      const level = levelOf(slotOf("one"), slotOf("two"), slotOf("mute"));
      let scrapedMs = Number.NEGATIVE_INFINITY;
      const sent = sendTraffic(level, {
        pick: createLeastWaiting().pick,
        react: () => ({ durationMs: 30_000 }),
        count: 3000,
        everyMs,
        tick: (nowMs) => {
          if (nowMs - scrapedMs < INTERVAL_MS) return;
          scrapedMs = nowMs;
          for (const slot of level.slots.slice(0, 2)) scrape(slot, loadOf(0, slot.state.inFlight, nowMs));
        },
      });
      expect(Math.abs(shareOf("mute", sent) - 1 / 3)).toBeLessThan(0.04);
    }
  });

  test("prefers a backend without metrics to an engine with a queue", () => {
    const level = levelOf(slotOf("full"), slotOf("mute"));
    const sent = sendTraffic(level, {
      pick: createLeastWaiting().pick,
      react: SERVES,
      count: 1000,
      everyMs: 100,
      tick: gauges(level, { full: 50 }, Number.POSITIVE_INFINITY),
    });
    expect(shareOf("mute", sent)).toBeGreaterThan(0.95);
  });

  test("sends no herd to the engine that was empty in the last scrape", () => {
    const level = levelOfSize(4);
    for (const [at, slot] of level.slots.entries()) scrape(slot, loadOf(at === 0 ? 0 : 3, 20, 0));
    const counts = countById(
      sendTraffic(level, {
        pick: createLeastWaiting().pick,
        react: () => ({ durationMs: 20_000 }),
        count: 200,
        everyMs: 20,
        fromMs: 1,
      }),
    );
    expect(counts["b0"]).toBeLessThan(65);
    expect(counts["b3"]).toBeGreaterThan(35);
  });

  test("does not believe gauges of zero while an engine warms up with our requests", () => {
    const level = levelOf(slotOf("cold"), slotOf("warm"));
    const [cold, warm] = level.slots;
    for (let sent = 0; sent < 40; sent += 1) begin(cold!, 0);
    for (let atMs = 0; atMs <= 18_000; atMs += 1000) {
      scrape(cold!, { ...loadOf(0, 0, atMs), intervalMs: 1000 });
      scrape(warm!, { ...loadOf(2, 8, atMs), intervalMs: 1000 });
    }
    const choice = { nowMs: 18_000, isUsable: () => true };
    for (let seed = 0; seed < 20; seed += 1)
      expect(createLeastWaiting().pick(level, { ...choice, random: seedRandom(seed) })).toBe(1);
  });

  test("compares engines by their queues, not by how many they can run at once", () => {
    const level = levelOf(slotOf("large"), slotOf("small"));
    const [large, small] = level.slots;
    for (let sent = 0; sent < 150; sent += 1) begin(large!, 0);
    for (let sent = 0; sent < 20; sent += 1) begin(small!, 0);
    for (let atMs = 10_000; atMs <= 40_000; atMs += INTERVAL_MS) {
      scrape(large!, loadOf(0, 150, atMs));
      scrape(small!, loadOf(12, 8, atMs));
    }
    const choice = { nowMs: 40_000, isUsable: () => true };
    for (let seed = 0; seed < 20; seed += 1)
      expect(createLeastWaiting().pick(level, { ...choice, random: seedRandom(seed) })).toBe(0);
  });

  test("prefers the less busy of two engines without a queue", () => {
    const level = levelOf(slotOf("busy"), slotOf("idle"));
    const [busy, idle] = level.slots;
    scrape(busy!, loadOf(0, 40, 0));
    scrape(idle!, loadOf(0, 2, 0));
    const choice = { nowMs: 10, isUsable: () => true };
    for (let seed = 0; seed < 20; seed += 1)
      expect(createLeastWaiting().pick(level, { ...choice, random: seedRandom(seed) })).toBe(1);
  });

  test("divides queues by weight", () => {
    const level = levelOf(slotOf("heavy", 4), slotOf("light"));
    const [heavy, light] = level.slots;
    scrape(heavy!, loadOf(20, 8, 0));
    scrape(light!, loadOf(10, 8, 0));
    const choice = { nowMs: 10, isUsable: () => true };
    for (let seed = 0; seed < 20; seed += 1)
      expect(createLeastWaiting().pick(level, { ...choice, random: seedRandom(seed) })).toBe(0);
  });

  test("keeps queues level over engines that run eight at once and tell it five seconds late", () => {
    const level = levelOfSize(6);
    const history: number[][] = [];
    let worst = 0;
    const sent = sendTraffic(level, {
      pick: createLeastWaiting().pick,
      // About 85 % of what all can do, so that queues come and go.
      react: ({ state }) => ({ durationMs: 2000 * Math.max(1, state.inFlight / 8) }),
      count: 6000,
      everyMs: 2000 / (6 * 8 * 0.85),
      tick: (nowMs) => {
        const second = Math.floor(nowMs / 1000);
        if (history.length > second) return;
        history.push(level.slots.map(({ state }) => state.inFlight));
        worst = Math.max(worst, ...level.slots.map(({ state }) => state.inFlight));
        const seen = history[Math.max(0, second - INTERVAL_MS / 1000)] ?? [];
        if (second % (INTERVAL_MS / 1000) !== 0) return;
        for (const [at, slot] of level.slots.entries()) {
          const total = seen[at] ?? 0;
          scrape(slot, loadOf(Math.max(0, total - 8), Math.min(8, total), nowMs));
        }
      },
    });
    expect(worst).toBeLessThan(24);
    for (const count of Object.values(countById(sent))) expect(count).toBeGreaterThan(800);
  });
});
