// Reads the head of an upstream's answer, and its body where it must be known before the client may see anything.
import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from "node:zlib";
import { readErrorBody } from "../core/error-body.ts";
import { readLimitHeaders, readRetryAfter } from "../core/limit-headers.ts";
import { checkFirstEvent } from "../core/first-event.ts";
import { waitFromLimits } from "../core/learned.ts";
import { classifyAnswer, classifyFirstError, type Outcome } from "../core/outcome.ts";
import { readUsage, type TokenUsage } from "../core/usage.ts";
import type { PhaseTimer } from "./phase-timer.ts";
import { CallEnded } from "./call-ended.ts";
import { classifyFailure } from "./send.ts";

/** An answer that is in memory: errors, and successes up to a bound. */
export interface WholeAnswer {
  readonly kind: "whole";
  readonly outcome: Outcome;
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array<ArrayBuffer> | null;
  /** What a success reports of itself. */
  readonly usage?: TokenUsage;
  /** What a compressed error says. */
  readonly decoded?: Uint8Array;
}

/** An answer that is passed on as it comes. */
export interface FlowingAnswer {
  readonly kind: "flowing";
  readonly outcome: Outcome;
  readonly status: number;
  readonly headers: Headers;
  /** What was read already, to see whether the stream begins as one. */
  readonly prefix: readonly Uint8Array[];
  readonly reader: ReadableStreamDefaultReader<Uint8Array>;
}

/** The body broke before anything was passed on. */
export interface BrokenAnswer {
  readonly kind: "broken";
  readonly outcome: Outcome;
}

/** Longer bodies are piped; below it, reading first costs 3 µs and keeps the length and the chance of a retry. */
const LONGEST_WHOLE_BYTES = 1_048_576;
/** A compressed error that is longer than this when decoded is not looked into. */
const LONGEST_DECODED_BYTES = 65_536;

export interface AnswerTerms {
  /** Of the attempt; the caller stops it. */
  readonly timer: PhaseTimer;
  readonly abort: AbortController;
  readonly idleMs: number;
  readonly wallMs: number;
}

export async function readAnswer(
  response: Response,
  terms: AnswerTerms,
): Promise<WholeAnswer | FlowingAnswer | BrokenAnswer> {
  const { status, headers } = response;
  // No Response of ours can have another status (Fetch standard), and no client would know what it means.
  if (status < 200 || status > 599) {
    await response.body?.cancel();
    return { kind: "broken", outcome: { kind: "failed", detail: `broken answer: status ${status}` } };
  }
  if (status >= 400 || (status >= 300 && status !== 304)) return readError(response, terms);
  const outcome = classifyAnswer({ status });
  const length = Number(headers.get("content-length") ?? Number.NaN);
  const isEvents = isEventStream(headers);
  if (!(length <= LONGEST_WHOLE_BYTES) || isEvents) {
    // Only read here: the mere look at `body` makes a stream of it.
    const reader = response.body?.getReader();
    if (reader === undefined) return { kind: "whole", outcome, status, headers, bytes: null };
    if (isEvents && !isEncoded(headers)) return readBeginning({ status, headers, outcome }, reader, terms);
    return { kind: "flowing", outcome, status, headers, prefix: [], reader };
  }
  try {
    const bytes = await withinIdle(terms, response.bytes());
    const usage = isEncoded(headers) ? undefined : readUsage(bytes);
    return { kind: "whole", outcome, status, headers, bytes, ...(usage === undefined ? {} : { usage }) };
  } catch (error) {
    return { kind: "broken", outcome: classifyFailure(error, terms.abort.signal) };
  }
}

/**
 * Holds a stream until its first real event: an error or a nothing there is a failure that another backend may better.
 * Still within the time for the first byte, which the attempt's timer keeps.
 */
async function readBeginning(
  { status, headers, outcome }: Pick<FlowingAnswer, "status" | "headers" | "outcome">,
  reader: ReadableStreamDefaultReader<Uint8Array>,
  { abort }: AnswerTerms,
): Promise<WholeAnswer | FlowingAnswer | BrokenAnswer> {
  const check = checkFirstEvent();
  const prefix: Uint8Array[] = [];
  try {
    for (;;) {
      const next = await reader.read();
      if (!next.done) prefix.push(next.value);
      const first = next.done ? check.end() : check.observe(next.value);
      if (first.kind === "content") return { kind: "flowing", outcome, status, headers, prefix, reader };
      if (first.kind === "empty") {
        if (!next.done) await reader.cancel();
        return { kind: "broken", outcome: EMPTY_STREAM };
      }
      if (first.kind !== "error") continue;
      const bytes = joinBounded([...prefix, ...(await readRest(reader))]);
      return { kind: "whole", outcome: classifyFirstError(first.error), status, headers, bytes };
    }
  } catch (error) {
    return { kind: "broken", outcome: classifyFailure(error, abort.signal) };
  }
}

const EMPTY_STREAM: Outcome = { kind: "failed", status: 200, detail: "empty stream" };

export function isEventStream(headers: Headers): boolean {
  return /^text\/event-stream\b/i.test(headers.get("content-type") ?? "");
}

/** True when the bytes are not the text itself, so that nothing can be read from or added to them. */
export function isEncoded(headers: Headers): boolean {
  const encoding = headers.get("content-encoding");
  return encoding !== null && encoding !== "" && encoding.toLowerCase() !== "identity";
}

async function readError(response: Response, terms: AnswerTerms): Promise<WholeAnswer | BrokenAnswer> {
  const { status, headers } = response;
  const header = (name: string) => headers.get(name);
  const asked = readRetryAfter(header, terms.wallMs);
  const retryAfterMs =
    asked ?? (status === 429 ? waitFromLimits(readLimitHeaders(header, terms.wallMs)) : undefined);
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = await withinIdle(terms, readBounded(response));
  } catch (error) {
    const outcome = classifyFailure(error, terms.abort.signal);
    return { kind: "broken", outcome: outcome.kind === "abandoned" ? outcome : { ...outcome, status } };
  }
  const encoding = headers.get("content-encoding") ?? "";
  const decoded = isEncoded(headers) ? decode(bytes, encoding) : undefined;
  const error = readErrorBody(decoded ?? bytes);
  const outcome = classifyAnswer({ status, error, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
  return { kind: "whole", outcome, status, headers, bytes, ...(decoded === undefined ? {} : { decoded }) };
}

/** A small body is worth one deadline for all of it, not one for each chunk. */
function withinIdle<T>({ abort, idleMs, timer }: AnswerTerms, reading: Promise<T>): Promise<T> {
  timer.enter(idleMs, () => {
    const detail = `the body stalled for ${Math.round(idleMs / 1000)} s`;
    abort.abort(new CallEnded({ kind: "failed", timedOut: true, detail }));
  });
  return reading;
}

/** The body up to a bound; what a hostile upstream sends beyond it is not kept. */
async function readBounded(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  if (response.body === null) return new Uint8Array(0);
  return joinBounded(await readRest(response.body.getReader()));
}

async function readRest(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<readonly Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  while (length < LONGEST_WHOLE_BYTES) {
    const next = await reader.read();
    if (next.done) return chunks;
    chunks.push(next.value);
    length += next.value.length;
  }
  await reader.cancel();
  return chunks;
}

function joinBounded(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const bytes = new Uint8Array(Math.min(length, LONGEST_WHOLE_BYTES));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk.subarray(0, bytes.length - at), at);
    at += Math.min(chunk.length, bytes.length - at);
  }
  return bytes;
}

/** The text of a compressed error, for us to read: what goes to the client stays as it came. */
function decode(bytes: Uint8Array<ArrayBuffer>, encoding: string): Uint8Array {
  const bound = { maxOutputLength: LONGEST_DECODED_BYTES };
  try {
    switch (encoding.toLowerCase()) {
      case "gzip":
      case "x-gzip":
        return gunzipSync(bytes, bound);
      case "deflate":
        return inflateSync(bytes, bound);
      case "br":
        return brotliDecompressSync(bytes, bound);
      case "zstd":
        return zstdDecompressSync(bytes, bound);
      default:
        return bytes;
    }
  } catch {
    return new Uint8Array(0); // not what it claims to be, or a bomb: the status alone decides
  }
}
