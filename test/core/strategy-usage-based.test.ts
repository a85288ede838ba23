// Fewest tokens this minute for its weight.
import { describe, expect, test } from "bun:test";
import type { Slot } from "../../src/core/seams.ts";
import { createUsageBased } from "../../src/core/strategy-usage-based.ts";
import { countById, levelOf, sendTraffic, slotOf } from "../support/traffic.ts";

const pick = (level: ReturnType<typeof levelOf>, nowMs = 0) =>
  createUsageBased().pick(level, { nowMs, random: () => 0, isUsable: () => true });
const answer = (tokens: number) => () => ({ durationMs: 100, tokens });
/** One request of so many tokens to `slot`, over at once. */
const use = (slot: Slot, tokens: number, atMs: number) =>
  sendTraffic(levelOf(slot), {
    pick: () => 0,
    react: answer(tokens),
    count: 1,
    everyMs: 0,
    fromMs: atMs - 100,
  });

describe("usage based", () => {
  test("takes the one that used fewest tokens in the last minute", () => {
    const level = levelOf(slotOf("a"), slotOf("b"), slotOf("c"));
    const [a, b, c] = level.slots;
    use(a!, 500, 1000);
    use(b!, 300, 1000);
    use(c!, 400, 1000);
    expect(pick(level, 2000)).toBe(1);
    use(b!, 200, 3000);
    expect(pick(level, 4000)).toBe(2);
  });

  test("forgets what was used more than a minute ago, little by little", () => {
    const level = levelOf(slotOf("a"), slotOf("b"));
    const [a, b] = level.slots;
    use(a!, 1000, 1000);
    use(b!, 300, 45_000);
    expect(pick(level, 46_000)).toBe(1);
    expect(pick(level, 125_000)).toBe(0);
  });

  test("evens out tokens, not requests", () => {
    const tokensOf: Readonly<Record<string, number>> = { short: 100, long: 900 };
    const sent = sendTraffic(levelOf(slotOf("short"), slotOf("long")), {
      pick: createUsageBased().pick,
      react: ({ backend }) => ({ durationMs: 50, tokens: tokensOf[backend.id] ?? 0 }),
      count: 2000,
      everyMs: 20,
    });
    const counts = countById(sent);
    expect(Math.abs((counts["short"] ?? 0) / 2000 - 0.9)).toBeLessThan(0.02);
  });

  test("sends no herd to the one whose answers take longest", () => {
    const sent = sendTraffic(levelOf(slotOf("quick"), slotOf("slow")), {
      pick: createUsageBased().pick,
      react: ({ backend }) => ({ durationMs: backend.id === "slow" ? 30_000 : 500, tokens: 200 }),
      count: 1000,
      everyMs: 20,
    });
    expect(Math.abs((countById(sent)["slow"] ?? 0) - 500)).toBeLessThan(40);
  });

  test("counts answers that do not tell their usage as average ones", () => {
    const sent = sendTraffic(levelOf(slotOf("tells"), slotOf("mute")), {
      pick: createUsageBased().pick,
      react: ({ backend, state }) =>
        backend.id === "mute" && state.attempts > 5 ? { durationMs: 50 } : { durationMs: 50, tokens: 200 },
      count: 1000,
      everyMs: 20,
    });
    expect(Math.abs((countById(sent)["mute"] ?? 0) - 500)).toBeLessThan(30);
  });

  test("does not run to a backend that uses nothing because it fails", () => {
    const sent = sendTraffic(levelOf(slotOf("bad"), slotOf("good")), {
      pick: createUsageBased().pick,
      react: ({ backend }) =>
        backend.id === "bad" ? { durationMs: 5, kind: "failed" } : { durationMs: 2000, tokens: 500 },
      count: 1000,
      everyMs: 50,
    });
    expect(sent.slice(10).filter(({ kind }) => kind === "failed").length / 990).toBeLessThan(0.05);
  });
});
