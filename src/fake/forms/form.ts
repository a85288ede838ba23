// What a provider's error form has to say; one file per provider fills it in, and the faults and limits use it.

export const FORM_NAMES = ["openai", "azure", "anthropic", "gemini", "groq", "openrouter"] as const;
export type FormName = (typeof FORM_NAMES)[number];

/** Errors by meaning. The status each provider gives them differs. */
export const ERROR_NAMES = [
  "rate_limit",
  "quota",
  "billing",
  "auth",
  "forbidden",
  "model_not_found",
  "not_found",
  "bad_request",
  "context_length",
  "content_filter",
  "too_large",
  "unprocessable",
  "server_error",
  "bad_gateway",
  "unavailable",
  "gateway_timeout",
  "overloaded",
] as const;
export type ErrorName = (typeof ERROR_NAMES)[number];

export type LimitName = "requests" | "tokens" | "day";

/** One limit of a key as it stands now. */
export interface LimitView {
  readonly limit: number;
  readonly used: number;
  readonly remaining: number;
  /** Until the window is empty again. */
  readonly resetMs: number;
}

export type LimitViews = Readonly<Partial<Record<LimitName, LimitView>>>;

/** The limit that was hit. */
export interface LimitHit extends LimitView {
  readonly name: LimitName;
  readonly requested: number;
}

/** What an error may mention. */
export interface ErrorFacts {
  readonly model: string;
  readonly key: string;
  readonly requestId: string;
  readonly apiVersion: string;
  readonly promptTokens: number;
  readonly contextWindow: number;
  readonly nowMs: number;
  readonly retryAfterMs: number;
  readonly hit?: LimitHit;
}

export type Headers = Readonly<Record<string, string>>;

export interface FormError {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

export interface Form {
  readonly name: FormName;
  error(name: ErrorName, facts: ErrorFacts): FormError;
  /** Headers about the limits, on good answers and on refusals alike. */
  limitHeaders(views: LimitViews, nowMs: number): Headers;
}

/** Whole seconds, rounded up, at least one: what a Retry-After header holds. */
export const wholeSeconds = (ms: number): string => String(Math.max(1, Math.ceil(ms / 1000)));

/** A duration as Go prints it: "12ms", "1s", "6m0s", "1h0m0s". */
export function goDuration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.ceil(ms))}ms`;
  const rounded = Math.ceil(ms / 10) / 100;
  const hours = Math.floor(rounded / 3600);
  const minutes = Math.floor((rounded % 3600) / 60);
  const seconds = `${Number((rounded % 60).toFixed(2))}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
