// The cheapest by price per token; least-used among equal prices. Without a price a slot counts as the most expensive.
import type { Slot, Strategy } from "./seams.ts";
import { createLeastUsed } from "./strategy-least-used.ts";

export function createLowestCost(): Strategy {
  const leastUsed = createLeastUsed();
  return {
    name: "lowest-cost",
    pick(level, choice) {
      let lowest = Number.POSITIVE_INFINITY;
      for (const slot of level.slots) {
        const cost = costOf(slot);
        if (cost < lowest && choice.isUsable(slot)) lowest = cost;
      }
      const isUsable = (slot: Slot) => costOf(slot) === lowest && choice.isUsable(slot);
      return leastUsed.pick(level, { ...choice, isUsable });
    },
    rank: ({ slots }, at) => {
      const slot = slots[at];
      return slot === undefined ? Number.POSITIVE_INFINITY : costOf(slot);
    },
  };
}

/** Input and output weigh the same: how long an answer will be is not known before. */
const costOf = ({ backend: { price } }: Slot): number =>
  price === undefined ? Number.POSITIVE_INFINITY : price.inputPerToken + price.outputPerToken;
