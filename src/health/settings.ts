// How often engines are asked, and for how long; the contract's defaults (section 7).
import type { HealthSettings } from "../core/health.ts";

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
