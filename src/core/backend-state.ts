// What was observed of one backend: its rests, its counters, what probes say. Its only writer.
import type { Limits } from "./credential.ts";
import { type Health, nextHealth, UNPROBED } from "./health.ts";
import type { LimitSet } from "./limit.ts";
import { createMeasures, type Measures } from "./measures.ts";
import { isTrial, nextLimits, type Settlement, type Writable, write } from "./record.ts";
import { type CooldownPolicy, isResting, laterRest, type Rest, restLength } from "./rest.ts";

export interface BackendState {
  readonly id: string;
  readonly rest?: Rest;
  readonly failuresInRow: number;
  /** When the last failures were, oldest first and never more than a rest takes; only where a window counts. */
  readonly failuresAtMs?: readonly number[];
  /** Rests since the last success. */
  readonly restStreak: number;
  /** Attempts sent, ever. */
  readonly attempts: number;
  /** Counter of least-used: attempts, set to the others' minimum for newcomers and on return from rest. */
  readonly used: number;
  /** True for a newcomer and after a rest, until least-used has set the counter. */
  readonly returning: boolean;
  readonly inFlight: number;
  /** Monotonic milliseconds; -Infinity when never used. */
  readonly lastUsedMs: number;
  /** What strategies look at. */
  readonly measures: Measures;
  /** What was taken of the backend's own limits; absent when it has none. */
  readonly limits?: LimitSet;
  /** What probes say; `unknown` for ever where nobody probes. */
  readonly health: Health;
  /** A rest for failures that a `down` one stands before, and that goes on when that is over. */
  readonly shadowed?: Rest;
}

export function createBackendState(id: string): BackendState {
  return {
    id,
    failuresInRow: 0,
    restStreak: 0,
    attempts: 0,
    used: 0,
    returning: true,
    inFlight: 0,
    lastUsedMs: Number.NEGATIVE_INFINITY,
    health: UNPROBED,
    measures: createMeasures(),
  };
}

export function setLimits(state: BackendState, limits: Limits): void {
  const record = write(state);
  const next = nextLimits(state.limits, limits);
  if (next === undefined) delete record.limits;
  else record.limits = next;
}

/** Others were chosen while this one rested, so its counter will be lifted on return; see the least-used strategy. */
export function noteAbsence(state: BackendState): void {
  write(state).returning = true;
}

/** Sets a newcomer's or returner's counter to the others' minimum; see the least-used strategy. */
export function liftUsed(state: BackendState, minimum: number): void {
  const record = write(state);
  record.used = minimum;
  record.returning = false;
}

/** An attempt is about to be sent. */
export function countBegin(state: BackendState, nowMs: number): void {
  const record = write(state);
  record.attempts += 1;
  record.used += 1;
  record.inFlight += 1;
  record.lastUsedMs = nowMs;
}

/** An attempt is over, whatever it came to. */
export function countEnd(state: BackendState): void {
  write(state).inFlight -= 1;
}

/** The backend has answered: its rest for failures is over. */
export function proveBackend(state: BackendState): void {
  const record = write(state);
  record.failuresInRow = 0;
  record.restStreak = 0;
  // Failures in a window outlast a success between them, but not the rest that they led to.
  if (record.failuresAtMs !== undefined && (record.rest ?? record.shadowed)?.cause === "failures")
    delete record.failuresAtMs;
  // An answer to a request proves nothing about probes: `down` is over when one is good.
  if (record.rest?.cause !== "down") delete record.rest;
  delete record.shadowed;
}

/** Returns the rest that begins, if one does. */
export function noteFailure(state: BackendState, settlement: Settlement): readonly Rest[] {
  const { outcome, startedMs, nowMs, policy, random } = settlement;
  const record = write(state);
  const current = record.rest;
  record.failuresInRow += 1;
  if (policy.threshold === Number.POSITIVE_INFINITY) {
    // A reload may have said so during a rest.
    if (current?.cause === "failures") delete record.rest;
    delete record.shadowed;
    return [];
  }
  const count = countFailures(record, policy, nowMs);
  const wasOnTrial = current !== undefined && isTrial(current, startedMs);
  const asked = outcome.kind === "unavailable" && outcome.retryAfterMs !== undefined;
  const already = isResting(current, nowMs) && !wasOnTrial;
  // A failure during a rest is no news, unless the backend asks for longer; a trial under way will tell by itself.
  if (already && (!asked || current?.onTrial === true)) return [];
  if (!wasOnTrial && !asked && count < policy.threshold) return [];
  const hint = outcome.retryAfterMs === undefined ? {} : { hintMs: outcome.retryAfterMs };
  const streak = Math.max(0, record.restStreak - (already ? 1 : 0));
  const lengthMs = restLength({ cause: "failures", streak, ...hint }, policy, random);
  const span = policy.windowMs === undefined ? "in a row" : `within ${policy.windowMs / 1000} s`;
  const detail = count === 1 ? outcome.detail : `${count} failures ${span}, last: ${outcome.detail}`;
  const next: Rest = { cause: "failures", detail, sinceMs: nowMs, untilMs: nowMs + lengthMs, onTrial: false };
  record.rest = laterRest(current, next);
  if (already) return [];
  record.restStreak += 1;
  return [next];
}

/** Those that count towards a rest, the newest included. */
function countFailures(
  record: Writable<BackendState>,
  { threshold, windowMs }: CooldownPolicy,
  nowMs: number,
): number {
  if (windowMs === undefined) {
    delete record.failuresAtMs;
    return record.failuresInRow;
  }
  const recent = (record.failuresAtMs ?? []).filter((atMs) => atMs > nowMs - windowMs);
  record.failuresAtMs = [...recent, nowMs].slice(-Math.max(1, threshold));
  return record.failuresAtMs.length;
}

export interface Probe {
  readonly good: boolean;
  /** For people: why it was not good. */
  readonly detail: string;
  readonly nowMs: number;
  /** Failures in a row until an engine that was up is down. */
  readonly threshold: number;
  /** When the next verdict is there at the latest: a rest that nobody renews runs out then. */
  readonly dueMs: number;
}

/**
 * A probe has ended. Probes and requests are two sources that never overrule each other: a good probe ends a `down` rest
 * alone, and brings back the rest for failures that stood behind it; a good request ends a rest for failures alone.
 */
export function noteProbe(state: BackendState, probe: Probe): "came_up" | "went_down" | undefined {
  const record = write(state);
  const before = record.health.standing;
  record.health = nextHealth(record.health, probe.good, probe.threshold);
  const { standing } = record.health;
  if (standing === "down") restWhileDown(record, probe);
  else if (record.rest?.cause === "down") endDown(record);
  if (standing === before) return undefined;
  return standing === "up" ? "came_up" : "went_down";
}

function restWhileDown(record: Writable<BackendState>, { detail, nowMs, dueMs }: Probe): void {
  const { rest } = record;
  const isKnown = rest?.cause === "down";
  // A trial under way has nothing more to tell; its rest stays due.
  if (rest !== undefined && !isKnown) record.shadowed = { ...rest, onTrial: false };
  const sinceMs = isKnown ? rest.sinceMs : nowMs;
  const untilMs = Math.max(dueMs, record.shadowed?.untilMs ?? 0);
  record.rest = { cause: "down", detail, sinceMs, untilMs, onTrial: false };
}

function endDown(record: Writable<BackendState>): void {
  const { shadowed } = record;
  delete record.shadowed;
  if (shadowed === undefined) delete record.rest;
  else record.rest = shadowed;
}
