// Reads what an answer's headers say of the provider's limits: how long to wait, and what is left.
// For the outcome of an attempt, and for keys that should rest before their first 429.
import { readDuration } from "./duration.ts";
import { readHttpDate, readRfc3339 } from "./http-date.ts";

/** A header's value by its lower-case name; null when absent, as `Headers.get` gives it. */
export type HeaderLookup = (name: string) => string | null;

/** What is left of one limit. A field that the provider does not send, or sends as unknown, is absent. */
export interface Allowance {
  readonly limit?: number;
  readonly remaining?: number;
  /** Milliseconds from now until the limit is whole again (OpenAI's and Groq's meaning), or until its window ends. */
  readonly resetMs?: number;
}

export interface LearnedLimits {
  /** Per minute, or a shorter window. */
  readonly requests?: Allowance;
  readonly tokens?: Allowance;
  /** Per day, or another window much longer than a minute. */
  readonly requestsPerDay?: Allowance;
  readonly tokensPerDay?: Allowance;
}

const DAY_MS = 86_400_000;
/** Azure was recorded with 105 s for a limit per minute (see the test); no minute's reset is longer than this. */
const LONGEST_MINUTE_RESET_MS = 120_000;
/** Numbers from here on are times since 1970, not lengths: 1e9 s is 2001 or 31 years, 1e12 ms is 2001. */
const EPOCH_SECONDS_FROM = 1e9;
const EPOCH_MS_FROM = 1e12;

const DECIMAL = /^(?:\d+\.?\d*|\.\d+)$/;

/**
 * Milliseconds to rest, or undefined. `retry-after-ms` wins over `x-ms-retry-after-ms` (Azure), that over
 * `Retry-After` in seconds, fractions of them, or an HTTP date (RFC 9110 section 10.2.3; the order and the fractions
 * are the OpenAI SDKs': openai/openai-python src/openai/_base_client.py). Junk and negative count as absent, a past
 * date as 0. Not capped: see capRest.
 */
export function readRetryAfter(header: HeaderLookup, wallMs: number): number | undefined {
  const ms = decimal(header("retry-after-ms")) ?? decimal(header("x-ms-retry-after-ms"));
  if (ms !== undefined) return ms;
  const text = header("retry-after");
  if (text === null) return undefined;
  const seconds = decimal(text);
  if (seconds !== undefined) return seconds * 1000;
  const date = readHttpDate(text.trim(), wallMs);
  return date === undefined ? undefined : Math.max(0, date - wallMs);
}

/** Where one limit stands: names before and after `limit`, `remaining` or `reset`, and what it limits. */
interface Family {
  readonly before: string;
  readonly after: string;
  readonly of: keyof LearnedLimits;
  /** The name does not tell the window; see lastsLong. */
  readonly windowUnnamed?: true;
}

/** Every form known, with its source; recorded values of each are in the test. */
const FAMILIES: readonly Family[] = [
  // OpenAI (platform.openai.com/docs/guides/rate-limits), Azure, Groq: requests per minute, but per day on Groq
  // ("always refers to Requests Per Day", console.groq.com/docs/rate-limits) and on OpenAI's small tiers.
  { before: "x-ratelimit-", after: "-requests", of: "requests", windowUnnamed: true },
  { before: "x-ratelimit-", after: "-tokens", of: "tokens" },
  // Cerebras (inference-docs.cerebras.ai/support/rate-limits), SambaNova (docs.sambanova.ai/docs/en/models/rate-limits).
  { before: "x-ratelimit-", after: "-requests-minute", of: "requests" },
  { before: "x-ratelimit-", after: "-requests-day", of: "requestsPerDay" },
  { before: "x-ratelimit-", after: "-tokens-minute", of: "tokens" }, // Mistral too, without a reset
  { before: "x-ratelimit-", after: "-tokens-day", of: "tokensPerDay" },
  // Mistral, by answers recorded in public tests; its pages name none. The second is its older form.
  { before: "x-ratelimit-", after: "-req-minute", of: "requests" },
  { before: "ratelimitbysize-", after: "", of: "tokens" },
  // Together: per second (docs.together.ai/docs/rate-limits). The bare form is also OpenRouter's, reset in epoch ms,
  // per minute and per day (openrouter.ai/docs/api/reference/limits).
  { before: "x-ratelimit-", after: "", of: "requests", windowUnnamed: true },
  { before: "x-tokenlimit-", after: "", of: "tokens" },
  // Fireworks: per second (docs.fireworks.ai/serverless/rate-limits).
  { before: "x-ratelimit-", after: "-tokens-prompt", of: "tokens" },
  { before: "x-ratelimit-", after: "-tokens-generated", of: "tokens" },
  // Anthropic (platform.claude.com/docs/en/api/rate-limits): RFC 3339 resets, all per minute.
  { before: "anthropic-ratelimit-requests-", after: "", of: "requests" },
  { before: "anthropic-ratelimit-tokens-", after: "", of: "tokens" },
  { before: "anthropic-ratelimit-input-tokens-", after: "", of: "tokens" },
  { before: "anthropic-ratelimit-output-tokens-", after: "", of: "tokens" },
];

/** The names are joined once: this runs on every answer. */
const NAMED = FAMILIES.map(({ before, after, of, windowUnnamed }) => ({
  limit: `${before}limit${after}`,
  remaining: `${before}remaining${after}`,
  reset: `${before}reset${after}`,
  of,
  windowUnnamed: windowUnnamed === true,
}));

/** What the headers say is left, by what is limited; of several limits on one thing, the tightest. */
export function readLimitHeaders(header: HeaderLookup, wallMs: number): LearnedLimits {
  const learned: { -readonly [K in keyof LearnedLimits]: LearnedLimits[K] } = {};
  for (const names of NAMED) {
    // Azure sends -1 for both, and reset 0, when it does not know (openai/openai-dotnet#838); they read as absent.
    const limit = decimal(header(names.limit));
    const remaining = decimal(header(names.remaining));
    if (limit === undefined && remaining === undefined) continue;
    const resetMs = readReset(header(names.reset), wallMs);
    const found: Allowance = {
      ...(limit === undefined ? {} : { limit }),
      ...(remaining === undefined ? {} : { remaining }),
      ...(resetMs === undefined ? {} : { resetMs }),
    };
    const of = names.windowUnnamed && lastsLong(found) ? "requestsPerDay" : names.of;
    const known = learned[of];
    if (known === undefined || isTighter(found, known)) learned[of] = found;
  }
  return learned;
}

/** What a rest may last: 300 s for a limit per minute, a day for a daily quota or missing money (contract 5). */
export function capRest(ms: number, kind: "minute" | "long"): number {
  return Math.min(ms, kind === "minute" ? 300_000 : DAY_MS);
}

function decimal(text: string | null): number | undefined {
  const trimmed = text?.trim() ?? "";
  if (!DECIMAL.test(trimmed)) return undefined;
  const value = Number(trimmed);
  return Number.isFinite(value) ? value : undefined;
}

/** A reset as a duration, seconds, an epoch in either unit, or a date: milliseconds from now. */
function readReset(text: string | null, wallMs: number): number | undefined {
  if (text === null) return undefined;
  const value = decimal(text);
  if (value === undefined) {
    const ms = readDuration(text);
    if (ms !== undefined) return ms;
    const date = readRfc3339(text.trim()) ?? readHttpDate(text.trim(), wallMs);
    return date === undefined ? undefined : Math.max(0, date - wallMs);
  }
  if (value < EPOCH_SECONDS_FROM) return value * 1000;
  return Math.max(0, (value < EPOCH_MS_FROM ? value * 1000 : value) - wallMs);
}

/** A reset beyond a minute tells, or one that is the used share of a day: Groq refills 30 of 14,400 in 2m59.56s. */
function lastsLong({ limit, remaining, resetMs }: Allowance): boolean {
  if (resetMs === undefined) return false;
  if (resetMs > LONGEST_MINUTE_RESET_MS) return true;
  if (limit === undefined || remaining === undefined || remaining >= limit) return false;
  return Math.abs((resetMs * limit) / (limit - remaining) - DAY_MS) < DAY_MS / 10;
}

function isTighter(a: Allowance, b: Allowance): boolean {
  const share = ({ remaining, limit }: Allowance): number => {
    if (remaining === undefined) return Infinity;
    return remaining === 0 ? 0 : remaining / (limit ?? remaining);
  };
  const difference = share(a) - share(b);
  return difference === 0 ? (a.resetMs ?? 0) > (b.resetMs ?? 0) : difference < 0;
}
