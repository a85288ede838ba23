// The better of two slots drawn at random, for the strategies that compare loads: nearly as even as comparing all, in
// constant time, and no herd runs to the one that looked best (Mitzenmacher, "The power of two choices", 1996).
import type { Sampler } from "./sample.ts";
import type { Choice, Level, Slot } from "./seams.ts";

/** What `slot` has to do, in requests, as far as that can be compared with `rival`. */
export type LoadOf = (slot: Slot, rival: Slot, nowMs: number) => number;

/**
 * Both are drawn by weight, and loads are divided by weight. Drawing evenly would leave a heavy slot unseen in most
 * picks (one of ten is seen in two of ten, whatever its weight), and dividing alone would share a quiet route evenly.
 * The first is left only for one that has less to do both before and after it has taken the request: so an idle slot
 * keeps what its weight drew, and a quiet route shares by weight too.
 */
export function pickOfTwo(level: Level, choice: Choice, parts: { sampler: Sampler; loadOf: LoadOf }): number {
  const { sampler, loadOf } = parts;
  const first = sampler.draw(level, choice, -1);
  if (first === -1 || level.slots.length === 1) return first;
  const second = sampler.draw(level, choice, first);
  const one = level.slots[first];
  const two = level.slots[second];
  if (one === undefined || two === undefined) return first;
  const weightOne = level.weights[first] ?? 1;
  const weightTwo = level.weights[second] ?? 1;
  const loadOne = loadOf(one, two, choice.nowMs);
  const loadTwo = loadOf(two, one, choice.nowMs);
  const isLess = loadTwo / weightTwo < loadOne / weightOne;
  return isLess && (loadTwo + 1) / weightTwo < (loadOne + 1) / weightOne ? second : first;
}

/** For explanations: the load of one slot as it compares with the level's first other one. */
export function loadPerWeight(
  { slots, weights }: Level,
  at: number,
  { nowMs, loadOf }: { readonly nowMs: number; readonly loadOf: LoadOf },
): number {
  const slot = slots[at];
  const rival = slots.find((_, index) => index !== at) ?? slot;
  if (slot === undefined || rival === undefined) return Number.POSITIVE_INFINITY;
  return loadOf(slot, rival, nowMs) / (weights[at] ?? 1);
}
