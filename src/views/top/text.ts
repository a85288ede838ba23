// Makes texts from elsewhere harmless and exactly as wide as their column: the only way to the screen for names and reasons.
import { sliceAnsi, stringWidth } from "bun";

/** How a piece of text is shown; without colour all look alike, so no meaning may hang on it. */
export type Tone = "plain" | "dim" | "strong" | "good" | "warn" | "bad" | "accent" | "chosen" | "title";

export interface Span {
  readonly text: string;
  readonly tone: Tone;
}

export type Line = readonly Span[];

export const span = (text: string, tone: Tone = "plain"): Span => ({ text, tone });

/**
 * Controls, and what hides, joins, reorders or changes the width of its neighbours: bidi marks, zero-width characters,
 * variation selectors, tags.
 */
const UNSEEN =
  // eslint-disable-next-line no-control-regex, no-misleading-character-class -- each of them alone is the point
  /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{e0000}-\u{e0fff}]/gu;

/** Longer ones are of no use on a screen, and cost time in every frame. */
const LONGEST = 2000;

/** A text that cannot move the cursor, end a line, or look like another. */
export function inert(text: string): string {
  const short = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return isPlain(short) ? short : short.toWellFormed().replaceAll(UNSEEN, "\ufffd");
}

const isPlain = (text: string): boolean => /^[ -~]*$/.test(text);

export const widthOf = (text: string): number => (isPlain(text) ? text.length : stringWidth(text));

/** Cut with an ellipsis or padded with blanks to exactly `width` columns. */
export function fit(text: string, width: number, align: "left" | "right" = "left"): string {
  if (width <= 0) return "";
  const wide = widthOf(text);
  const cut = wide <= width ? text : `${headOf(text, width - 1)}…`;
  const blanks = " ".repeat(width - (cut === text ? wide : widthOf(cut)));
  return align === "right" ? blanks + cut : cut + blanks;
}

/** The longest begin that is no wider; a character of two columns may leave one over. */
function headOf(text: string, width: number): string {
  // Bun 1.4.4 counts in a wide character that begins before the end and reaches over it, with its own ellipsis too.
  for (let end = width; end > 0; end -= 1) {
    const head = sliceAnsi(text, 0, end);
    if (widthOf(head) <= width) return head;
  }
  return "";
}

/** Cut at `width` columns, and not padded. */
export function clip(line: Line, width: number): Line {
  const kept: Span[] = [];
  let left = width;
  for (const { text, tone } of line) {
    if (left <= 0) break;
    const wide = widthOf(text);
    kept.push(span(wide <= left ? text : fit(text, left), tone));
    left -= Math.min(wide, left);
  }
  return kept;
}

/** Broken into lines of at most `width` columns, at blanks where there are some. */
export function wrap(text: string, width: number): string[] {
  const room = Math.max(1, width);
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const joined = line === "" ? word : `${line} ${word}`;
    if (widthOf(joined) <= room) {
      line = joined;
      continue;
    }
    if (line !== "") lines.push(line);
    line = word;
    while (widthOf(line) > room) {
      const head = headOf(line, room);
      if (head === "") break; // one character that is wider than the screen
      lines.push(head);
      line = line.slice(head.length);
    }
  }
  return [...lines, line];
}

/** Puts pieces beside each other, on as many lines as they need, `most` at most; the rest is left out. */
export function flow(pieces: readonly Line[], width: number, most: number): Line[] {
  const lines: Span[][] = [];
  let used = 0;
  for (const piece of pieces) {
    const wide = piece.reduce((sum, { text }) => sum + widthOf(text), 0);
    const last = lines.at(-1);
    if (last !== undefined && used + GAP + wide <= width) {
      last.push(span(" ".repeat(GAP)), ...piece);
      used += GAP + wide;
      continue;
    }
    if (lines.length === most) break;
    lines.push([...piece]);
    used = wide;
  }
  return lines.map((line) => clip(line, width));
}

const GAP = 3;
