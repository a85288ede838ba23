// Reads the head of an upstream's answer, and its body where it must be known before the client may see anything.
import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from "node:zlib";
import { readErrorBody } from "../core/error-body.ts";
import { readRetryAfter } from "../core/limit-headers.ts";
import { classifyAnswer, type Outcome } from "../core/outcome.ts";
import type { PhaseTimer } from "./phase-timer.ts";
import { CallEnded, classifyFailure } from "./send.ts";

/** An answer that is in memory: errors, and successes up to a bound. */
export interface WholeAnswer {
  readonly kind: "whole";
  readonly outcome: Outcome;
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array<ArrayBuffer> | null;
  /** What a compressed error says. */
  readonly decoded?: Uint8Array;
}

/** An answer that is passed on as it comes. */
export interface FlowingAnswer {
  readonly kind: "flowing";
  readonly outcome: Outcome;
  readonly status: number;
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array>;
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
  if (status >= 400 || (status >= 300 && status !== 304)) return readError(response, terms);
  const outcome = classifyAnswer({ status });
  const length = Number(headers.get("content-length") ?? Number.NaN);
  if (!(length <= LONGEST_WHOLE_BYTES) || isEventStream(headers)) {
    // Only read here: the mere look at `body` makes a stream of it, which costs a short answer 25 µs.
    const { body } = response;
    if (body === null) return { kind: "whole", outcome, status, headers, bytes: null };
    return { kind: "flowing", outcome, status, headers, body };
  }
  try {
    const bytes = await withinIdle(terms, response.bytes());
    return { kind: "whole", outcome, status, headers, bytes };
  } catch (error) {
    return { kind: "broken", outcome: classifyFailure(error, terms.abort.signal) };
  }
}

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
  const retryAfterMs = readRetryAfter((name) => headers.get(name), terms.wallMs);
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
    abort.abort(new CallEnded({ kind: "failed", detail }));
  });
  return reading;
}

/** The body up to a bound; what a hostile upstream sends beyond it is not kept. */
async function readBounded(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  if (response.body === null) return new Uint8Array(0);
  const reader = response.body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  while (length < LONGEST_WHOLE_BYTES) {
    const next = await reader.read();
    if (next.done) break;
    chunks.push(next.value);
    length += next.value.length;
  }
  if (length >= LONGEST_WHOLE_BYTES) await reader.cancel();
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
