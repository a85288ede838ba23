// The soonest first token wins, busy ones wait, slow ones are looked at again now and then.
import { describe, expect, test } from "bun:test";
import type { Slot } from "../../src/core/seams.ts";
import { createLatencyBased } from "../../src/core/strategy-latency-based.ts";
import { seedRandom } from "../../src/fake/random.ts";
import {
  countById,
  levelOf,
  levelOfSize,
  sendTraffic,
  slotOf,
  type TrafficOptions,
} from "../support/traffic.ts";

const LATENCIES: Readonly<Record<string, number>> = { a: 70, b: 100, c: 100, d: 4660 };
const fourProviders = () => levelOf(slotOf("a"), slotOf("b"), slotOf("c"), slotOf("d"));
const react = ({ backend }: Slot) => {
  const firstByteMs = LATENCIES[backend.id] ?? 100;
  return { firstByteMs, durationMs: firstByteMs + 50 };
};
const send = (
  options: Partial<TrafficOptions> & { readonly latencyBuffer?: number },
  level = fourProviders(),
) =>
  sendTraffic(level, {
    pick: createLatencyBased({ latencyBuffer: options.latencyBuffer ?? 0 }).pick,
    react,
    count: 1000,
    everyMs: 50,
    ...options,
  });

describe("latency based", () => {
  test("shares among 70, 100 and 100 ms with a buffer of 0.5, and keeps 4,660 ms out", () => {
    const sent = send({ latencyBuffer: 0.5, everyMs: 1000, count: 3000, fromMs: 0 });
    const counts = countById(sent.slice(4));
    for (const id of ["a", "b", "c"]) expect((counts[id] ?? 0) / sent.length).toBeGreaterThan(0.3);
    expect((counts["d"] ?? 0) / sent.length).toBeLessThan(0.02);
  });

  test("keeps a slow one out altogether once it is measured, as long as that is fresh", () => {
    const sent = send({ latencyBuffer: 0.5, everyMs: 10, count: 4000 });
    expect(countById(sent)["d"]).toBeLessThan(5);
    expect(countById(sent.slice(500))["d"]).toBeUndefined();
  });

  test("takes the fastest alone without a buffer while it is idle, and the next when it is busy", () => {
    const idle = countById(send({ everyMs: 500, count: 110 }).slice(4));
    expect(idle).toEqual({ a: 106 });
    const busy = countById(send({ everyMs: 5 }).slice(4));
    for (const id of ["a", "b", "c"]) expect(busy[id]).toBeGreaterThan(200);
  });

  test("tries everybody once before anybody twice, and asks who has not answered no second time", () => {
    const sent = send({ everyMs: 1, count: 4 });
    expect(countById(sent)).toEqual({ a: 1, b: 1, c: 1, d: 1 });
    const counts = countById(
      send({ everyMs: 1, count: 60, react: () => ({ firstByteMs: 900, durationMs: 950 }) }),
    );
    expect(counts).toEqual({ a: 15, b: 15, c: 15, d: 15 });
  });

  test("leaves who has become slow at once, and comes back to who has become fast", () => {
    let slowUntilMs = 0;
    const change: TrafficOptions["react"] = ({ backend }, nowMs) => {
      const firstByteMs = backend.id === "a" && nowMs < slowUntilMs ? 3000 : backend.id === "a" ? 50 : 200;
      return { firstByteMs, durationMs: firstByteMs + 50 };
    };
    const level = levelOf(slotOf("a"), slotOf("b"));
    slowUntilMs = 120_000;
    const sent = send({ react: change, everyMs: 250, count: 2400 }, level);
    const slow = countById(sent.slice(20, 480));
    expect(slow["a"] ?? 0).toBeLessThan(15);
    expect(countById(sent.slice(1800))["a"]).toBeGreaterThan(450);
  });

  test("does not run to a backend that fails at once, though it never was measured", () => {
    for (const everyMs of [5, 200, 1000]) {
      const sent = send(
        {
          everyMs,
          react: ({ backend }) =>
            backend.id === "bad" ? { durationMs: 5, kind: "failed" } : { durationMs: 2000, firstByteMs: 300 },
        },
        levelOf(slotOf("bad"), slotOf("good")),
      );
      expect(sent.slice(10).filter(({ kind }) => kind === "failed").length / 990).toBeLessThan(0.05);
    }
  });

  test("takes who never answered in time for slow", () => {
    const sent = send(
      {
        everyMs: 1000,
        react: ({ backend }) =>
          backend.id === "hangs"
            ? { durationMs: 10_000, kind: "failed" }
            : { durationMs: 400, firstByteMs: 300 },
      },
      levelOf(slotOf("hangs"), slotOf("good")),
    );
    expect(sent.filter(({ kind }) => kind === "failed").length).toBeLessThan(20);
  });

  test("finds the one fast among a thousand", () => {
    const level = levelOfSize(1000);
    const sent = send(
      {
        count: 2000,
        everyMs: 100,
        react: ({ backend }) => ({ durationMs: 60, firstByteMs: backend.id === "b777" ? 20 : 50 }),
        random: seedRandom(5),
      },
      level,
    );
    expect(countById(sent.slice(1000))["b777"]).toBeGreaterThan(950);
  });
});
