// What an attempt came to, in terms of whom it concerns: the key, the backend, the caller or nobody.
import type { ErrorFacts } from "./error-body.ts";
import type { ErrorCause } from "./error-cause.ts";

export type OutcomeKind =
  | "success"
  /** The key's cause: another key may do better at once. */
  | "rate_limited"
  | "quota_exhausted"
  | "revoked"
  /** This key and this model. */
  | "model_not_found"
  /** The caller's fault; nobody else would answer otherwise. */
  | "rejected"
  /** The backend's fault, and surely nothing was done: connect failure. */
  | "unreachable"
  /** The backend's fault, refused before any work: 503, 529. */
  | "unavailable"
  /** The backend's fault, work may have been done: reset, time-out, other 5xx, broken stream. */
  | "failed"
  /** The caller left; nobody's fault. */
  | "abandoned";

export interface Outcome {
  readonly kind: OutcomeKind;
  /** Absent when no answer came. */
  readonly status?: number;
  /** For people, without any secret: `429 rate limit`, `connection refused`. */
  readonly detail: string;
  /** True when weir ended the wait for it. */
  readonly timedOut?: true;
  /** How long the provider asks to be left alone. */
  readonly retryAfterMs?: number;
  /** What the body of the error says, where that is known. */
  readonly cause?: ErrorCause;
}

export interface Answer {
  readonly status: number;
  /** From `Retry-After` and its kin; see limit-headers. */
  readonly retryAfterMs?: number;
  /** What the body of an error says; absent for answers that were not read. */
  readonly error?: ErrorFacts;
}

/** Classifies an upstream's answer by status and, where the status is ambiguous, by what its body says. */
export function classifyAnswer(answer: Answer): Outcome {
  const { status, error } = answer;
  const retryAfterMs = answer.retryAfterMs ?? error?.retryDelayMs;
  const outcome = (kind: OutcomeKind, what: string): Outcome => ({
    kind,
    status,
    detail: `${status} ${what}`,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(error?.cause === undefined ? {} : { cause: error.cause }),
  });
  if (status < 300 || status === 304) return outcome("success", "ok");
  if (status < 400) return outcome("failed", "redirect");
  if (error?.cause === "revoked") return outcome("revoked", "key refused");
  if (error?.cause === "model_not_found" && (status === 404 || status === 403))
    return outcome("model_not_found", "model not found");
  switch (status) {
    case 401:
    case 403:
      // A 403 may also be the caller's content or region; the key rests all the same, because a revoked one must.
      if (error?.cause === "content_policy") return outcome("rejected", "content policy");
      return error?.cause === "quota"
        ? outcome("quota_exhausted", "quota exhausted")
        : outcome("revoked", "key refused");
    case 402:
      // OpenRouter's hold on money for requests in flight passes by itself.
      if (error?.cause === "rate_limit") return outcome("rate_limited", "budget held by requests in flight");
      return outcome("quota_exhausted", "payment required");
    case 429:
      if (error?.cause === "quota") return outcome("quota_exhausted", "quota exhausted");
      // The daily id matters more than the hint beside it, which may be seconds long.
      if (error?.cause === "daily_quota")
        return { kind: "quota_exhausted", status, detail: "429 daily quota exhausted" };
      return outcome("rate_limited", "rate limit");
    case 503:
    case 529:
      return outcome("unavailable", status === 529 ? "overloaded" : "unavailable");
    case 408:
    case 409:
      return outcome("failed", status === 408 ? "request time-out" : "conflict");
    default:
      if (status >= 500) return outcome("failed", "server error");
      // Anthropic reports an empty balance as a 400.
      if (error?.cause === "quota") return outcome("quota_exhausted", "quota exhausted");
      return outcome("rejected", "request refused");
  }
}

/** True for outcomes that say something about the key. */
export function concernsKey(kind: OutcomeKind): boolean {
  return kind === "rate_limited" || kind === "quota_exhausted" || kind === "revoked";
}

/** True for outcomes that say something bad about the backend. */
export function concernsBackend(kind: OutcomeKind): boolean {
  return kind === "unreachable" || kind === "unavailable" || kind === "failed";
}

/** What an error means that came as the first event of a stream, under a 200: the status that it should have had decides. */
export function classifyFirstError(error: ErrorFacts): Outcome {
  const statuses: Readonly<Partial<Record<ErrorCause, number>>> = {
    rate_limit: 429,
    quota: 429,
    daily_quota: 429,
    revoked: 401,
    model_not_found: 404,
    context_window: 400,
    content_policy: 400,
    overloaded: 529,
  };
  const told = Number(error.code);
  const status = (error.cause && statuses[error.cause]) ?? (told >= 400 && told < 600 ? told : 500);
  const { status: _, ...outcome } = classifyAnswer({ status, error });
  return { ...outcome, status: 200, detail: `${outcome.detail}, told in the stream` };
}
