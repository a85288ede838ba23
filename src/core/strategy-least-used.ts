// Least requests divided by weight, then least recently used: keys of equal weight end up with equal counts.
import type { Choice, Level, Slot, Strategy } from "./seams.ts";
import { isResting } from "./rest.ts";
import { liftUsed, noteAbsence } from "./backend-state.ts";

/**
 * A newcomer, and a slot that rested while others were chosen, starts at the current minimum, else it would take all
 * traffic until it had caught up, or leave it all to newcomers.
 */
export function createLeastUsed(): Strategy {
  return { name: "least-used", pick: pickLeastUsed, rank: rankByUse };
}

/** Whoever was away is about to be set to the minimum. */
function rankByUse(level: Level, at: number): number {
  const scores = level.slots.flatMap(({ state }, index) =>
    state.returning ? [] : [state.used / (level.weights[index] ?? 1)],
  );
  const slot = level.slots[at];
  if (slot === undefined) return Number.POSITIVE_INFINITY;
  return slot.state.returning
    ? firstFinite(Math.min(...scores), 0)
    : slot.state.used / (level.weights[at] ?? 1);
}

function pickLeastUsed(level: Level, choice: Choice): number {
  const survey = surveyLevel(level, choice);
  if (!survey.anyReturning) return survey.best;
  liftReturning(level, choice, survey.floor);
  return surveyLevel(level, choice).best;
}

interface Survey {
  readonly best: number;
  /** True when a usable slot's counter has to be lifted before it can be compared. */
  readonly anyReturning: boolean;
  /** The current minimum of those that were not away, over their weights. */
  readonly floor: number;
}

/** Finds the least used, and notes who is away now. */
function surveyLevel(level: Level, choice: Choice): Survey {
  let best = -1;
  let bestScore = Number.POSITIVE_INFINITY;
  let bestUsedMs = Number.POSITIVE_INFINITY;
  let anyReturning = false;
  let minimum = Number.POSITIVE_INFINITY;
  /** Of those that this request cannot use, such as the ones it has tried. */
  let minimumOfOthers = Number.POSITIVE_INFINITY;
  for (let at = 0; at < level.slots.length; at += 1) {
    const slot = level.slots[at];
    if (slot === undefined) continue;
    const { used, returning, lastUsedMs } = slot.state;
    const score = used / (level.weights[at] ?? 1);
    if (!choice.isUsable(slot)) {
      if (returning) continue;
      if (isAway(slot, choice.nowMs)) noteAbsence(slot.state);
      else minimumOfOthers = Math.min(minimumOfOthers, score);
      continue;
    }
    if (returning) anyReturning = true;
    else minimum = Math.min(minimum, score);
    if (score > bestScore || (score === bestScore && lastUsedMs >= bestUsedMs)) continue;
    best = at;
    bestScore = score;
    bestUsedMs = lastUsedMs;
  }
  return { best, anyReturning, floor: firstFinite(minimum, minimumOfOthers) };
}

/** Sets usable slots that were away to the minimum of those that were not. */
function liftReturning(level: Level, choice: Choice, floor: number): void {
  for (let at = 0; at < level.slots.length; at += 1) {
    const slot = level.slots[at];
    if (slot === undefined || !slot.state.returning || !choice.isUsable(slot)) continue;
    liftUsed(slot.state, floor * (level.weights[at] ?? 1));
  }
}

const isAway = ({ state, keyState }: Slot, nowMs: number): boolean =>
  isResting(state.rest, nowMs) || isResting(keyState.rest, nowMs);

const firstFinite = (one: number, other: number): number =>
  Number.isFinite(one) ? one : Number.isFinite(other) ? other : 0;
