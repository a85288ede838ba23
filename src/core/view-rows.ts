// What the rows of a StatusView share: traffic from the tally, times of the wall, what engines say.
import { NO_TIMES } from "./histogram.ts";
import { loadOf } from "./measures.ts";
import type { Slot } from "./seams.ts";
import type { EngineStatus, Standing, Traffic } from "./status.ts";
import type { StandingNow } from "./standing.ts";
import { countOf, isFailure, PER_MINUTE, type Row } from "./tally-row.ts";

export interface Moment {
  /** Monotonic milliseconds. */
  readonly nowMs: number;
  /** Wall-clock milliseconds of the same moment. */
  readonly wallMs: number;
}

/** Whole milliseconds of the wall for a monotonic time; null for never. */
export function wallAt({ nowMs, wallMs }: Moment, monotonicMs: number): number | null {
  return Number.isFinite(monotonicMs) ? Math.round(wallMs - nowMs + monotonicMs) : null;
}

const NO_TRAFFIC: Traffic = {
  inFlight: 0,
  attempts: 0,
  succeeded: 0,
  failed: 0,
  rateLimited: 0,
  successShare: null,
  sentPerMinute: 0,
  completedPerMinute: 0,
  failedPerMinute: 0,
  tokensPerMinute: 0,
  inputTokens: 0,
  outputTokens: 0,
  lastUsedAtMs: null,
  firstByte: NO_TIMES,
};

export function readTraffic(row: Row | undefined, moment: Moment): Traffic {
  if (row === undefined || row.attempts === 0) return NO_TRAFFIC;
  const { nowMs } = moment;
  const succeeded = row.outcomes.get("success") ?? 0;
  const failed = countOf(row, isFailure);
  return {
    inFlight: row.inFlight,
    attempts: row.attempts,
    succeeded,
    failed,
    rateLimited: row.outcomes.get("rate_limited") ?? 0,
    successShare: shareOf(succeeded, succeeded + failed),
    sentPerMinute: row.minute.sum(PER_MINUTE.sent, nowMs),
    completedPerMinute: row.minute.sum(PER_MINUTE.succeeded, nowMs),
    failedPerMinute: row.minute.sum(PER_MINUTE.failed, nowMs),
    tokensPerMinute: row.minute.sum(PER_MINUTE.tokens, nowMs),
    inputTokens: row.inputTokens,
    outputTokens: row.outputTokens,
    lastUsedAtMs: wallAt(moment, row.lastUsedMs),
    firstByte: row.firstByte.percentiles(nowMs),
  };
}

/** Null for a share of nothing. */
export const shareOf = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

export function readStanding(now: StandingNow, row: Row | undefined, moment: Moment): Standing {
  return {
    state: now.state,
    reason: now.reason,
    cause: now.cause,
    untilAtMs: now.untilMs === null ? null : wallAt(moment, now.untilMs),
    restedSeconds: row === undefined || row.restedMs.size === 0 ? NO_RESTS : restedSeconds(row),
  };
}

const NO_RESTS: Standing["restedSeconds"] = {};

const restedSeconds = ({ restedMs }: Row): Standing["restedSeconds"] =>
  Object.fromEntries([...restedMs].map(([cause, ms]) => [cause, Math.round(ms / 100) / 10]));

export function readEngine({ state }: Slot, nowMs: number): EngineStatus | null {
  const load = loadOf(state.measures, nowMs);
  if (load === undefined) return null;
  return {
    name: load.engine ?? "unnamed",
    running: load.running,
    waiting: load.waiting,
    cacheShare: load.cacheShare ?? null,
    promptTokens: load.promptTokens ?? null,
    generationTokens: load.generationTokens ?? null,
  };
}

/** What the engines behind some backends say together; null when none of them says anything. */
interface EngineSums {
  readonly running: number | null;
  readonly waiting: number | null;
  /** The mean of those that tell it. */
  readonly cacheShare: number | null;
}

/** Several backends may lead to one engine, by other keys or models: it counts once. */
export function sumEngines(slots: readonly Slot[], nowMs: number): EngineSums {
  const seen = new Set<string>();
  let [running, waiting, cacheSum, caches] = [0, 0, 0, 0];
  for (const slot of slots) {
    const load = loadOf(slot.state.measures, nowMs);
    if (load === undefined || seen.has(slot.backend.origin)) continue;
    seen.add(slot.backend.origin);
    running += load.running;
    waiting += load.waiting;
    if (load.cacheShare === undefined) continue;
    cacheSum += load.cacheShare;
    caches += 1;
  }
  if (seen.size === 0) return NO_ENGINES;
  return { running, waiting, cacheShare: caches === 0 ? null : cacheSum / caches };
}

const NO_ENGINES: EngineSums = { running: null, waiting: null, cacheShare: null };
