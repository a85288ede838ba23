// Why and until when a key or a backend rests, and how long the next rest will be.
import { capRest } from "./limit-headers.ts";

/** What a rest comes from. The first four concern a key, the last two a backend. */
export type RestCause = "rate_limit" | "quota" | "revoked" | "failures" | "down";

export interface Rest {
  readonly cause: RestCause;
  /** For people: `429 rate limit`, `3 failures in a row: connection refused`. */
  readonly detail: string;
  /** Of the answer that caused it; absent where none came. */
  readonly status?: number;
  /** Monotonic milliseconds. */
  readonly untilMs: number;
  readonly sinceMs: number;
  /** True while one request tries whether the cause is over. */
  readonly onTrial: boolean;
}

/** Rules of the contract's section 5; milliseconds. */
export interface CooldownPolicy {
  /** Failures until a backend rests: in a row, or within `windowMs` where that is set. Infinity: it never does. */
  readonly threshold: number;
  /** Counts failures in a sliding window, whatever succeeds between them. */
  readonly windowMs?: number;
  readonly firstMs: number;
  readonly maxMs: number;
  readonly revokedMs: number;
  readonly quotaMs: number;
  /** Rests are lengthened by a random share of themselves up to this, so that keys do not come back as a herd. */
  readonly jitter: number;
}

const LONGEST_REVOKED_REST_MS = 3_600_000;

export interface RestRequest {
  readonly cause: RestCause;
  /** How many rests of this cause came before without a success between; doubles the length. */
  readonly streak: number;
  /** What the provider asked for. */
  readonly hintMs?: number;
}

/** Length of the next rest in milliseconds; `random` in [0, 1). */
export function restLength(request: RestRequest, policy: CooldownPolicy, random: number): number {
  return baseLength(request, policy) * (1 + policy.jitter * random);
}

function baseLength({ cause, streak, hintMs }: RestRequest, policy: CooldownPolicy): number {
  switch (cause) {
    case "rate_limit":
      return hintMs === undefined ? doubled(policy.firstMs, streak, policy.maxMs) : capRest(hintMs, "minute");
    case "quota":
      return capRest(hintMs ?? policy.quotaMs, "long");
    case "revoked":
      return doubled(policy.revokedMs, streak, Math.max(policy.revokedMs, LONGEST_REVOKED_REST_MS));
    case "failures":
    case "down":
      return Math.max(doubled(policy.firstMs, streak, policy.maxMs), capRest(hintMs ?? 0, "minute"));
  }
}

const doubled = (firstMs: number, streak: number, maxMs: number): number =>
  Math.min(firstMs * 2 ** Math.min(streak, 30), maxMs);

/** The later deadline wins: a short rest never cuts a long one. */
export function laterRest(current: Rest | undefined, next: Rest): Rest {
  return current !== undefined && current.untilMs > next.untilMs ? { ...current, onTrial: false } : next;
}

/** True while nothing may be sent, by the clock or because one request is already trying. */
export function isResting(rest: Rest | undefined, nowMs: number): boolean {
  return rest !== undefined && (nowMs < rest.untilMs || rest.onTrial);
}

/** Causes that are over only when a request has proved it; a rate limit is over by the clock. */
export function needsTrial(cause: RestCause): boolean {
  return cause !== "rate_limit";
}
