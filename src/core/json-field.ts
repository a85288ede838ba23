// Sets one top-level string field of a JSON body by its bytes; everything else stays as it came.
import { endOfString, endOfValue, replaceSpan, skipSpace, type Span } from "./envelope.ts";

const QUOTE = 0x22;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const COMMA = 0x2c;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The body with the field added right behind its `{`; undefined for what is no JSON object. */
export function insertField(
  body: Uint8Array,
  name: string,
  value: string,
): Uint8Array<ArrayBuffer> | undefined {
  const open = skipSpace(body, 0);
  if (body[open] !== OPEN_OBJECT) return undefined;
  const comma = body[skipSpace(body, open + 1)] === CLOSE_OBJECT ? "" : ",";
  const field = encoder.encode(`${JSON.stringify(name)}:${JSON.stringify(value)}${comma}`);
  return replaceSpan(body, { start: open + 1, end: open + 1 }, field);
}

/**
 * The same, but a field of that name, however it is spelled and however often, gets the value instead: parsers disagree
 * on which of two counts.
 */
export function setField(body: Uint8Array, name: string, value: string): Uint8Array<ArrayBuffer> | undefined {
  const spans = findValues(body, name);
  if (spans === undefined) return undefined;
  if (spans.length === 0) return insertField(body, name, value);
  const text = encoder.encode(JSON.stringify(value));
  // From the last to the first, so that the spans before stay where they are.
  return spans.reduceRight<Uint8Array<ArrayBuffer>>(
    (sent, span) => replaceSpan(sent, span, text),
    body.slice(),
  );
}

/** Where the values of the top-level fields of this name stand; undefined for what is no JSON object. */
function findValues(body: Uint8Array, name: string): readonly Span[] | undefined {
  const spans: Span[] = [];
  let at = skipSpace(body, 0);
  if (body[at] !== OPEN_OBJECT) return undefined;
  at = skipSpace(body, at + 1);
  while (body[at] === QUOTE) {
    const keyEnd = endOfString(body, at);
    if (keyEnd < 0) return spans;
    const start = skipSpace(body, skipSpace(body, keyEnd) + 1);
    const end = endOfValue(body, start);
    if (end <= start) return spans;
    if (spells(body.subarray(at, keyEnd), name)) spans.push({ start, end });
    at = skipSpace(body, end);
    if (body[at] !== COMMA) return spans;
    at = skipSpace(body, at + 1);
  }
  return spans;
}

function spells(key: Uint8Array, name: string): boolean {
  try {
    return JSON.parse(decoder.decode(key)) === name;
  } catch {
    return false; // no name that a parser would read
  }
}
