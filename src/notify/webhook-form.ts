// What a form of webhook is: how a message is written, and how its receiver says that it took it.
import type { Item, Message } from "./message.ts";

export interface WebhookForm {
  /** The body, JSON. */
  readonly write: (message: Message) => string;
  /** What an answer under a good status says against it; undefined: taken. */
  readonly findFault?: (body: string) => string | undefined;
}

/** Control characters and what hides or reorders text: names may come from anywhere. */
const UNSAFE = /[\p{Cc}\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+/gu;

export const plain = (text: string): string => text.replaceAll(UNSAFE, " ").trim();

interface Page {
  readonly head: string;
  readonly items: readonly Item[];
  readonly lineOf: (item: Item) => string;
  readonly mostBytes: number;
}

/** As many whole lines as fit, and how many more there would be. */
export function fitLines({ head, items, lineOf, mostBytes }: Page): string {
  const room = mostBytes - Buffer.byteLength(moreLine(items.length));
  const lines = [cutBytes(head, room)];
  let bytes = Buffer.byteLength(lines[0] ?? "");
  for (const [at, item] of items.entries()) {
    const line = lineOf(item);
    bytes += Buffer.byteLength(line) + 1;
    if (bytes > room) return [...lines, moreLine(items.length - at)].join("\n");
    lines.push(line);
  }
  return lines.join("\n");
}

const moreLine = (count: number): string => `… and ${count} more`;

/** At most so many bytes of UTF-8, never half a character. */
function cutBytes(text: string, most: number): string {
  if (Buffer.byteLength(text) <= most) return text;
  let kept = "";
  let bytes = 3;
  for (const char of text) {
    bytes += Buffer.byteLength(char);
    if (bytes > most) break;
    kept += char;
  }
  return `${kept}…`;
}
