// What strategies look at, of one backend: how soon it answers, how it fails, what it used, and what an engine says of
// itself. Only this module writes the record; it is a handful of numbers, and everybody else reads through functions.
import type { EngineName } from "./engine-metrics.ts";
import { concernsBackend, concernsKey, type Outcome } from "./outcome.ts";

/** What an engine told of itself in one scrape; labels are summed. */
export interface EngineLoad {
  readonly engine?: EngineName;
  readonly waiting: number;
  readonly running: number;
  /** 0 to 1. */
  readonly cacheShare?: number;
  /** Ever, as the counters of the engine stand. */
  readonly promptTokens?: number;
  readonly generationTokens?: number;
  /** Monotonic milliseconds. */
  readonly atMs: number;
  /** How often it is asked; see loadOf. */
  readonly intervalMs: number;
}

/** Times are monotonic milliseconds; -Infinity when there was none. */
export interface Measures {
  /** As of `firstByteAtMs`; 0 while unmeasured. */
  readonly firstByteMs: number;
  readonly firstByteAtMs: number;
  /** As of `failureAtMs`; see failurePenalty. */
  readonly failures: number;
  readonly failureAtMs: number;
  /** Of the minute that began at `tokensSinceMs`, and of the one before. */
  readonly tokens: number;
  readonly tokensBefore: number;
  readonly tokensSinceMs: number;
  /** 0 while no answer told its usage. */
  readonly tokensPerRequest: number;
  /** Attempts; see unseenSent. */
  readonly sentSinceLoad: number;
  readonly sentEarlier: number;
  readonly load?: EngineLoad;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };
const write = (measures: Measures): Writable<Measures> => measures;

/** As in Finagle's PeakEwma: what is lower than before is believed within about this time. */
const FIRST_BYTE_DECAY_MS = 10_000;
/** A failure or a leave that took this long without a first byte says how slow the backend is; a quicker one does not. */
const SLOW_END_MS = 1000;

/** Failures fade by this: a backend that has recovered carries again within a minute or two. */
const FAILURE_DECAY_MS = 30_000;
/** Each failure in a row weighs this much more than all before, so that a broken backend is tried ever more rarely. */
const FAILURE_GROWTH = 4;
const MOST_FAILURES = 1e6;
/** Less than this share of a request counts as none: then the backend is tried again. */
const LEAST_PENALTY = 0.05;

const MINUTE_MS = 60_000;
/** The mean follows the last dozen answers. */
const TOKENS_SHARE = 1 / 12;

/** Gauges trail what was sent by 3 to 6 s (vllm-project/vllm#49538). */
const GAUGE_LAG_MS = 5000;
/** Loads older than this many scrape intervals are not believed. */
const STALE_INTERVALS = 3;

export function createMeasures(): Measures {
  return {
    firstByteMs: 0,
    firstByteAtMs: Number.NEGATIVE_INFINITY,
    failures: 0,
    failureAtMs: Number.NEGATIVE_INFINITY,
    tokens: 0,
    tokensBefore: 0,
    tokensSinceMs: Number.NEGATIVE_INFINITY,
    tokensPerRequest: 0,
    sentSinceLoad: 0,
    sentEarlier: 0,
  };
}

/** An attempt begins. */
export function noteSent(measures: Measures): void {
  write(measures).sentSinceLoad += 1;
}

/** A good answer has begun, `firstByteMs` after its attempt. A slower one counts at once, quicker ones little by little. */
export function noteFirstByte(measures: Measures, firstByteMs: number, nowMs: number): void {
  const record = write(measures);
  const kept = decay(nowMs - record.firstByteAtMs, FIRST_BYTE_DECAY_MS);
  const change = firstByteMs - record.firstByteMs;
  record.firstByteMs += change > 0 ? change : change * (1 - kept);
  record.firstByteAtMs = nowMs;
}

/** What noteEnd is told of an attempt. */
export interface AttemptEnd {
  readonly outcome: Outcome;
  readonly durationMs: number;
  /** Undefined when nobody said. */
  readonly tokens: number | undefined;
}

/** An attempt is over, whatever it came to. */
export function noteEnd(measures: Measures, end: AttemptEnd, nowMs: number): void {
  const { kind } = end.outcome;
  const record = write(measures);
  if (kind === "success") record.failures /= 2;
  else if (isFailure(kind)) {
    record.failures = Math.min(MOST_FAILURES, fadedFailures(record, nowMs) * FAILURE_GROWTH + 1);
    record.failureAtMs = nowMs;
  }
  noteSilence(measures, end, nowMs);
  if (kind === "success" || kind === "abandoned" || end.tokens !== undefined)
    noteTokens(measures, end.tokens, nowMs);
}

/** A refused key fails as fast as a broken backend, and looks as idle. */
const isFailure = (kind: Outcome["kind"]): boolean =>
  concernsBackend(kind) || concernsKey(kind) || kind === "model_not_found";

/** Who waited in vain knows that the first byte takes longer than that. */
function noteSilence(measures: Measures, { outcome, durationMs }: AttemptEnd, nowMs: number): void {
  if (outcome.kind !== "abandoned" && !concernsBackend(outcome.kind)) return;
  const wasSilent = measures.firstByteAtMs < nowMs - durationMs;
  if (wasSilent && durationMs > Math.max(measures.firstByteMs, SLOW_END_MS))
    noteFirstByte(measures, durationMs, nowMs);
}

/** An answer that does not tell its usage counts as the mean, or it would look free. */
function noteTokens(measures: Measures, told: number | undefined, nowMs: number): void {
  const record = write(measures);
  const tokens = told ?? record.tokensPerRequest;
  if (!(tokens > 0 && tokens < Number.POSITIVE_INFINITY)) return;
  if (told !== undefined)
    record.tokensPerRequest +=
      (told - record.tokensPerRequest) * (record.tokensPerRequest === 0 ? 1 : TOKENS_SHARE);
  const elapsedMs = nowMs - record.tokensSinceMs;
  if (elapsedMs >= MINUTE_MS) {
    const isNext = elapsedMs < 2 * MINUTE_MS;
    record.tokensBefore = isNext ? record.tokens : 0;
    record.tokensSinceMs = isNext ? record.tokensSinceMs + MINUTE_MS : nowMs;
    record.tokens = 0;
  }
  record.tokens += tokens;
}

/** A scrape is over; undefined when it failed: what it told before may be from another life of the engine. */
export function noteLoad(measures: Measures, load: EngineLoad | undefined): void {
  const record = write(measures);
  if (load === undefined) {
    delete record.load;
    return;
  }
  const kept = decay(load.intervalMs, GAUGE_LAG_MS);
  record.sentEarlier = (record.sentEarlier + record.sentSinceLoad) * kept;
  record.sentSinceLoad = 0;
  record.load = load;
}

/** What the engine said last; undefined when that is too long ago, when it gave no answer, and when nobody asks. */
export function loadOf(measures: Measures, nowMs: number): EngineLoad | undefined {
  const { load } = measures;
  return load !== undefined && nowMs - load.atMs <= STALE_INTERVALS * load.intervalMs ? load : undefined;
}

/** How many of our requests the last load cannot show yet: sent since, and a part of those sent shortly before. */
export function unseenSent(measures: Measures): number {
  return measures.sentSinceLoad + measures.sentEarlier;
}

/** Peak EWMA of the time to the first byte; undefined while unmeasured. */
export function firstByteOf(measures: Measures): number | undefined {
  return measures.firstByteAtMs === Number.NEGATIVE_INFINITY ? undefined : measures.firstByteMs;
}

/** What recent failures weigh, in requests in flight, so that a backend that fails in no time does not look idle. */
export function failurePenalty(measures: Measures, nowMs: number): number {
  if (measures.failures === 0) return 0;
  const penalty = fadedFailures(measures, nowMs);
  return penalty < LEAST_PENALTY ? 0 : penalty;
}

const fadedFailures = ({ failures, failureAtMs }: Measures, nowMs: number): number =>
  failures === 0 ? 0 : failures * decay(nowMs - failureAtMs, FAILURE_DECAY_MS);

/** Tokens of the last 60 s; those of the minute before count by the part of it that is still within. */
export function tokensThisMinute(measures: Measures, nowMs: number): number {
  const { tokens, tokensBefore, tokensSinceMs } = measures;
  const elapsedMs = nowMs - tokensSinceMs;
  if (elapsedMs < MINUTE_MS) return tokens + tokensBefore * (1 - elapsedMs / MINUTE_MS);
  return elapsedMs < 2 * MINUTE_MS ? tokens * (2 - elapsedMs / MINUTE_MS) : 0;
}

const decay = (elapsedMs: number, constantMs: number): number =>
  Math.exp(-Math.max(0, elapsedMs) / constantMs);
