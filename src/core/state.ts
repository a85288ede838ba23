// What was observed of keys and backends: the two mutable records, and every way to change them.
// Only this module writes them; they are kept by id across reloads.
import type { Limits } from "./credential.ts";
import { createLimitSet, type LimitSet } from "./limit.ts";
import { type Health, nextHealth, UNPROBED } from "./health.ts";
import { restFromLimits } from "./learned.ts";
import type { LearnedLimits } from "./limit-headers.ts";
import { createMeasures, type Measures } from "./measures.ts";
import { type CooldownPolicy, isResting, laterRest, needsTrial, type Rest, restLength } from "./rest.ts";
import { concernsBackend, type Outcome } from "./outcome.ts";

export interface CredentialState {
  readonly id: string;
  readonly rest?: Rest;
  /** Rests of each cause since the last success. */
  readonly streaks: Readonly<Record<"rate_limit" | "quota" | "revoked", number>>;
  /** Models that this key was refused, with the end of the mark in monotonic milliseconds. */
  readonly refusedModels: ReadonlyMap<string, number>;
  /** What was taken of its limits; absent when it has none. Keys of one quota group have one and the same. */
  readonly limits?: LimitSet;
  /** Keys that share one bucket at the provider, this one included: a rate limit of one rests them all. */
  readonly group?: readonly CredentialState[];
  /** What the provider last said about this key's limits. */
  readonly learned?: LearnedLimits & { readonly atMs: number };
}

export interface BackendState {
  readonly id: string;
  readonly rest?: Rest;
  readonly failuresInRow: number;
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

type Writable<T> = { -readonly [K in keyof T]: T[K] };
const write = <T>(state: T): Writable<T> => state;

/** A key that does not know a model is asked again for it after this long. */
const MODEL_MARK_MS = 300_000;
/** Marks of more models than this are dropped, oldest first: model names come from callers. */
const MOST_MODEL_MARKS = 64;
const NO_STREAKS = { rate_limit: 0, quota: 0, revoked: 0 } as const;

export function createCredentialState(id: string): CredentialState {
  return { id, streaks: NO_STREAKS, refusedModels: new Map() };
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

/** Takes over configured limits; what was taken stays counted where a limit of its kind remains. */
export function setLimits(holder: CredentialState | BackendState, limits: Limits): void {
  const record: Writable<{ readonly limits?: LimitSet }> = write(holder);
  if (Object.keys(limits).length === 0) delete record.limits;
  else if (record.limits === undefined) record.limits = createLimitSet(limits);
  else record.limits.resize(limits);
}

/** Joins keys that share one bucket at the provider: the first one's limits count for all. */
export function joinGroup(members: readonly CredentialState[]): void {
  const limits = members.find((member) => member.limits !== undefined)?.limits;
  for (const member of members) {
    const record = write(member);
    if (members.length > 1) record.group = members;
    else delete record.group;
    if (limits !== undefined) record.limits = limits;
  }
}

/** The two records of one backend; structurally a Slot. */
export interface Observed {
  readonly state: BackendState;
  readonly keyState: CredentialState;
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

/** An attempt is about to be sent. A rest that has run out becomes a trial, which holds others off until it is settled. */
export function beginAttempt({ state, keyState }: Observed, nowMs: number): void {
  const record = write(state);
  record.attempts += 1;
  record.used += 1;
  record.inFlight += 1;
  record.lastUsedMs = nowMs;
  openTrial(state, nowMs);
  openTrial(keyState, nowMs);
}

function openTrial(holder: { readonly rest?: Rest }, nowMs: number): void {
  const { rest } = holder;
  if (rest === undefined || nowMs < rest.untilMs) return;
  if (needsTrial(rest.cause)) write(holder).rest = { ...rest, onTrial: true };
  else delete write(holder).rest;
}

/** A good answer has begun: the rests that were on trial are over, though the body may take minutes more. */
export function noteAnswer({ state, keyState }: Observed, startedMs: number): void {
  if (isProof(state, startedMs)) proveBackend(state);
  if (isProof(keyState, startedMs)) proveKey(keyState);
}

/** A rest that began while an attempt was under way is newer than what the attempt proves. */
const isProof = ({ rest }: { readonly rest?: Rest }, startedMs: number): boolean =>
  rest === undefined || rest.sinceMs < startedMs;

function proveBackend(state: BackendState): void {
  const record = write(state);
  record.failuresInRow = 0;
  record.restStreak = 0;
  // An answer to a request proves nothing about probes: `down` is over when one is good.
  if (record.rest?.cause !== "down") delete record.rest;
  delete record.shadowed;
}

function proveKey(keyState: CredentialState): void {
  const record = write(keyState);
  record.streaks = NO_STREAKS;
  delete record.rest;
}

export interface Settlement {
  readonly outcome: Outcome;
  readonly startedMs: number;
  readonly nowMs: number;
  /** In [0, 1), for the jitter of a rest. */
  readonly random: number;
  readonly policy: CooldownPolicy;
  /** The model as sent upstream. */
  readonly model?: string;
}

/** The attempt is over: in-flight goes down, key and backend learn from the outcome. Returns rests that began. */
export function settleAttempt(observed: Observed, settlement: Settlement): readonly Rest[] {
  const { state, keyState } = observed;
  const { outcome, startedMs } = settlement;
  write(state).inFlight -= 1;
  const began = learn(observed, settlement);
  // Any answer that is not the backend's fault proves it alive; one that got past the key proves the key.
  if (outcome.kind !== "abandoned" && !concernsBackend(outcome.kind) && isProof(state, startedMs))
    proveBackend(state);
  const passedKey = ["success", "rejected", "model_not_found"].includes(outcome.kind);
  if (passedKey && isProof(keyState, startedMs)) proveKey(keyState);
  // A trial that proved nothing leaves the rest due at once.
  closeTrial(state, settlement);
  closeTrial(keyState, settlement);
  return began;
}

function learn(observed: Observed, settlement: Settlement): readonly Rest[] {
  switch (settlement.outcome.kind) {
    case "rate_limited":
      return restGroup(observed.keyState, settlement);
    case "quota_exhausted":
      return restKey(observed.keyState, "quota", settlement);
    case "revoked":
      return restKey(observed.keyState, "revoked", settlement);
    case "model_not_found":
      markModel(observed.keyState, settlement);
      return [];
    case "unreachable":
    case "unavailable":
    case "failed":
      return noteFailure(observed.state, settlement);
    case "success":
    case "rejected":
    case "abandoned":
      return [];
  }
}

function closeTrial(holder: { readonly rest?: Rest }, { startedMs, nowMs }: Settlement): void {
  const { rest } = holder;
  if (rest !== undefined && isTrial(rest, startedMs))
    write(holder).rest = { ...rest, onTrial: false, untilMs: nowMs };
}

/** True when the attempt that began at `startedMs` is the trial, not one that was under way before the rest. */
const isTrial = (rest: Rest, startedMs: number): boolean => rest.onTrial && startedMs >= rest.untilMs;

/** Keys of one bucket are limited together; the rest is told once. */
function restGroup(keyState: CredentialState, settlement: Settlement): readonly Rest[] {
  const began = restKey(keyState, "rate_limit", settlement);
  const { rest } = keyState;
  for (const member of keyState.group ?? [])
    if (member !== keyState && rest !== undefined) write(member).rest = laterRest(member.rest, rest);
  return began;
}

function restKey(
  keyState: CredentialState,
  cause: "rate_limit" | "quota" | "revoked",
  settlement: Settlement,
): readonly Rest[] {
  const { outcome, startedMs, nowMs, policy, random } = settlement;
  const record = write(keyState);
  const current = record.rest;
  // Answers to requests that were under way when the rest began are the same piece of news, though another cause may
  // have come between.
  const known = current !== undefined && startedMs < current.sinceMs && record.streaks[cause] > 0;
  const streak = Math.max(0, record.streaks[cause] - (known ? 1 : 0));
  const hint = outcome.retryAfterMs === undefined ? {} : { hintMs: outcome.retryAfterMs };
  const lengthMs = restLength({ cause, streak, ...hint }, policy, random);
  if (!known) record.streaks = { ...record.streaks, [cause]: streak + 1 };
  const next: Rest = {
    cause,
    detail: outcome.detail,
    ...(outcome.status === undefined ? {} : { status: outcome.status }),
    sinceMs: nowMs,
    untilMs: nowMs + lengthMs,
    onTrial: false,
  };
  const rest = laterRest(current, next);
  record.rest = rest;
  return rest === next && !(known && current.cause === cause) ? [next] : [];
}

function noteFailure(state: BackendState, settlement: Settlement): readonly Rest[] {
  const { outcome, startedMs, nowMs, policy, random } = settlement;
  const record = write(state);
  const current = record.rest;
  record.failuresInRow += 1;
  const wasOnTrial = current !== undefined && isTrial(current, startedMs);
  const asked = outcome.kind === "unavailable" && outcome.retryAfterMs !== undefined;
  const already = isResting(current, nowMs) && !wasOnTrial;
  // A failure during a rest is no news, unless the backend asks for longer; a trial under way will tell by itself.
  if (already && (!asked || current?.onTrial === true)) return [];
  if (!wasOnTrial && !asked && record.failuresInRow < policy.threshold) return [];
  const hint = outcome.retryAfterMs === undefined ? {} : { hintMs: outcome.retryAfterMs };
  const streak = Math.max(0, record.restStreak - (already ? 1 : 0));
  const lengthMs = restLength({ cause: "failures", streak, ...hint }, policy, random);
  const count = record.failuresInRow;
  const detail = count === 1 ? outcome.detail : `${count} failures in a row, last: ${outcome.detail}`;
  const next: Rest = { cause: "failures", detail, sinceMs: nowMs, untilMs: nowMs + lengthMs, onTrial: false };
  record.rest = laterRest(current, next);
  if (already) return [];
  record.restStreak += 1;
  return [next];
}

function markModel(keyState: CredentialState, { model, nowMs }: Settlement): void {
  if (model === undefined) return;
  const marks = new Map([...keyState.refusedModels].filter(([, until]) => until > nowMs));
  marks.delete(model);
  marks.set(model, nowMs + MODEL_MARK_MS);
  const [oldest] = marks.keys();
  if (marks.size > MOST_MODEL_MARKS && oldest !== undefined) marks.delete(oldest);
  write(keyState).refusedModels = marks;
}

export interface Lesson {
  readonly nowMs: number;
  /** In [0, 1). */
  readonly random: number;
  readonly policy: CooldownPolicy;
  /** False for an answer whose own outcome already decides about a rest. */
  readonly mayRest: boolean;
}

/** What an answer says of the key's limits. A key that has run dry rests before it gets a 429; returns rests that began. */
export function noteLimits(
  keyState: CredentialState,
  learned: LearnedLimits,
  { nowMs, random, policy, mayRest }: Lesson,
): readonly Rest[] {
  const record = write(keyState);
  record.learned = { ...learned, atMs: nowMs };
  const asked = mayRest ? restFromLimits(learned) : undefined;
  if (asked === undefined) return [];
  const { cause, detail, lengthMs } = asked;
  const untilMs = nowMs + lengthMs * (1 + policy.jitter * random);
  const next: Rest = { cause, detail, sinceMs: nowMs, untilMs, onTrial: false };
  const before = record.rest;
  record.rest = laterRest(before, next);
  return record.rest === next && !isResting(before, nowMs) ? [next] : [];
}

/** The keys' rests were one shared cause: all rest briefly and none is held to have failed. */
export function forgiveKeys(
  keyStates: Iterable<CredentialState>,
  nowMs: number,
  policy: CooldownPolicy,
): void {
  for (const keyState of keyStates) {
    const record = write(keyState);
    if (record.rest === undefined) continue;
    const hinted = record.rest.cause === "rate_limit" ? record.rest.untilMs : 0;
    const untilMs = Math.max(hinted, nowMs + policy.firstMs);
    record.rest = {
      ...record.rest,
      cause: "rate_limit",
      detail: `all keys alike: ${record.rest.detail}`,
      untilMs,
    };
    record.streaks = NO_STREAKS;
  }
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
