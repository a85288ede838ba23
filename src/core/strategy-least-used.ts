// Least requests divided by weight, then least recently used: keys of equal weight end up with equal counts.
import type { Choice, Level, Slot, Strategy } from "./seams.ts";
import { isResting } from "./rest.ts";
import { liftUsed, noteAbsence } from "./state.ts";

/**
 * A newcomer, and a slot that rested while others were chosen, starts at the current minimum, else it would take all
 * traffic until it had caught up, or leave it all to newcomers.
 */
export function createLeastUsed(): Strategy {
  return { name: "least-used", pick: pickLeastUsed };
}

function pickLeastUsed(level: Level, choice: Choice): number {
  liftReturning(level, choice);
  let best = -1;
  let bestScore = Number.POSITIVE_INFINITY;
  let bestUsedMs = Number.POSITIVE_INFINITY;
  for (let at = 0; at < level.slots.length; at += 1) {
    const slot = level.slots[at];
    if (slot === undefined || !choice.isUsable(slot)) continue;
    const score = slot.state.used / (level.weights[at] ?? 1);
    if (score > bestScore || (score === bestScore && slot.state.lastUsedMs >= bestUsedMs)) continue;
    best = at;
    bestScore = score;
    bestUsedMs = slot.state.lastUsedMs;
  }
  return best;
}

/** Sets usable slots that were away to the minimum of those that were not, and notes who is away now. */
function liftReturning(level: Level, choice: Choice): void {
  let anyReturning = false;
  let minimum = Number.POSITIVE_INFINITY;
  /** Of those that this request cannot use, such as the ones it has tried. */
  let minimumOfOthers = Number.POSITIVE_INFINITY;
  for (let at = 0; at < level.slots.length; at += 1) {
    const slot = level.slots[at];
    if (slot === undefined) continue;
    const isUsable = choice.isUsable(slot);
    const score = slot.state.used / (level.weights[at] ?? 1);
    if (isUsable && slot.state.returning) anyReturning = true;
    else if (isUsable) minimum = Math.min(minimum, score);
    else if (isAway(slot, choice.nowMs)) {
      if (!slot.state.returning) noteAbsence(slot.state);
    } else if (!slot.state.returning) minimumOfOthers = Math.min(minimumOfOthers, score);
  }
  if (!anyReturning) return;
  const floor = [minimum, minimumOfOthers].find(Number.isFinite) ?? 0;
  for (let at = 0; at < level.slots.length; at += 1) {
    const slot = level.slots[at];
    if (slot === undefined || !slot.state.returning || !choice.isUsable(slot)) continue;
    liftUsed(slot.state, floor * (level.weights[at] ?? 1));
  }
}

const isAway = ({ state, keyState }: Slot, nowMs: number): boolean =>
  isResting(state.rest, nowMs) || isResting(keyState.rest, nowMs);
