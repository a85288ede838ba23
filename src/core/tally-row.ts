// What is counted of one backend, key, provider or model. Only the tally writes it; displays read it through status.
import { RecentTimes } from "./histogram.ts";
import { MinuteRing } from "./minute-ring.ts";
import type { OutcomeKind } from "./outcome.ts";
import type { RestCause } from "./rest.ts";
import type { TokenUsage } from "./usage.ts";

/** Fields of a row's minute. */
export const PER_MINUTE = { sent: 0, succeeded: 1, failed: 2, tokens: 3 } as const;

export interface Row {
  attempts: number;
  inFlight: number;
  /** In flight without a byte of a good answer. */
  pending: number;
  readonly outcomes: Map<OutcomeKind, number>;
  inputTokens: number;
  outputTokens: number;
  /** Monotonic milliseconds; -Infinity when never used. */
  lastUsedMs: number;
  readonly minute: MinuteRing;
  readonly firstByte: RecentTimes;
  readonly duration: RecentTimes;
  /** Milliseconds spent resting, by cause. */
  readonly restedMs: Map<RestCause, number>;
  /** When it was last seen in the pool. */
  seenMs: number;
}

export function createRow(nowMs: number): Row {
  return {
    attempts: 0,
    inFlight: 0,
    pending: 0,
    outcomes: new Map(),
    inputTokens: 0,
    outputTokens: 0,
    lastUsedMs: Number.NEGATIVE_INFINITY,
    minute: new MinuteRing(4),
    firstByte: new RecentTimes(),
    duration: new RecentTimes(),
    restedMs: new Map(),
    seenMs: nowMs,
  };
}

export function noteStart(row: Row, nowMs: number): void {
  row.attempts += 1;
  row.inFlight += 1;
  row.pending += 1;
  row.lastUsedMs = nowMs;
  row.minute.add(PER_MINUTE.sent, 1, nowMs);
}

export function noteAnswer(row: Row, firstByteMs: number, nowMs: number): void {
  row.pending -= 1;
  row.firstByte.add(firstByteMs, nowMs);
}

export interface RowEnd {
  readonly outcome: OutcomeKind;
  readonly answered: boolean;
  readonly durationMs: number;
  readonly usage: TokenUsage | undefined;
}

/** No single answer has more: what a broken or hostile upstream claims beyond would drown everything else. */
const MOST_TOKENS = 1e9;

export function noteEnd(row: Row, { outcome, answered, durationMs, usage }: RowEnd, nowMs: number): void {
  row.inFlight -= 1;
  if (!answered) row.pending -= 1;
  row.outcomes.set(outcome, (row.outcomes.get(outcome) ?? 0) + 1);
  row.duration.add(durationMs, nowMs);
  if (outcome === "success") row.minute.add(PER_MINUTE.succeeded, 1, nowMs);
  else if (isFailure(outcome)) row.minute.add(PER_MINUTE.failed, 1, nowMs);
  if (usage === undefined) return;
  const input = Math.round(Math.min(usage.inputTokens, MOST_TOKENS));
  const output = Math.round(Math.min(usage.outputTokens, MOST_TOKENS));
  row.inputTokens += input;
  row.outputTokens += output;
  row.minute.add(PER_MINUTE.tokens, input + output, nowMs);
}

/** Neither good, nor the caller's own doing. */
export function isFailure(outcome: OutcomeKind): boolean {
  return outcome !== "success" && outcome !== "rejected" && outcome !== "abandoned";
}

export function countOf(row: Row, wanted: (outcome: OutcomeKind) => boolean): number {
  let sum = 0;
  for (const [outcome, count] of row.outcomes) if (wanted(outcome)) sum += count;
  return sum;
}
