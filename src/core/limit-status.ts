// The limits of a key or a backend as displays show them: those configured, and those that the provider told.
import type { LimitKind, LimitSet } from "./limit.ts";
import type { Allowance, LearnedLimits } from "./limit-headers.ts";
import type { Slot } from "./seams.ts";
import type { LimitStatus } from "./status.ts";
import { type Moment, wallAt } from "./view-rows.ts";

/** Told limits are shown this long; then nobody knows. */
const BELIEVED_MS = 600_000;

export function limitsOf(
  limits: LimitSet | undefined,
  of: "key" | "backend",
  { nowMs }: Moment,
): readonly LimitStatus[] {
  if (limits === undefined) return [];
  return limits.uses(nowMs).map(({ kind, used, limit }) => ({
    name: kind,
    of,
    learned: false,
    used,
    limit,
    remaining: Math.max(0, limit - used),
    resetAtMs: null,
  }));
}

/** What the provider told of the key. */
export function learnedLimitsOf({ learned }: Slot["keyState"], moment: Moment): readonly LimitStatus[] {
  if (learned === undefined || moment.nowMs - learned.atMs > BELIEVED_MS) return [];
  return NAMES.flatMap(([field, name]) => {
    const allowance = learned[field];
    return allowance === undefined ? [] : [statusOf(name, allowance, learned.atMs, moment)];
  });
}

const NAMES: readonly (readonly [keyof LearnedLimits, LimitKind])[] = [
  ["requests", "rpm"],
  ["tokens", "tpm"],
  ["requestsPerDay", "rpd"],
  ["tokensPerDay", "tpd"],
];

function statusOf(name: LimitKind, allowance: Allowance, toldMs: number, moment: Moment): LimitStatus {
  const { limit, resetMs } = allowance;
  const resetAt = resetMs === undefined ? undefined : toldMs + resetMs;
  const isWhole = resetAt !== undefined && resetAt <= moment.nowMs;
  const remaining = isWhole ? (limit ?? allowance.remaining) : allowance.remaining;
  return {
    name,
    of: "key",
    learned: true,
    used: limit === undefined || remaining === undefined ? null : Math.max(0, limit - remaining),
    limit: limit ?? null,
    remaining: remaining ?? null,
    resetAtMs: resetAt === undefined || isWhole ? null : wallAt(moment, resetAt),
  };
}
