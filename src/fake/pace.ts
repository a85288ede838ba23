// How an answer comes in time and what it says: the keys that scripts and actions share, and their reading.
import { count, duration, number, spread, text } from "./script-read.ts";
import type { Reader } from "./script-read.ts";
import type { Spread } from "./spread.ts";

/** How an answer comes in time and what it says; all times in milliseconds. */
export interface Pace {
  readonly latency?: Spread;
  readonly ttft?: Spread;
  readonly gap?: Spread;
  readonly tokensPerSecond?: Spread;
  readonly tokens?: Spread;
  readonly chunkBytes?: number;
  readonly reply?: string;
}

const LONGEST_REPLY_TOKENS = 10_000_000;

/** The readers of a pace's keys, shared by scripts and actions. */
export const PACE_READERS = {
  latency: spread(duration),
  ttft: spread(duration),
  gap: spread(duration),
  tokens_per_second: spread(number(0.001)),
  tokens: spread(count(1, LONGEST_REPLY_TOKENS)),
  chunk_bytes: count(1, 65_536),
  reply: text,
} satisfies Record<string, Reader<unknown>>;

/** A pace as it is written. */
export interface PaceFields {
  latency: Spread;
  ttft: Spread;
  gap: Spread;
  tokens_per_second: Spread;
  tokens: Spread;
  chunk_bytes: number;
  reply: string;
}

/** A pace from its keys, wherever they were read. */
export function toPace(from: Partial<PaceFields>, place: string, problems: string[]): Pace {
  const {
    tokens_per_second: tokensPerSecond,
    chunk_bytes: chunkBytes,
    latency,
    ttft,
    gap,
    tokens,
    reply,
  } = from;
  if (gap !== undefined && tokensPerSecond !== undefined)
    problems.push(`${place === "" ? "gap" : `${place}.gap`}: give gap or tokens_per_second, not both`);
  return {
    ...(latency && { latency }),
    ...(ttft && { ttft }),
    ...(gap && { gap }),
    ...(tokensPerSecond && { tokensPerSecond }),
    ...(tokens && { tokens }),
    ...(chunkBytes !== undefined && { chunkBytes }),
    ...(reply !== undefined && { reply }),
  };
}
