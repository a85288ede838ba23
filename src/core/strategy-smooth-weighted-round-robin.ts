// In turn, by weight, and never in bursts: 5:1:1 gives A A B A C A A. nginx's algorithm (commit 52327e0627f4).
import type { Choice, Level, Strategy } from "./seams.ts";

/**
 * Every usable slot gains its weight, the one that has most is picked and pays what all have gained. As in nginx, who is
 * unusable neither gains nor counts: it comes back where it left, the others share by their weights alone, and nobody
 * catches up in a burst. The first of equals wins.
 */
export function createSmoothWeightedRoundRobin(): Strategy {
  const cursors = createCursors();
  return {
    name: "smooth-weighted-round-robin",
    pick: (level, choice) => pickInTurn(level, choice, cursors(level)),
    rank: (level, at) => -((cursors(level)[at] ?? 0) + (level.weights[at] ?? 1)),
  };
}

function pickInTurn(level: Level, choice: Choice, current: Float64Array): number {
  let best = -1;
  let most = Number.NEGATIVE_INFINITY;
  let total = 0;
  for (let at = 0; at < level.slots.length; at += 1) {
    const slot = level.slots[at];
    if (slot === undefined || !choice.isUsable(slot)) continue;
    const weight = level.weights[at] ?? 1;
    const gained = (current[at] ?? 0) + weight;
    current[at] = gained;
    total += weight;
    if (gained <= most) continue;
    best = at;
    most = gained;
  }
  if (best !== -1) current[best] = most - total;
  return best;
}

/** What each slot of a level has gained. A reload makes new levels of an unchanged route: they go on by their first slot. */
function createCursors(): (level: Level) => Float64Array {
  const byLevel = new WeakMap<Level, Float64Array>();
  const byFirstId = new Map<string, Float64Array>();
  return (level) => {
    const known = byLevel.get(level);
    if (known !== undefined) return known;
    const firstId = level.slots[0]?.backend.id ?? "";
    const before = byFirstId.get(firstId);
    const cursor = before?.length === level.slots.length ? before : new Float64Array(level.slots.length);
    byFirstId.set(firstId, cursor);
    byLevel.set(level, cursor);
    return cursor;
  };
}
