// Reads one HTTP/1.1 answer after another from the bytes of a connection (RFC 9112): status, the headers that matter here,
// and the body without its framing. What a server must not send is a failure with its reason, never a guess.

export interface AnswerHead {
  readonly status: number;
  readonly contentType: string;
  /** False: the server closes the connection after this answer. */
  readonly keepsAlive: boolean;
}

export interface AnswerReader {
  readonly onHead: (head: AnswerHead) => void;
  /** The bytes between two indices, valid during the call only: a view of them costs more than all that is done with it. */
  readonly onBody: (bytes: Uint8Array, from: number, to: number) => void;
  readonly onEnd: () => void;
}

export interface AnswerParser {
  /** Returns what is wrong, after which nothing more may be pushed. */
  readonly push: (bytes: Uint8Array) => string | undefined;
  /** The connection is at its end; true when the answer is complete with that. */
  readonly close: () => boolean;
}

type Phase = "head" | "length" | "size" | "data" | "data-end" | "trailers" | "until-close" | "done";

const MOST_HEAD_BYTES = 64 * 1024;
const MOST_LINE_BYTES = 16 * 1024;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;
const SEMICOLON = 0x3b;
const MOST_HEX_DIGITS = 12;
const NOTHING: Uint8Array = new Uint8Array(0);
const decoder = new TextDecoder("latin1");

export function createAnswerParser(reader: AnswerReader): AnswerParser {
  let phase: Phase = "head";
  /** Of the body or chunk, what is still to come. */
  let left = 0;
  let kept = NOTHING;

  const finish = (): void => {
    phase = "done";
    reader.onEnd();
  };
  const begin = (text: string): string | undefined => {
    const head = readHead(text);
    if (typeof head === "string") return head;
    if (head.status < 200) return head.status === 101 ? "it switched protocols unasked" : undefined;
    reader.onHead(head);
    if (head.status === 204 || head.status === 304 || head.length === 0) finish();
    else if (head.isChunked) phase = "size";
    else if (head.length === undefined) phase = "until-close";
    else {
      left = head.length;
      phase = "length";
    }
    return undefined;
  };
  /** A line of the chunked framing, from `at` to `stop` without its line break. */
  const takeLine = (bytes: Uint8Array, at: number, stop: number): string | undefined => {
    if (phase === "trailers") {
      if (at === stop) finish();
      return undefined;
    }
    if (phase === "data-end") {
      phase = "size";
      return at === stop ? undefined : "a chunk is longer than it says";
    }
    const size = readHex(bytes, at, stop);
    if (size === undefined) return "a chunk has no size";
    left = size;
    phase = size === 0 ? "trailers" : "data";
    return undefined;
  };

  return {
    push(pushed) {
      const bytes = kept.length > 0 ? joined(kept, pushed) : pushed;
      kept = NOTHING;
      let at = 0;
      while (at < bytes.length) {
        if (phase === "done") return "it sent more than the answer";
        if (phase === "length" || phase === "data" || phase === "until-close") {
          const size = phase === "until-close" ? bytes.length - at : Math.min(left, bytes.length - at);
          reader.onBody(bytes, at, at + size);
          at += size;
          if (phase === "until-close") continue;
          left -= size;
          if (left > 0) continue;
          if (phase === "length") finish();
          else phase = "data-end";
          continue;
        }
        const isHead = phase === "head";
        const end = isHead ? headEnd(bytes, at) : bytes.indexOf(LF, at);
        if (end < 0) {
          if (bytes.length - at > (isHead ? MOST_HEAD_BYTES : MOST_LINE_BYTES)) return "a line has no end";
          kept = bytes.slice(at);
          return undefined;
        }
        const stop = bytes[end - 1] === CR && end > at ? end - 1 : end;
        const flaw = isHead ? begin(decoder.decode(bytes.subarray(at, stop))) : takeLine(bytes, at, stop);
        at = end + 1;
        if (flaw !== undefined) return flaw;
      }
      return undefined;
    },
    close() {
      if (phase === "until-close") finish();
      return phase === "done";
    },
  };
}

/** The size that a chunk begins with; what follows a semicolon is an extension. Byte by byte: this runs for every chunk. */
function readHex(bytes: Uint8Array, from: number, stop: number): number | undefined {
  let size = 0;
  let at = from;
  for (; at < stop; at += 1) {
    const digit = hexDigit(bytes[at] ?? 0);
    if (digit < 0) break;
    size = size * 16 + digit;
  }
  const digits = at - from;
  if (digits === 0 || digits > MOST_HEX_DIGITS) return undefined;
  while (at < stop && (bytes[at] === SPACE || bytes[at] === TAB)) at += 1;
  return at === stop || bytes[at] === SEMICOLON ? size : undefined;
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** Where the empty line after the fields ends: the index of its line feed. */
function headEnd(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(LF, from); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === LF) return at + 1;
    if (bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 2;
  }
  return -1;
}

interface Head extends AnswerHead {
  readonly isChunked: boolean;
  readonly length: number | undefined;
}

/** The head's text without its last line break, or what is wrong with it. */
function readHead(text: string): Head | string {
  const [first = "", ...lines] = text.split(/\r?\n/);
  const started = /^HTTP\/1\.([01]) (\d{3})(?: |$)/.exec(first);
  if (started === null) return "it does not speak HTTP/1.1";
  const fields = new Map<string, string>();
  for (const line of lines) {
    if (line === "") continue;
    const colon = line.indexOf(":");
    if (colon <= 0) return "a header field has no name";
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const before = fields.get(name);
    if (name === "content-length" && before !== undefined && before !== value) return "it gives two lengths";
    fields.set(name, before === undefined || name === "content-length" ? value : `${before}, ${value}`);
  }
  const coding = fields.get("transfer-encoding")?.toLowerCase();
  if (coding !== undefined && coding !== "chunked") return "it uses an unknown transfer coding";
  const length = fields.get("content-length");
  if (length !== undefined && !/^\d{1,15}$/.test(length)) return "its length is no number";
  const connection = fields.get("connection")?.toLowerCase() ?? "";
  return {
    status: Number(started[2]),
    contentType: fields.get("content-type")?.toLowerCase() ?? "",
    keepsAlive: started[1] === "1" ? !/\bclose\b/.test(connection) : /\bkeep-alive\b/.test(connection),
    isChunked: coding !== undefined,
    length: coding !== undefined || length === undefined ? undefined : Number(length),
  };
}

function joined(left: Uint8Array, right: Uint8Array): Uint8Array {
  const both = new Uint8Array(left.length + right.length);
  both.set(left);
  both.set(right, left.length);
  return both;
}
