// Finds the beginning of a conversation in a body, which stays the same from turn to turn.
import { endOfString, endOfValue, skipSpace } from "./envelope.ts";

const OPEN_ARRAY = 0x5b;
const OPEN_OBJECT = 0x7b;
const CLOSE_ARRAY = 0x5d;
const COMMA = 0x2c;
const QUOTE = 0x22;
const HISTORIES = new Set(["messages", "input", "contents"]);
/** A long first message is as good as its beginning. */
const LONGEST_BYTES = 16_384;
/** System prompts are shared by many conversations, so the turn goes on to the first message of the user. */
const MOST_MESSAGES = 4;

const decoder = new TextDecoder();

/**
 * The bytes of the first messages up to the user's first, as text: of `messages`, `input` or `contents`.
 * Undefined when the body has none. The body was found readable before.
 */
export function firstTurn(body: Uint8Array): string | undefined {
  let at = skipSpace(body, 0);
  if (body[at] !== OPEN_OBJECT) return undefined;
  at = skipSpace(body, at + 1);
  while (body[at] === QUOTE) {
    const keyEnd = endOfString(body, at);
    if (keyEnd < 0) return undefined;
    const name = keyEnd - at <= 12 ? decoder.decode(body.subarray(at + 1, keyEnd - 1)) : "";
    const start = skipSpace(body, skipSpace(body, keyEnd) + 1);
    if (HISTORIES.has(name)) return beginningOf(body, start);
    const end = endOfValue(body, start);
    if (end < 0) return undefined;
    at = skipSpace(body, end);
    if (body[at] !== COMMA) return undefined;
    at = skipSpace(body, at + 1);
  }
  return undefined;
}

function beginningOf(body: Uint8Array, start: number): string | undefined {
  if (body[start] !== OPEN_ARRAY) {
    const end = endOfValue(body, start);
    return end < 0 ? undefined : decoder.decode(body.subarray(start, Math.min(end, start + LONGEST_BYTES)));
  }
  let at = skipSpace(body, start + 1);
  for (let message = 0; message < MOST_MESSAGES && body[at] !== CLOSE_ARRAY; message += 1) {
    const end = endOfValue(body, at);
    if (end < 0) return undefined;
    const isUsers = /"role"\s*:\s*"user"/.test(
      decoder.decode(body.subarray(at, Math.min(end, at + LONGEST_BYTES))),
    );
    at = skipSpace(body, end);
    if (isUsers || body[at] !== COMMA) break;
    at = skipSpace(body, at + 1);
  }
  return decoder.decode(body.subarray(start, Math.min(at, start + LONGEST_BYTES)));
}
