// The states in the order of how much they want to be looked at.
import type { StateWord } from "../../../../core/status.ts";

export const STATES: readonly StateWord[] = ["down", "resting", "limited", "drained", "untried", "usable"];

/** Lower first. */
export const RANK: Readonly<Record<StateWord, number>> = {
  down: 0,
  resting: 1,
  limited: 2,
  drained: 3,
  untried: 4,
  usable: 5,
};

export type StateCounts = Readonly<Record<StateWord, number>>;

export function countStates(rows: readonly { readonly state: StateWord }[]): StateCounts {
  const counts = { down: 0, resting: 0, limited: 0, drained: 0, untried: 0, usable: 0 };
  for (const { state } of rows) counts[state] += 1;
  return counts;
}
