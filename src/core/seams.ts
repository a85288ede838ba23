// The joints of the core: what a strategy is given and must answer, and the sources of time and chance.
import type { Backend } from "./backend.ts";
import type { BackendState } from "./backend-state.ts";
import type { CredentialState } from "./credential-state.ts";

/** Monotonic milliseconds for deadlines, and wall-clock milliseconds for dates in headers and logs. */
export interface Clock {
  readonly now: () => number;
  readonly wall: () => number;
}

/** Uniform in [0, 1). */
export type Random = () => number;

/** A Backend with its observed state. */
export interface Slot {
  readonly backend: Backend;
  readonly state: BackendState;
  readonly keyState: CredentialState;
  /** What an engine says it serves; absent while unknown, and for hosted providers. */
  readonly served?: ReadonlySet<string>;
}

/** The candidates of one priority; weights stand by index, are above 0 and are relative to one another. */
export interface Level {
  /** Lower first. */
  readonly priority: number;
  readonly slots: readonly Slot[];
  readonly weights: readonly number[];
}

export interface Choice {
  readonly nowMs: number;
  readonly random: Random;
  /** As the client asked for it; for a user's own strategy. */
  readonly model?: string | undefined;
  /** True when the slot may take this request now. */
  readonly isUsable: (slot: Slot) => boolean;
}

/** Picks one among the usable slots of a level. One instance serves one route and lives as long as the route is unchanged. */
export interface Strategy {
  readonly name: string;
  /** What it was made of beside its name; see isMadeOf. */
  readonly origin?: unknown;
  /** The index into the level; -1 when none is usable. Called once per attempt; the attempt is then always begun. */
  readonly pick: (level: Level, choice: Choice) => number;
  /**
   * How far the slot at this index is from being picked now, for explanations: lower is sooner, equal is as likely.
   * Changes nothing. Absent: nobody can tell.
   */
  readonly rank?: (level: Level, at: number, nowMs: number) => number;
}
