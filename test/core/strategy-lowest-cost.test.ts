// The cheapest first; equal prices share as least-used does.
import { describe, expect, test } from "bun:test";
import type { Slot } from "../../src/core/seams.ts";
import { createLowestCost } from "../../src/core/strategy-lowest-cost.ts";
import { makeBackend, makeSlot } from "../support/slots.ts";
import { countById, levelOf, sendTraffic, slotOf } from "../support/traffic.ts";

const pricedAt = (id: string, inputPerToken: number, outputPerToken: number, weight = 1): Slot =>
  makeSlot(makeBackend(id, { weight, price: { inputPerToken, outputPerToken } }));
const send = (slots: readonly Slot[], count: number, isUsable: (slot: Slot) => boolean = () => true) =>
  countById(
    sendTraffic(levelOf(...slots), {
      pick: createLowestCost().pick,
      react: () => ({ durationMs: 100 }),
      count,
      everyMs: 50,
      isUsable,
    }),
  );

describe("lowest cost", () => {
  test("takes the lowest sum of both prices alone", () => {
    expect(
      send([pricedAt("a", 3e-6, 1e-6), pricedAt("b", 1e-6, 2e-6), pricedAt("c", 2e-6, 2e-6)], 20),
    ).toEqual({
      b: 20,
    });
  });

  test("takes one without a price only when no priced one is usable", () => {
    const slots = [slotOf("unknown"), pricedAt("dear", 1, 1), pricedAt("free", 0, 0)];
    expect(send(slots, 10)).toEqual({ free: 10 });
    expect(send(slots, 10, ({ backend }) => backend.id !== "free")).toEqual({ dear: 10 });
    expect(send(slots, 10, ({ backend }) => backend.id === "unknown")).toEqual({ unknown: 10 });
  });

  test("shares equal prices by weight, the least used first", () => {
    expect(send([pricedAt("a", 1, 2), pricedAt("b", 2, 1, 3), pricedAt("c", 2, 2)], 40)).toEqual({
      a: 10,
      b: 30,
    });
    expect(send([slotOf("a"), slotOf("b")], 40)).toEqual({ a: 20, b: 20 });
  });
});
