// Reads the few fields that routing needs from a JSON body by scanning its bytes, and renames the model in place.
// The scan follows strings and brackets only: what else is wrong with the body, the upstream's parser will say.

/** Where a value stands in the body, quotes included; `end` is exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface Envelope {
  readonly kind: "envelope";
  /** Absent when the body has no top-level `model`. */
  readonly model?: string;
  /** The bytes of the model's value; present with `model`. */
  readonly modelSpan?: Span;
  readonly stream: boolean;
  /** `prompt_cache_key`, for session affinity. */
  readonly cacheKey?: string;
}

/** Why a body cannot be routed, in words for the caller. */
export interface Unreadable {
  readonly kind: "unreadable";
  readonly reason: string;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;

/** Longer names are refused: no provider has them, and they would travel through logs and headers. */
const LONGEST_MODEL_BYTES = 512;
/** A key this long cannot be one of ours, however it is escaped (`prompt_cache_key` as 16 times \uXXXX). */
const LONGEST_ESCAPED_KEY_BYTES = 96;
/** Below this a plain loop beats a native search (measured: the call costs about 20 ns). */
const NATIVE_SEARCH_FROM = 24;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

const unreadable = (reason: string): Unreadable => ({ kind: "unreadable", reason });

/**
 * Finds top-level `model`, `stream` and `prompt_cache_key` in a JSON object of any size and field order.
 * Keys count in their exact, unescaped spelling; a second `model` is refused, because parsers disagree on which counts
 * (Envoy AI Gateway's GHSA-4gph-2hhr-5mwg shows what comes of it).
 */
export function readEnvelope(body: Uint8Array): Envelope | Unreadable {
  const encoding = foreignEncoding(body);
  if (encoding !== undefined)
    return unreadable(`the body is ${encoding}; send plain UTF-8 without a byte order mark`);
  let at = skipSpace(body, 0);
  if (at >= body.length) return unreadable("the body is empty; a JSON object with a model is needed");
  if (body[at] !== OPEN_OBJECT) return unreadable("the body is not a JSON object");
  at = skipSpace(body, at + 1);

  let modelSpan: Span | undefined;
  let streamSpan: Span | undefined;
  let cacheKeySpan: Span | undefined;
  let closed = body[at] === CLOSE_OBJECT;
  if (closed) at += 1;
  while (!closed) {
    if (body[at] !== QUOTE) return unreadable(`expected a field name at byte ${at} of the body`);
    const keyEnd = endOfString(body, at);
    if (keyEnd < 0) return unreadable("the body ends inside a string");
    const field = fieldName(body, at + 1, keyEnd - 1);
    if (field === "escaped")
      return unreadable("a field that weir reads is spelled with escapes; write it plainly");
    at = skipSpace(body, keyEnd);
    if (body[at] !== COLON) return unreadable(`expected ":" at byte ${at} of the body`);
    at = skipSpace(body, at + 1);
    const end = endOfValue(body, at);
    if (end < 0) return unreadable("the body ends inside a value");
    if (end === at) return unreadable(`expected a value at byte ${at} of the body`);
    if (field === "model") {
      if (modelSpan !== undefined) return unreadable("the body has more than one model");
      modelSpan = { start: at, end };
    } else if (field === "stream") streamSpan = { start: at, end };
    else if (field === "prompt_cache_key") cacheKeySpan = { start: at, end };
    at = skipSpace(body, end);
    if (body[at] === CLOSE_OBJECT) {
      closed = true;
      at += 1;
    } else if (body[at] === COMMA) at = skipSpace(body, at + 1);
    else
      return unreadable(
        at >= body.length
          ? "the body ends inside the object"
          : `expected "," or "}" at byte ${at} of the body`,
      );
  }
  if (skipSpace(body, at) < body.length) return unreadable("the body goes on after the JSON object");

  const stream = streamSpan !== undefined && spells(body, streamSpan.start, streamSpan.end, "true");
  const cacheKey = cacheKeySpan && readText(body, cacheKeySpan);
  const rest = { stream, ...(cacheKey === undefined ? {} : { cacheKey }) };
  if (modelSpan === undefined) return { kind: "envelope", ...rest };
  if (body[modelSpan.start] !== QUOTE) return unreadable("model is not a string");
  if (modelSpan.end - modelSpan.start - 2 > LONGEST_MODEL_BYTES)
    return unreadable(`model is longer than ${LONGEST_MODEL_BYTES} bytes`);
  const model = readText(body, modelSpan);
  if (model === undefined) return unreadable("model is not a valid JSON string in UTF-8");
  if (model === "") return unreadable("model is empty");
  return { kind: "envelope", model, modelSpan, ...rest };
}

/** The same body with the value at `span` replaced by `name` as a JSON string; no other byte changes. */
export function renameModel(body: Uint8Array, span: Span, name: string): Uint8Array<ArrayBuffer> {
  return replaceSpan(body, span, encoder.encode(JSON.stringify(name)));
}

/** The same body with the bytes of `span` replaced. */
export function replaceSpan(body: Uint8Array, span: Span, value: Uint8Array): Uint8Array<ArrayBuffer> {
  const renamed = new Uint8Array(body.length - (span.end - span.start) + value.length);
  renamed.set(body.subarray(0, span.start), 0);
  renamed.set(value, span.start);
  renamed.set(body.subarray(span.end), span.start + value.length);
  return renamed;
}

/** Names the encoding when the first bytes show that it is not plain UTF-8 (RFC 8259 section 8.1). */
function foreignEncoding(body: Uint8Array): string | undefined {
  const [a, b, c] = body;
  if (a === 0xef && b === 0xbb && c === 0xbf) return "UTF-8 with a byte order mark";
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) return "UTF-16 or UTF-32";
  // A JSON text begins with an ASCII character, so a zero byte among the first two means wider units.
  if (body.length >= 2 && (a === 0 || b === 0)) return "UTF-16 or UTF-32";
  return undefined;
}

export function skipSpace(body: Uint8Array, from: number): number {
  let at = from;
  for (;;) {
    const byte = body[at];
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return at;
    at += 1;
  }
}

/** The index after the closing quote of the string that opens at `open`; -1 when the body ends first. */
export function endOfString(body: Uint8Array, open: number): number {
  let at = open + 1;
  const near = Math.min(body.length, at + NATIVE_SEARCH_FROM);
  while (at < near) {
    const byte = body[at];
    if (byte === QUOTE) return at + 1;
    at += byte === BACKSLASH ? 2 : 1;
  }
  for (;;) {
    const quote = body.indexOf(QUOTE, at);
    if (quote < 0) return -1;
    let backslashes = 0;
    // `at` is never inside an escape, so the run of backslashes cannot begin before it.
    while (quote - 1 - backslashes >= at && body[quote - 1 - backslashes] === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return quote + 1;
    at = quote + 1;
  }
}

/** The index after the value at `start`; `start` itself when there is none, -1 when the body ends inside it. */
export function endOfValue(body: Uint8Array, start: number): number {
  const first = body[start];
  if (first === QUOTE) return endOfString(body, start);
  if (first === OPEN_OBJECT || first === OPEN_ARRAY) return endOfContainer(body, start);
  let at = start;
  while (at < body.length) {
    const byte = body[at];
    if (
      byte === COMMA ||
      byte === CLOSE_OBJECT ||
      byte === 0x20 ||
      byte === 0x0a ||
      byte === 0x0d ||
      byte === 0x09
    )
      break;
    if (
      byte === QUOTE ||
      byte === COLON ||
      byte === CLOSE_ARRAY ||
      byte === OPEN_OBJECT ||
      byte === OPEN_ARRAY
    )
      break;
    at += 1;
  }
  return at;
}

/** Counts depth instead of descending, so nesting costs neither stack nor memory. */
function endOfContainer(body: Uint8Array, start: number): number {
  let depth = 0;
  let at = start;
  while (at < body.length) {
    const byte = body[at];
    if (byte === QUOTE) {
      at = endOfString(body, at);
      if (at < 0) return -1;
      continue;
    }
    at += 1;
    if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth += 1;
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  return -1;
}

type Field = "model" | "stream" | "prompt_cache_key";

/** Which of our fields the key between `start` and `end` is; "escaped" when it is one in disguise. */
function fieldName(body: Uint8Array, start: number, end: number): Field | "escaped" | undefined {
  const length = end - start;
  if (length === 5 && spells(body, start, end, "model")) return "model";
  if (length === 6 && spells(body, start, end, "stream")) return "stream";
  if (length === 16 && spells(body, start, end, "prompt_cache_key")) return "prompt_cache_key";
  if (length > LONGEST_ESCAPED_KEY_BYTES) return undefined;
  for (let at = start; at < end; at += 1) {
    if (body[at] !== BACKSLASH) continue;
    const plain = readText(body, { start: start - 1, end: end + 1 });
    return plain === "model" || plain === "stream" || plain === "prompt_cache_key" ? "escaped" : undefined;
  }
  return undefined;
}

function spells(body: Uint8Array, start: number, end: number, word: string): boolean {
  if (end - start !== word.length) return false;
  for (let at = 0; at < word.length; at += 1) if (body[start + at] !== word.charCodeAt(at)) return false;
  return true;
}

/** The string that the bytes of `span` spell, escapes decoded; undefined when they are not a JSON string in UTF-8. */
function readText(body: Uint8Array, span: Span): string | undefined {
  try {
    const value: unknown = JSON.parse(decoder.decode(body.subarray(span.start, span.end)));
    return typeof value === "string" && value.isWellFormed() ? value : undefined;
  } catch {
    return undefined; // not UTF-8 or not JSON: the caller says so
  }
}
