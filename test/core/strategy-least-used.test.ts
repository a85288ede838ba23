// Least requests divided by weight, then least recently used; newcomers and returners start at the current minimum.
import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { levelsOf } from "../../src/core/route.ts";
import { isResting } from "../../src/core/rest.ts";
import type { Level, Slot } from "../../src/core/seams.ts";
import { beginAttempt, settleAttempt } from "../../src/core/state.ts";
import { createLeastUsed } from "../../src/core/strategy-least-used.ts";
import { COOLDOWN, makeBackend, makeSlot } from "../support/slots.ts";

const slotOf = (id: string, weight = 1): Slot => makeSlot(makeBackend(id, { weight }));
const levelOf = (slots: readonly Slot[]): Level =>
  levelsOf(slots)[0] ?? { priority: 1, slots: [], weights: [] };
const restsNow = (slot: Slot, nowMs: number) =>
  isResting(slot.keyState.rest, nowMs) || isResting(slot.state.rest, nowMs);

const strategy = createLeastUsed();

/** Sends `count` requests, one a millisecond, and counts them by backend; `avoid` stands for slots tried already. */
function send(
  level: Level,
  count: number,
  fromMs: number,
  avoid: (slot: Slot) => boolean = () => false,
): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let at = 0; at < count; at += 1) {
    const nowMs = fromMs + at;
    const isUsable = (slot: Slot) => !restsNow(slot, nowMs) && !avoid(slot);
    const slot = level.slots[strategy.pick(level, { nowMs, random: () => 0, isUsable })];
    if (slot === undefined) continue;
    beginAttempt(slot, nowMs);
    settle(slot, nowMs, "success");
    counts[slot.backend.id] = (counts[slot.backend.id] ?? 0) + 1;
  }
  return counts;
}

const settle = (slot: Slot, nowMs: number, kind: "success" | "rate_limited", retryAfterMs = 1000): void => {
  const outcome = { kind, detail: "", retryAfterMs };
  settleAttempt(slot, { outcome, startedMs: nowMs, nowMs, random: 0, policy: COOLDOWN });
};

/** The slot's key rests for `ms` from `nowMs` on. */
function rest(slot: Slot, nowMs: number, ms: number): void {
  beginAttempt(slot, nowMs);
  settle(slot, nowMs, "rate_limited", ms);
}

describe("least-used", () => {
  test("gives ten requests over two keys five each, in turn", () => {
    const level = levelOf([slotOf("a"), slotOf("b")]);
    expect(send(level, 10, 0)).toEqual({ a: 5, b: 5 });
    expect(send(level, 1, 10)).toEqual({ a: 1 });
    expect(send(level, 1, 11)).toEqual({ b: 1 });
  });

  test("keeps equal keys within one of each other, whatever the count", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.nat(200), (keys, count) => {
        const level = levelOf(Array.from({ length: keys }, (_, at) => slotOf(`k${at}`)));
        const counts = level.slots.map(({ backend: { id } }) => ({ id }));
        const sent = send(level, count, 0);
        const each = counts.map(({ id }) => sent[id] ?? 0);
        expect(Math.max(...each) - Math.min(...each)).toBeLessThanOrEqual(1);
        expect(each.reduce((sum, one) => sum + one, 0)).toBe(count);
      }),
    );
  });

  test("follows weights, fractions too", () => {
    expect(send(levelOf([slotOf("a", 1), slotOf("b", 3)]), 40, 0)).toEqual({ a: 10, b: 30 });
    expect(send(levelOf([slotOf("a", 0.5), slotOf("b", 1.5), slotOf("c", 1)]), 60, 0)).toEqual({
      a: 10,
      b: 30,
      c: 20,
    });
  });

  test("counts requests in flight too", () => {
    const level = levelOf([slotOf("a"), slotOf("b")]);
    const counts = [0, 0];
    for (let at = 0; at < 10; at += 1) {
      const index = strategy.pick(level, { nowMs: 0, random: () => 0, isUsable: () => true });
      beginAttempt(level.slots[index]!, 0);
      counts[index]! += 1;
    }
    expect(counts).toEqual([5, 5]);
  });

  test("takes the least recently used of equals", () => {
    const slots = [slotOf("a"), slotOf("b"), slotOf("c")];
    send(levelOf(slots), 3, 0);
    beginAttempt(slots[0]!, 10);
    beginAttempt(slots[2]!, 11);
    beginAttempt(slots[1]!, 12);
    expect(send(levelOf(slots), 1, 20)).toEqual({ a: 1 });
    expect(send(levelOf(slots), 1, 21)).toEqual({ c: 1 });
  });

  test("gives a drained key nothing, and all-zero weights equal shares", () => {
    expect(send(levelOf([slotOf("a"), slotOf("b", 0)]), 10, 0)).toEqual({ a: 10 });
    expect(send(levelOf([slotOf("a", 0), slotOf("b", 0)]), 10, 0)).toEqual({ a: 5, b: 5 });
  });

  test("tells keys apart that look alike", () => {
    const level = levelOf([slotOf("openai-1"), slotOf("openai-11"), slotOf("openai-111")]);
    expect(send(level, 30, 0)).toEqual({ "openai-1": 10, "openai-11": 10, "openai-111": 10 });
  });

  test("picks none when none is usable", () => {
    expect(strategy.pick(levelOf([slotOf("a")]), { nowMs: 0, random: () => 0, isUsable: () => false })).toBe(
      -1,
    );
    expect(
      strategy.pick(
        { priority: 1, slots: [], weights: [] },
        { nowMs: 0, random: () => 0, isUsable: () => true },
      ),
    ).toBe(-1);
  });
});

describe("a newcomer", () => {
  test("gets its share beside five warm keys, no more", () => {
    const warm = ["a", "b", "c", "d", "e"].map((id) => slotOf(id));
    send(levelOf(warm), 1003, 0);
    const counts = send(levelOf([...warm, slotOf("new")]), 60, 2000);
    expect(Math.abs((counts["new"] ?? 0) - 10)).toBeLessThanOrEqual(2);
  });

  test("gets its weight's share", () => {
    const warm = [slotOf("a"), slotOf("b", 2)];
    send(levelOf(warm), 300, 0);
    const counts = send(levelOf([...warm, slotOf("new", 3)]), 60, 2000);
    expect(Math.abs((counts["new"] ?? 0) - 30)).toBeLessThanOrEqual(2);
  });

  test("that came while the others rested does not pay for their past", () => {
    const warm = [slotOf("a"), slotOf("b")];
    send(levelOf(warm), 2000, 0);
    for (const slot of warm) rest(slot, 3000, 1000);
    const level = levelOf([...warm, slotOf("new")]);
    expect(send(level, 5, 3001)).toEqual({ new: 5 });
    const counts = send(level, 60, 5000);
    for (const id of ["a", "b", "new"]) expect(Math.abs((counts[id] ?? 0) - 20)).toBeLessThanOrEqual(2);
  });

  test("that came while the others were tried already starts at their minimum", () => {
    const warm = [slotOf("a"), slotOf("b")];
    send(levelOf(warm), 2000, 0);
    const level = levelOf([...warm, slotOf("new")]);
    expect(send(level, 1, 3000, ({ backend }) => backend.id !== "new")).toEqual({ new: 1 });
    const counts = send(level, 60, 3001);
    expect(Math.abs((counts["new"] ?? 0) - 20)).toBeLessThanOrEqual(2);
  });
});

describe("a key back from rest", () => {
  test("gets its share, no more", () => {
    const slots = ["a", "b", "c", "d", "e", "f"].map((id) => slotOf(id));
    const level = levelOf(slots);
    send(level, 600, 0);
    rest(slots[5]!, 1000, 10_000);
    expect(send(level, 1000, 1001)["f"]).toBeUndefined();
    const counts = send(level, 60, 20_000);
    expect(Math.abs((counts["f"] ?? 0) - 10)).toBeLessThanOrEqual(2);
  });

  test("loses nothing by short rests", () => {
    const slots = [slotOf("a"), slotOf("b")];
    const level = levelOf(slots);
    let now = 0;
    let toB = 0;
    for (let round = 0; round < 50; round += 1) {
      toB += send(level, 10, now)["b"] ?? 0;
      rest(slots[1]!, now + 10, 5);
      now += 20;
    }
    expect(toB).toBeGreaterThan(200);
    expect(toB).toBeLessThanOrEqual(260);
  });

  test("shares evenly when all rested at once", () => {
    const slots = [slotOf("a"), slotOf("b"), slotOf("c")];
    const level = levelOf(slots);
    send(level, 300, 0);
    for (const slot of slots) rest(slot, 1000, 1000);
    expect(send(level, 3, 1001)).toEqual({});
    const counts = send(level, 60, 5000);
    for (const id of ["a", "b", "c"]) expect(Math.abs((counts[id] ?? 0) - 20)).toBeLessThanOrEqual(1);
  });
});
