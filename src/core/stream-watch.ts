// Watches a stream pass without holding it: did it end properly, did it carry an error, how many tokens did it report?
import type { Family } from "./backend.ts";
import { findLast, readUsage, type TokenUsage } from "./usage.ts";

/** How a stream of this operation says that it is complete; undefined when it has no way to. */
export type TerminalEvent = "done" | "message_stop" | "response";

/** The terminal events of the contract's section 5: none for speech and others. */
export function terminalEventOf(family: Family, path: string): TerminalEvent | undefined {
  if (family === "anthropic") return path === "/messages" ? "message_stop" : undefined;
  if (family !== "openai") return undefined;
  if (path === "/chat/completions" || path === "/completions") return "done";
  return path === "/responses" ? "response" : undefined;
}

/** A line's first bytes are enough to tell what it is: the longest is `data: {"type":"response.incomplete"`. */
const LINE_HEAD_BYTES = 48;
/** A usage object is shorter than this; what follows it is not kept. */
const USAGE_BYTES = 1536;
const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x22;
const CLOSE_OBJECT = 0x7d;
const CLOSE_ARRAY = 0x5d;

/** How an event shows what it is: by its name, or by how its data begins. */
interface Sign {
  readonly name?: RegExp;
  readonly data: RegExp;
  /** What its data ends with. */
  readonly lastByte: number;
}

const TERMINAL: Readonly<Record<TerminalEvent, Sign>> = {
  done: { data: /^data: ?\[DONE\]/, lastByte: CLOSE_ARRAY },
  message_stop: {
    name: /^event: ?message_stop\s*$/,
    data: /^data: ?\{\s*"type"\s*:\s*"message_stop"/,
    lastByte: CLOSE_OBJECT,
  },
  response: {
    name: /^event: ?response\.(completed|failed|incomplete)\s*$/,
    data: /^data: ?\{\s*"type"\s*:\s*"response\.(completed|failed|incomplete)"/,
    lastByte: CLOSE_OBJECT,
  },
};
/** An error that the provider reports inside a stream it answered with 200. */
const ERROR: Sign = {
  name: /^event: ?error\s*$/,
  data: /^data: ?\{\s*"(error"\s*:\s*(\{|"[^"])|type"\s*:\s*"error")/,
  lastByte: CLOSE_OBJECT,
};

/** Google reports an error after its events as JSON that stands by itself, on one line or on many. */
const BARE_ERROR = /^\[?\{\s*("error"\s*:|$)/;

export interface StreamWatch {
  readonly observe: (chunk: Uint8Array) => void;
  /** True once the family's terminal event has passed; always true for streams that have none. */
  readonly isComplete: () => boolean;
  /** True once the provider has reported an error inside the stream. */
  readonly hasError: () => boolean;
  /** What must be sent before an event can begin: nothing between events, else the end of the open line. */
  readonly boundary: () => "" | "\n" | "\n\n";
  readonly usage: () => TokenUsage | undefined;
}

/** For server-sent events. `terminal` undefined: any clean end is a complete one. */
export function watchStream(terminal: TerminalEvent | undefined): StreamWatch {
  const end = terminal === undefined ? undefined : TERMINAL[terminal];
  let complete = end === undefined;
  let failed = false;
  /** What the open event's name says it is; it counts once its data is there, which may be long and may be cut. */
  let named: "end" | "error" | undefined;
  let line = "";
  let lineBytes = 0;
  let lastByte = 0;
  let blank = true;
  const tokens = createUsageWatch();

  const readData = (): typeof named => {
    if (!line.startsWith("data:")) return BARE_ERROR.test(line) ? "error" : undefined;
    if (named !== undefined) return named;
    if (end?.data.test(line) === true) return "end";
    return ERROR.data.test(line) ? "error" : undefined;
  };
  const note = (found: typeof named): void => {
    if (found === "end") complete = true;
    else if (found === "error") failed = true;
  };
  const closeLine = (): void => {
    blank = lineBytes === 0;
    if (blank) {
      note(named);
      named = undefined;
    } else if (line.startsWith("event:"))
      named = end?.name?.test(line) === true ? "end" : ERROR.name?.test(line) === true ? "error" : undefined;
    else note(readData());
    line = "";
    lineBytes = 0;
  };
  /** A provider may close right after its last line, without the line break; a cut line does not end like that. */
  const noteOpenLine = (): void => {
    const found = readData();
    const sign = found === "end" ? end : ERROR;
    if (lastByte === sign?.lastByte) note(found);
  };

  return {
    observe(chunk) {
      tokens.observe(chunk);
      let at = 0;
      while (at < chunk.length) {
        const found = chunk.indexOf(LF, at);
        const stop = found < 0 ? chunk.length : found;
        const visible = stop > at && chunk[stop - 1] === CR ? stop - 1 : stop;
        if (visible > at) {
          if (line.length < LINE_HEAD_BYTES)
            line += textOf(chunk, at, Math.min(visible, at + LINE_HEAD_BYTES - line.length));
          lineBytes += visible - at;
          lastByte = chunk[visible - 1] ?? 0;
        }
        if (found < 0) return;
        closeLine();
        at = found + 1;
      }
    },
    isComplete() {
      noteOpenLine();
      return complete;
    },
    hasError() {
      noteOpenLine();
      return failed;
    },
    boundary() {
      if (lineBytes > 0) return "\n\n";
      return blank ? "" : "\n";
    },
    usage: tokens.read,
  };
}

/**
 * Keeps the bytes from the last `"usage` on, a few hundred bytes a stream instead of a long tail. Anthropic reports its
 * input in the first event and its output in the last, so the first report is remembered for what the last one lacks.
 */
function createUsageWatch(): { observe: (chunk: Uint8Array) => void; read: () => TokenUsage | undefined } {
  let first: TokenUsage | undefined;
  let kept: Uint8Array = NOTHING;
  /** The end of the previous chunk, in case the word is split between two. */
  let seam: Uint8Array = NOTHING;
  return {
    observe(chunk) {
      const bytes = seam.length > 0 ? joined(seam, chunk) : chunk;
      const found = findUsage(bytes);
      const room = found < 0 ? chunk.length : Math.max(0, found - seam.length);
      if (kept.length > 0 && kept.length < USAGE_BYTES)
        kept = joined(kept, chunk.subarray(0, Math.min(room, USAGE_BYTES - kept.length)));
      if (found >= 0) {
        first ??= readUsage(kept.length > 0 ? kept : firstUsage(bytes, found));
        kept = bytes.slice(found, found + USAGE_BYTES);
      }
      seam = bytes.at(-1) === LF ? NOTHING : openWord(bytes);
    },
    read() {
      const last = readUsage(kept);
      if (last === undefined || first === undefined) return last ?? first;
      return { inputTokens: last.inputTokens || first.inputTokens, outputTokens: last.outputTokens };
    },
  };
}

/** A byte a character, which is enough for signs in ASCII; without a view and a decoder it takes a third of the time. */
const textOf = (bytes: Uint8Array, from: number, to: number): string =>
  Buffer.prototype.latin1Slice.call(bytes, from, to);

const NOTHING = new Uint8Array(0);
const USAGE_WORD = new TextEncoder().encode('"usage');
/** What makes it `"usage"` or `"usageMetadata"`, not `"usage_breakdown"`; nothing yet at the end of a chunk. */
const AFTER_WORD: ReadonlySet<number | undefined> = new Set([QUOTE, "M".charCodeAt(0), undefined]);

function joined(left: Uint8Array, right: Uint8Array): Uint8Array {
  const both = new Uint8Array(left.length + right.length);
  both.set(left);
  both.set(right, left.length);
  return both;
}

/** Where the last usage begins, -1 if nowhere. */
function findUsage(bytes: Uint8Array): number {
  let at = findLast(bytes, USAGE_WORD);
  while (at >= 0 && !AFTER_WORD.has(bytes[at + USAGE_WORD.length]))
    at = at === 0 ? -1 : findLast(bytes, USAGE_WORD, at - 1);
  return at;
}

/** From the first usage up to `end`, where a chunk has several. */
function firstUsage(bytes: Uint8Array, end: number): Uint8Array {
  const at = Buffer.prototype.indexOf.call(bytes, USAGE_WORD);
  return bytes.subarray(at, Math.min(end, at + USAGE_BYTES));
}

/** The beginning of the word that the bytes end with, if any. */
function openWord(bytes: Uint8Array): Uint8Array {
  const tail = bytes.subarray(1 - USAGE_WORD.length);
  const at = tail.lastIndexOf(QUOTE);
  const open = at < 0 ? NOTHING : tail.slice(at);
  return open.every((byte, index) => byte === USAGE_WORD[index]) ? open : NOTHING;
}
