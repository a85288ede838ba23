// What a provider's own account of a key's limits means: how long the key should rest before it gets a 429.
import { type Allowance, capRest, type LearnedLimits } from "./limit-headers.ts";
import type { RestCause } from "./rest.ts";

export interface LearnedRest {
  readonly cause: RestCause;
  readonly detail: string;
  readonly lengthMs: number;
}

/** So many requests or tokens should be back before a key that ran dry is used again. */
const REFILLED = 10;
const SHORTEST_MS = 1000;

/** The longest rest that the limits ask for; undefined while something remains of all of them. */
export function restFromLimits(learned: LearnedLimits): LearnedRest | undefined {
  const asked = [
    minuteRest(learned.requests, "no requests remain this minute"),
    minuteRest(learned.tokens, "no tokens remain this minute"),
    dayRest(learned.requestsPerDay, "no requests remain today"),
    dayRest(learned.tokensPerDay, "no tokens remain today"),
  ];
  return asked.reduce(
    (longest, each) => ((each?.lengthMs ?? 0) > (longest?.lengthMs ?? 0) ? each : longest),
    undefined,
  );
}

/**
 * The reset that providers name is when the bucket is full again (platform.openai.com/docs/guides/rate-limits). A large
 * bucket has room long before that, a small one hardly, and one that refills at once only then.
 */
function minuteRest(allowance: Allowance | undefined, detail: string): LearnedRest | undefined {
  const { remaining, resetMs, limit } = allowance ?? {};
  if (remaining !== 0 || resetMs === undefined || resetMs <= 0) return undefined;
  const share = limit === undefined ? 1 : Math.min(1, REFILLED / Math.max(1, limit));
  return {
    cause: "rate_limit",
    detail,
    lengthMs: capRest(Math.max(Math.min(resetMs, SHORTEST_MS), resetMs * share), "minute"),
  };
}

function dayRest(allowance: Allowance | undefined, detail: string): LearnedRest | undefined {
  const { remaining, resetMs } = allowance ?? {};
  if (remaining !== 0 || resetMs === undefined || resetMs <= 0) return undefined;
  return { cause: "quota", detail, lengthMs: capRest(resetMs, "long") };
}

/** For a 429 that names no wait of its own: the reset of what ran out. */
export function waitFromLimits(learned: LearnedLimits): number | undefined {
  const resets = Object.values(learned).flatMap(({ remaining, resetMs }: Allowance) =>
    remaining === 0 && resetMs !== undefined ? [resetMs] : [],
  );
  return resets.length === 0 ? undefined : Math.max(...resets);
}
