// Decides after a failed attempt: try again, after how long, or stop. It never waits itself.
import { concernsKey, type Outcome } from "./outcome.ts";
import type { RetryBudget } from "./retry-budget.ts";
import { findRetryBound, type RetryClass, type RouteRetry } from "./route-retry.ts";

export interface RetryPolicy {
  /** Retries after connect failures, 503/529 and ambiguous failures together. */
  readonly max: number;
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
}

/** What this request has spent so far. */
export interface Tries {
  /** Attempts lost to a key's cause: they do not count as retries. */
  readonly keyLosses: number;
  readonly modelLosses: number;
  /** Retries that count against `max`. */
  readonly counted: number;
  readonly ambiguous: number;
  /** Retries that a class of the route's own bounds; those count here alone. */
  readonly byClass?: Readonly<Partial<Record<RetryClass, number>>>;
}

export const NO_TRIES: Tries = { keyLosses: 0, modelLosses: 0, counted: 0, ambiguous: 0 };

export type Decision =
  | { readonly kind: "retry"; readonly delayMs: number; readonly tries: Tries }
  | { readonly kind: "stop"; readonly why: "final" | "exhausted" | "budget" };

export interface Situation {
  readonly outcome: Outcome;
  readonly tries: Tries;
  /** True when a candidate is free that this request has not tried. */
  readonly untriedLeft: boolean;
  readonly policy: RetryPolicy;
  /** The route's own bounds. */
  readonly own?: RouteRetry | undefined;
  readonly budget: RetryBudget;
  readonly nowMs: number;
  /** In [0, 1). */
  readonly random: number;
}

/** However many keys there are, a request is not tried on more of them. */
const MOST_KEY_LOSSES = 16;
/** A reset or time-out leaves open whether the work was done and billed, so it is repeated once at most. */
const MOST_AMBIGUOUS = 1;
const BACKOFF_SPREAD = 0.2;

const FINAL: Decision = { kind: "stop", why: "final" };
const EXHAUSTED: Decision = { kind: "stop", why: "exhausted" };
const NONE: Readonly<Partial<Record<RetryClass, number>>> = {};

export function decideRetry(situation: Situation): Decision {
  const { outcome, tries, untriedLeft, own } = situation;
  const bound = own && findRetryBound(own, outcome);
  if (bound !== undefined) return withinClass(situation, bound);
  switch (outcome.kind) {
    case "success":
    case "rejected":
    case "abandoned":
      return FINAL;
    case "rate_limited":
    case "quota_exhausted":
    case "revoked":
      if (!untriedLeft || tries.keyLosses + 1 >= MOST_KEY_LOSSES) return EXHAUSTED;
      return { kind: "retry", delayMs: 0, tries: { ...tries, keyLosses: tries.keyLosses + 1 } };
    case "model_not_found":
      if (!untriedLeft || tries.modelLosses > 0) return FINAL;
      return { kind: "retry", delayMs: 0, tries: { ...tries, modelLosses: 1 } };
    case "unreachable":
      if (tries.counted >= mostOf(situation)) return EXHAUSTED;
      return again(situation, { ...tries, counted: tries.counted + 1 });
    case "unavailable":
      return withinBudget(situation, { ...tries, counted: tries.counted + 1 });
    case "failed":
      if (tries.ambiguous >= MOST_AMBIGUOUS) return EXHAUSTED;
      return withinBudget(situation, {
        ...tries,
        counted: tries.counted + 1,
        ambiguous: tries.ambiguous + 1,
      });
  }
}

const mostOf = ({ own, policy }: Situation): number => own?.max ?? policy.max;

/** A key's cause asks each candidate once, here too: the same key again would only be refused again. */
function withinClass(situation: Situation, { name, most }: { name: RetryClass; most: number }): Decision {
  const { outcome, tries, untriedLeft, budget, nowMs } = situation;
  const lost = tries.byClass?.[name] ?? 0;
  if (lost >= most) return EXHAUSTED;
  const next = { ...tries, byClass: { ...tries.byClass, [name]: lost + 1 } };
  if (concernsKey(outcome.kind)) {
    if (!untriedLeft || tries.keyLosses + 1 >= MOST_KEY_LOSSES) return EXHAUSTED;
    return { kind: "retry", delayMs: 0, tries: { ...next, keyLosses: tries.keyLosses + 1 } };
  }
  if (outcome.kind !== "unreachable" && !budget.withdraw(nowMs)) return { kind: "stop", why: "budget" };
  return again(situation, next);
}

function withinBudget(situation: Situation, next: Tries): Decision {
  if (situation.tries.counted >= mostOf(situation)) return EXHAUSTED;
  if (!situation.budget.withdraw(situation.nowMs)) return { kind: "stop", why: "budget" };
  return again(situation, next);
}

/** Another free backend needs no wait; the same one again gets time: base · 2ⁿ up to the cap, ±20 %. */
function again({ untriedLeft, policy, tries, random }: Situation, next: Tries): Decision {
  if (untriedLeft) return { kind: "retry", delayMs: 0, tries: next };
  const before = Object.values(tries.byClass ?? NONE).reduce((sum, count) => sum + count, tries.counted);
  const base = Math.min(policy.backoffMs * 2 ** before, policy.maxBackoffMs);
  return { kind: "retry", delayMs: base * (1 - BACKOFF_SPREAD + 2 * BACKOFF_SPREAD * random), tries: next };
}
