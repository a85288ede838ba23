// What was observed of one key: its rests by cause, what it may not use, what its provider tells. Its only writer.
import type { Limits } from "./credential.ts";
import type { LimitSet } from "./limit.ts";
import { restFromLimits } from "./learned.ts";
import type { LearnedLimits } from "./limit-headers.ts";
import { nextLimits, type Settlement, write } from "./record.ts";
import { type CooldownPolicy, isResting, laterRest, type Rest, restLength } from "./rest.ts";

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

/** A key that does not know a model is asked again for it after this long. */
const MODEL_MARK_MS = 300_000;
/** Marks of more models than this are dropped, oldest first: model names come from callers. */
const MOST_MODEL_MARKS = 64;
const NO_STREAKS = { rate_limit: 0, quota: 0, revoked: 0 } as const;

export function createCredentialState(id: string): CredentialState {
  return { id, streaks: NO_STREAKS, refusedModels: new Map() };
}

/**
 * Joins keys that share one bucket at the provider. `taken`: what other groups count by already, as a key that has left
 * a group still holds that one's.
 */
export function joinGroup(
  members: readonly CredentialState[],
  limits: Limits,
  taken: ReadonlySet<LimitSet>,
): LimitSet | undefined {
  const kept = members.find((member) => member.limits !== undefined && !taken.has(member.limits))?.limits;
  const shared = nextLimits(kept, limits);
  for (const member of members) {
    const record = write(member);
    if (members.length > 1) record.group = members;
    else delete record.group;
    if (shared === undefined) delete record.limits;
    else record.limits = shared;
  }
  return shared;
}

/** The provider has taken the key: its rest is over, and its streaks. */
export function proveKey(keyState: CredentialState): void {
  const record = write(keyState);
  record.streaks = NO_STREAKS;
  delete record.rest;
}

/** Keys of one bucket are limited together; the rest is told once. */
export function restGroup(keyState: CredentialState, settlement: Settlement): readonly Rest[] {
  const began = restKey(keyState, "rate_limit", settlement);
  const { rest } = keyState;
  for (const member of keyState.group ?? [])
    if (member !== keyState && rest !== undefined) write(member).rest = laterRest(member.rest, rest);
  return began;
}

export function restKey(
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

/** The provider does not know the model, or not for this key. */
export function markModel(keyState: CredentialState, { model, nowMs }: Settlement): void {
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
  // Only the provider knows when its day ends.
  const dayEndMs = learned.requestsPerDay?.resetMs ?? learned.tokensPerDay?.resetMs;
  if (dayEndMs !== undefined) keyState.limits?.endDayAt(nowMs + dayEndMs);
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
