// The one of two random choices whose engine has the shorter queue for its weight, as its metrics tell, and as we know
// better than they: they trail what we sent by seconds, and read zero while an engine warms up.
import { type EngineLoad, failurePenalty, loadOf, unseenSent } from "./measures.ts";
import { createSampler } from "./sample.ts";
import type { Slot, Strategy } from "./seams.ts";
import { loadPerWeight, pickOfTwo } from "./two-choices.ts";

/** Of two engines without a queue, the less busy: so many running requests weigh as one that waits. */
const RUNNING_PER_WAITING = 100;

export function createLeastWaiting(): Strategy {
  const parts = { sampler: createSampler(), loadOf: waitingOf };
  return {
    name: "least-waiting",
    pick: (level, choice) => pickOfTwo(level, choice, parts),
    rank: (level, at, nowMs) => loadPerWeight(level, at, { nowMs, loadOf: waitingOf }),
  };
}

/**
 * Only two queues can be compared with one another. Beside a rival without believable metrics, requests in flight are
 * what both know; a queue beyond them, of other clients, still counts.
 */
function waitingOf({ state }: Slot, rival: Slot, nowMs: number): number {
  const penalty = failurePenalty(state.measures, nowMs);
  const load = loadOf(state.measures, nowMs);
  if (load === undefined) return penalty + state.inFlight;
  const queue = load.waiting + unseen(state, load);
  const isComparable = loadOf(rival.state.measures, nowMs) !== undefined;
  return (
    penalty + (isComparable ? queue + load.running / RUNNING_PER_WAITING : Math.max(queue, state.inFlight))
  );
}

/**
 * Ours that the gauges do not show: what was sent lately, and in any case what is more than the gauges count, which is
 * everything in a cold start.
 */
const unseen = ({ inFlight, measures }: Slot["state"], { waiting, running }: EngineLoad): number =>
  Math.max(Math.min(inFlight, unseenSent(measures)), inFlight - waiting - running);
