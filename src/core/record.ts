// What the two mutable records of the core have in common: how they are written, and how a rest is put on trial.
import type { Limits } from "./credential.ts";
import { createLimitSet, type LimitSet } from "./limit.ts";
import type { Outcome } from "./outcome.ts";
import { type CooldownPolicy, needsTrial, type Rest } from "./rest.ts";

/** Only the module that owns a record takes this view of it. */
export type Writable<T> = { -readonly [K in keyof T]: T[K] };
export const write = <T>(state: T): Writable<T> => state;

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

/** Takes over configured limits; what was taken stays counted where a limit of its kind remains. */
export function nextLimits(before: LimitSet | undefined, limits: Limits): LimitSet | undefined {
  if (Object.keys(limits).length === 0) return undefined;
  if (before === undefined) return createLimitSet(limits);
  before.resize(limits);
  return before;
}

/** A rest that has run out becomes a trial, which holds others off until it is settled. */
export function openTrial(holder: { readonly rest?: Rest }, nowMs: number): void {
  const { rest } = holder;
  if (rest === undefined || nowMs < rest.untilMs) return;
  if (needsTrial(rest.cause)) write(holder).rest = { ...rest, onTrial: true };
  else delete write(holder).rest;
}

/** A trial that proved nothing leaves the rest due at once. */
export function closeTrial(holder: { readonly rest?: Rest }, { startedMs, nowMs }: Settlement): void {
  const { rest } = holder;
  if (rest !== undefined && isTrial(rest, startedMs))
    write(holder).rest = { ...rest, onTrial: false, untilMs: nowMs };
}

/** True when the attempt that began at `startedMs` is the trial, not one that was under way before the rest. */
export const isTrial = (rest: Rest, startedMs: number): boolean => rest.onTrial && startedMs >= rest.untilMs;
