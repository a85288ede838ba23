// Reads one answer as it comes and judges it: a fast wrong server must not win. Knows nothing of time.
import { type Api, errorIn, usageOf } from "./apis.ts";
import type { AnswerHead } from "./parse-answer.ts";
import { createEventSplitter } from "./split-events.ts";

export interface Verdict {
  /** Undefined: the answer is right. Short, and without a word of the server's but its error code. */
  readonly error: string | undefined;
  readonly inputTokens: number;
  /** As the server reports them; 0: it does not. */
  readonly outputTokens: number;
}

export interface Judge {
  readonly takeHead: (head: AnswerHead) => void;
  /** How many pieces of content these bytes completed. */
  readonly takeBody: (bytes: Uint8Array, from: number, to: number) => number;
  readonly end: () => Verdict;
}

/** An answer that is not streamed must fit into this. */
const MOST_BYTES = 64 * 1024 * 1024;
const decoder = new TextDecoder();

export function createJudge(api: Api, isStream: boolean): Judge {
  const events = createEventSplitter();
  const parts: Uint8Array[] = [];
  let bytes = 0;
  let status = 0;
  let isEvents = false;
  let hasEnded = false;
  let contents = 0;
  let flaw: string | undefined;
  let usage = { inputTokens: 0, outputTokens: 0 };
  /** Whether an event differs from the last one that was parsed in nothing but its text. */
  let likeness: ((data: string) => boolean) | undefined;

  const takeEvent = (data: string): void => {
    if (flaw !== undefined) return;
    if (likeness?.(data) === true) {
      contents += 1;
      return;
    }
    if (data === "[DONE]") {
      hasEnded = true;
      return;
    }
    const json = parseObject(data);
    if (json === undefined) {
      flaw = "an event of the stream is no JSON object";
      return;
    }
    const error = errorIn(json);
    if (error !== undefined) {
      flaw = `error in the stream: ${error}`;
      return;
    }
    const meaning = api.readEvent(json);
    if (meaning.content !== undefined) {
      contents += 1;
      likeness = likenessOf(data, meaning.content);
    }
    if (meaning.isEnd) hasEnded = true;
    const told = usageOf(json);
    // Anthropic tells the input first and the output last.
    if (told !== undefined)
      usage = {
        inputTokens: told.inputTokens || usage.inputTokens,
        outputTokens: told.outputTokens,
      };
  };
  const judgeWhole = (): string | undefined => {
    const json = parseObject(decoder.decode(Buffer.concat(parts)));
    const isGood = status >= 200 && status < 300;
    const error = json === undefined ? undefined : errorIn(json);
    if (!isGood) return `HTTP ${status}${error === undefined || error === "error" ? "" : ` ${error}`}`;
    if (json === undefined) return "the answer is no JSON object";
    if (error !== undefined) return `error in the answer: ${error}`;
    if (isStream) return "the answer is no stream";
    usage = usageOf(json) ?? usage;
    return api.hasContent(json) ? undefined : "the answer has no content";
  };
  const judgeStream = (): string | undefined => {
    events.close(takeEvent);
    if (flaw !== undefined) return flaw;
    if (!hasEnded) return "the stream ended without its last event";
    return contents === 0 ? "the stream has no content" : undefined;
  };

  return {
    takeHead(head) {
      ({ status } = head);
      isEvents = isStream && status === 200 && head.contentType.startsWith("text/event-stream");
    },
    takeBody(piece, from, to) {
      if (isEvents) {
        const before = contents;
        events.push(readLatin1(piece, from, to), takeEvent);
        return contents - before;
      }
      bytes += to - from;
      if (bytes > MOST_BYTES) {
        flaw = "the answer is too long";
        parts.length = 0;
      } else parts.push(piece.slice(from, to));
      return 0;
    },
    end() {
      const error = isEvents ? judgeStream() : (flaw ?? judgeWhole());
      return { error, ...usage };
    },
  };
}

/**
 * One byte, one character: half the cost of UTF-8, and JSON stays JSON, since what is looked at (names of fields, codes, whether
 * a text is empty) is ASCII.
 */
const readLatin1 = (bytes: Uint8Array, from: number, to: number): string =>
  Buffer.prototype.toString.call(bytes, "latin1", from, to);

/**
 * Most events of a stream are alike but for their text. What is equal around a text that needs no escape is as valid as what was
 * parsed, and means the same; not parsing it again halves the client's own work for a chunk.
 */
function likenessOf(data: string, content: string): ((data: string) => boolean) | undefined {
  const quoted = `"${content}"`;
  const at = data.indexOf(quoted);
  if (content === "" || at < 0 || data.includes(quoted, at + 1)) return undefined;
  const before = data.slice(0, at + 1);
  const after = data.slice(at + quoted.length - 1);
  const around = before.length + after.length;
  return (next) =>
    next.length > around &&
    next.startsWith(before) &&
    next.endsWith(after) &&
    PLAIN_TEXT.test(next.slice(before.length, next.length - after.length));
}

// eslint-disable-next-line no-control-regex -- controls are what JSON forbids in a text
const PLAIN_TEXT = /^[^"\\\u0000-\u001f]+$/;

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === "object" && json !== null && !Array.isArray(json)
      ? (json as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined; // the caller says what it means
  }
}
