// The soonest first token, by peak EWMA and what is in flight already; who is within the buffer shares by weight.
import { failurePenalty, firstByteOf } from "./measures.ts";
import type { Choice, Level, Strategy } from "./seams.ts";

/** Samples older than this say little. */
const OLD_MS = 60_000;
/** This share of the picks goes to the slot with the oldest sample, when it is old: a slow one may have got better. */
const EXPLORED_SHARE = 0.02;
/** Rounding must not tell equals apart. */
const EQUAL = 1 + 1e-9;
/**
 * Who has been asked and has not answered yet is taken for this many times as slow as the fastest: nobody knows, and the
 * others do answer; but they need not take a whole rush alone. (Finagle makes it infinite.)
 */
const UNANSWERED = 10;
/** Stands for a latency while nobody has any: then the least in flight is taken. */
const ANY_MS = 1;

interface LatencyOptions {
  /** Everything up to `lowest * (1 + latencyBuffer)` counts as equally good. */
  readonly latencyBuffer?: number;
}

/**
 * Everybody is compared: unlike two choices this finds the fastest also among many slow ones. A slot never tried is
 * tried first, by one request at a time; one that fails instead of answering is not.
 */
export function createLatencyBased({ latencyBuffer = 0 }: LatencyOptions = {}): Strategy {
  let scores = new Float64Array(0);
  return {
    name: "latency-based",
    pick(level, choice) {
      if (scores.length < level.slots.length) scores = new Float64Array(level.slots.length);
      const survey = surveyLevel(level, choice, scores);
      if (survey.oldest !== -1 && choice.random() < EXPLORED_SHARE) return survey.oldest;
      return drawBelow(level, scores, {
        most: survey.lowest * (1 + latencyBuffer) * EQUAL,
        random: choice.random,
      });
    },
    rank: (level, at, nowMs) => scoreOf(level, at, { nowMs, assumedMs: UNANSWERED * lowestFirstByte(level) }),
  };
}

interface Survey {
  readonly lowest: number;
  /** Who is due to be measured again; -1 for nobody. */
  readonly oldest: number;
}

/** Writes each slot's score, Infinity for unusable ones. */
function surveyLevel(level: Level, choice: Choice, scores: Float64Array): Survey {
  const { nowMs } = choice;
  const assumedMs = UNANSWERED * lowestFirstByte(level);
  let lowest = Number.POSITIVE_INFINITY;
  let oldest = -1;
  let oldestAtMs = nowMs - OLD_MS;
  for (let at = 0; at < level.slots.length; at += 1) {
    const slot = level.slots[at];
    scores[at] = Number.POSITIVE_INFINITY;
    if (slot === undefined || !choice.isUsable(slot)) continue;
    const { inFlight, measures } = slot.state;
    const score = scoreOf(level, at, { nowMs, assumedMs });
    scores[at] = score;
    lowest = Math.min(lowest, score);
    const isBusy = inFlight + failurePenalty(measures, nowMs) > 0;
    if (isBusy || measures.firstByteAtMs >= oldestAtMs || score === 0) continue;
    oldest = at;
    oldestAtMs = measures.firstByteAtMs;
  }
  return { lowest, oldest };
}

function scoreOf(
  { slots, weights }: Level,
  at: number,
  { nowMs, assumedMs }: { readonly nowMs: number; readonly assumedMs: number },
): number {
  const state = slots[at]?.state;
  if (state === undefined) return Number.POSITIVE_INFINITY;
  const pending = state.inFlight + failurePenalty(state.measures, nowMs);
  const firstByteMs = firstByteOf(state.measures) ?? (pending === 0 ? 0 : assumedMs);
  return firstByteMs * (1 + pending / (weights[at] ?? 1));
}

function lowestFirstByte({ slots }: Level): number {
  let lowest = Number.POSITIVE_INFINITY;
  for (const { state } of slots) lowest = Math.min(lowest, firstByteOf(state.measures) ?? lowest);
  return Number.isFinite(lowest) ? lowest : ANY_MS;
}

function drawBelow(
  { slots, weights }: Level,
  scores: Float64Array,
  { most, random }: { readonly most: number; readonly random: Choice["random"] },
): number {
  let found = -1;
  let weightSoFar = 0;
  for (let at = 0; at < slots.length; at += 1) {
    const score = scores[at] ?? Number.POSITIVE_INFINITY;
    if (score > most || score === Number.POSITIVE_INFINITY) continue;
    const weight = weights[at] ?? 1;
    weightSoFar += weight;
    if (random() * weightSoFar < weight) found = at;
  }
  return found;
}
