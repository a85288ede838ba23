// How often engines are asked, and for how long; the contract's defaults (section 7), each with its reason.

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

/** Keys `health_check.{interval,fast_interval,timeout,threshold}` and `engine_metrics.interval`. */
export const HEALTH_DEFAULTS: HealthSettings = {
  intervalMs: 30_000,
  fastIntervalMs: 5000,
  timeoutMs: 10_000,
  threshold: 3,
  metricsIntervalMs: 3000,
};

/** Probes, scrapes and look-ups under way at once, each of the three by itself. */
export const MOST_AT_ONCE = 20;
