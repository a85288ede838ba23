import { expect, test } from "bun:test";
import { array, assert, nat, property, record } from "fast-check";
import { MinuteRing } from "../../src/core/minute-ring.ts";

test("a minute holds what came within the last sixty seconds, and forgets it by the second", () => {
  const ring = new MinuteRing(2);
  ring.add(0, 3, 0);
  ring.add(1, 7, 500);
  ring.add(0, 2, 30_000);
  expect(ring.sum(0, 59_999)).toBe(5);
  expect(ring.sum(1, 59_999)).toBe(7);
  expect(ring.sum(0, 60_000)).toBe(2);
  expect(ring.sum(1, 60_000)).toBe(0);
  expect(ring.sum(0, 90_000)).toBe(0);
});

test("a minute is empty after any long silence", () => {
  const ring = new MinuteRing(1);
  ring.add(0, 1, 1000);
  expect(ring.sum(0, 10_000_000)).toBe(0);
  ring.add(0, 4, 10_000_000);
  expect(ring.sum(0, 10_000_000)).toBe(4);
});

test("a minute agrees with a list of all that came, by whole seconds", () => {
  const steps = array(record({ waitMs: nat(40_000), amount: nat(1000) }), { maxLength: 60 });
  assert(
    property(steps, (course) => {
      const ring = new MinuteRing(1);
      const seen: { second: number; amount: number }[] = [];
      let nowMs = 0;
      for (const { waitMs, amount } of course) {
        nowMs += waitMs;
        ring.add(0, amount, nowMs);
        const second = Math.floor(nowMs / 1000);
        seen.push({ second, amount });
        const within = seen.filter((each) => each.second > second - 60);
        expect(ring.sum(0, nowMs)).toBe(within.reduce((sum, each) => sum + each.amount, 0));
      }
    }),
  );
});
