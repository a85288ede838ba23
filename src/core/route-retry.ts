// Bounds of a route for retries after failures of one class, in place of the general rule; LiteLLM's `retry_policy`.
import type { Outcome } from "./outcome.ts";

export interface RouteRetry {
  /** In place of the policy's, for what no class below bounds. */
  readonly max?: number;
  /** 408, 504, and silence beyond a time-out. */
  readonly timeouts?: number;
  /** 429 and exhausted quotas. */
  readonly rateLimits?: number;
  /** 401 and 403. */
  readonly authentication?: number;
  /** Other 5xx. */
  readonly serverErrors?: number;
  /** 503 and 529; as `serverErrors` when absent. */
  readonly unavailable?: number;
  /** 400 and 422. */
  readonly badRequests?: number;
  /** Refusals for the prompt's content. */
  readonly contentPolicy?: number;
}

export type RetryClass = Exclude<keyof RouteRetry, "max">;

/** The class that bounds what comes after this outcome, with its number; undefined: the general rule does. */
export function findRetryBound(
  own: RouteRetry,
  outcome: Outcome,
): { readonly name: RetryClass; readonly most: number } | undefined {
  const name = classOf(outcome);
  if (name === undefined) return undefined;
  const most = own[name] ?? (name === "unavailable" ? own.serverErrors : undefined);
  return most === undefined ? undefined : { name, most };
}

function classOf({ kind, status = 0, timedOut, cause }: Outcome): RetryClass | undefined {
  switch (kind) {
    case "rate_limited":
    case "quota_exhausted":
      return "rateLimits";
    case "revoked":
      return "authentication";
    case "unavailable":
      return "unavailable";
    case "unreachable":
    case "failed":
      if (timedOut === true || status === 408 || status === 504) return "timeouts";
      return status >= 500 ? "serverErrors" : undefined;
    case "rejected":
      if (cause === "content_policy") return "contentPolicy";
      return status === 400 || status === 422 ? "badRequests" : undefined;
    case "success":
    case "model_not_found":
    case "abandoned":
      return undefined;
  }
}
