// Fewest tokens in the last minute for its weight. What is in flight counts as an average answer, else all would go to
// the one whose first answer takes longest.
import { failurePenalty, tokensThisMinute } from "./measures.ts";
import type { Choice, Level, Strategy } from "./seams.ts";

export function createUsageBased(): Strategy {
  return {
    name: "usage-based",
    pick: pickLeastTokens,
    rank: (level, at, nowMs) => tokensPerWeight(level, at, { nowMs, expected: meanTokens(level) }),
  };
}

function pickLeastTokens(level: Level, choice: Choice): number {
  const expected = meanTokens(level);
  let best = -1;
  let bestScore = Number.POSITIVE_INFINITY;
  let weightOfEquals = 0;
  for (let at = 0; at < level.slots.length; at += 1) {
    const slot = level.slots[at];
    if (slot === undefined || !choice.isUsable(slot)) continue;
    const weight = level.weights[at] ?? 1;
    const score = tokensPerWeight(level, at, { nowMs: choice.nowMs, expected });
    if (score > bestScore) continue;
    weightOfEquals = score < bestScore ? weight : weightOfEquals + weight;
    bestScore = score;
    if (choice.random() * weightOfEquals < weight) best = at;
  }
  return best;
}

function tokensPerWeight(
  { slots, weights }: Level,
  at: number,
  { nowMs, expected }: { readonly nowMs: number; readonly expected: number },
): number {
  const state = slots[at]?.state;
  if (state === undefined) return Number.POSITIVE_INFINITY;
  const pending = state.inFlight + failurePenalty(state.measures, nowMs);
  return (tokensThisMinute(state.measures, nowMs) + pending * expected) / (weights[at] ?? 1);
}

/** Tokens of one request, over all slots: the next one will be as large wherever it goes. 1 while nobody knows. */
function meanTokens({ slots }: Level): number {
  let sum = 0;
  let known = 0;
  for (const { state } of slots) {
    if (state.measures.tokensPerRequest === 0) continue;
    sum += state.measures.tokensPerRequest;
    known += 1;
  }
  return known === 0 ? 1 : sum / known;
}
