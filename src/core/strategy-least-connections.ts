// The one of two random choices that has fewer requests in flight for its weight; recent failures count like requests.
import { failurePenalty } from "./measures.ts";
import { createSampler } from "./sample.ts";
import type { Slot, Strategy } from "./seams.ts";
import { loadPerWeight, pickOfTwo } from "./two-choices.ts";

export function createLeastConnections(): Strategy {
  const parts = { sampler: createSampler(), loadOf: connectionsOf };
  return {
    name: "least-connections",
    pick: (level, choice) => pickOfTwo(level, choice, parts),
    rank: (level, at, nowMs) => loadPerWeight(level, at, { nowMs, loadOf: connectionsOf }),
  };
}

function connectionsOf({ state }: Slot, _: Slot, nowMs: number): number {
  return state.inFlight + failurePenalty(state.measures, nowMs);
}
