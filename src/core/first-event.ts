// Looks at the beginning of a stream that was answered with 200, for the error or the nothing that some hide in it.
import { type ErrorFacts, readErrorBody } from "./error-body.ts";

/**
 * `undecided`: comments, pings and blank lines so far. `content`: pass it on. `error`: the provider failed after all.
 * `empty`: the stream said that it is over before it said anything.
 */
export type FirstEvent =
  | { readonly kind: "undecided" }
  | { readonly kind: "content" }
  | { readonly kind: "empty" }
  | { readonly kind: "error"; readonly error: ErrorFacts };

/** A first event that is longer is content: errors are short. */
const LONGEST_BYTES = 8192;

const UNDECIDED: FirstEvent = { kind: "undecided" };
const CONTENT: FirstEvent = { kind: "content" };
const EMPTY: FirstEvent = { kind: "empty" };
const decoder = new TextDecoder();

export interface FirstEventCheck {
  /** The verdict over everything seen so far. */
  readonly observe: (chunk: Uint8Array) => FirstEvent;
  /** The stream has ended. */
  readonly end: () => FirstEvent;
}

export function checkFirstEvent(): FirstEventCheck {
  let text = "";
  let bytes = 0;
  return {
    observe(chunk) {
      bytes += chunk.length;
      text += decoder.decode(chunk);
      return bytes > LONGEST_BYTES ? CONTENT : judge(text, false);
    },
    end: () => judge(text, true),
  };
}

/** Reads event by event; only a complete one counts, unless the stream is over. */
function judge(text: string, isOver: boolean): FirstEvent {
  const events = text.split(/\r?\n\r?\n/);
  const open = events.pop() ?? "";
  for (const event of isOver ? [...events, open] : events) {
    const verdict = judgeEvent(event);
    if (verdict.kind !== "undecided") return verdict;
  }
  return isOver ? EMPTY : UNDECIDED;
}

function judgeEvent(event: string): FirstEvent {
  let name = "";
  const data: string[] = [];
  for (const line of event.split(/\r?\n/)) {
    if (line.startsWith("event:")) name = line.slice("event:".length).trim();
    else if (line.startsWith("data:")) data.push(line.slice("data:".length).trim());
    else if (line !== "" && !line.startsWith(":") && !/^(id|retry):/.test(line)) data.push(line); // Gemini's bare JSON
  }
  const body = data.join("\n");
  if (body === "" || name === "ping") return UNDECIDED;
  if (body === "[DONE]") return EMPTY;
  if (name === "error" || isError(body))
    return { kind: "error", error: readErrorBody(new TextEncoder().encode(body)) };
  return CONTENT;
}

function isError(body: string): boolean {
  if (!body.includes('"error"')) return false;
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value !== "object" || value === null) return false;
    const error: unknown = Reflect.get(value, "error");
    return (
      Reflect.get(value, "type") === "error" ||
      (typeof error === "object" && error !== null) ||
      (typeof error === "string" && error !== "")
    );
  } catch {
    return false; // no JSON: for the client to judge
  }
}
