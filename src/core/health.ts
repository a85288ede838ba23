// What probes say of an engine, apart from what requests say of it: unknown, up or down, and when that changes.

/** `unknown` counts as eligible; see the contract's section 5. */
export type Standing = "unknown" | "up" | "down";

export interface Health {
  readonly standing: Standing;
  /** Failed probes since the last good one. */
  readonly failures: number;
}

export const UNPROBED: Health = { standing: "unknown", failures: 0 };

/**
 * One good probe is enough to be up. An engine that was up is down after `threshold` failures in a row; one that was
 * never up has nothing to lose by waiting for its first good probe, so there the first failure decides.
 */
export function nextHealth(before: Health, good: boolean, threshold: number): Health {
  if (good) return { standing: "up", failures: 0 };
  const failures = before.failures + 1;
  return { standing: before.standing === "up" && failures < threshold ? "up" : "down", failures };
}

/** How often an engine is asked, and for how long; milliseconds. */
export interface HealthSettings {
  /** Between probes of an engine that is up. */
  readonly intervalMs: number;
  /** Between probes of one whose last probe failed: one that comes up serves within this. */
  readonly fastIntervalMs: number;
  readonly timeoutMs: number;
  /** Failed probes in a row until an engine that was up is down. */
  readonly threshold: number;
  /** Between readings of an engine's metrics; a reading is believed for three of them. */
  readonly metricsIntervalMs: number;
}
