// Lines to what a terminal understands. Only what changed since the last frame is written, in one piece.
import { type Line, span, type Tone, widthOf } from "./text.ts";

export interface Look {
  readonly hasColor: boolean;
  /** False: other characters than ASCII would come out as junk. */
  readonly isUnicode: boolean;
}

/** Of the sixteen colours that every terminal has, so that the reader's own theme holds. */
const SGR: Readonly<Record<Tone, string>> = {
  plain: "",
  dim: "2",
  strong: "1",
  good: "32",
  warn: "33",
  bad: "1;31",
  accent: "36",
  chosen: "7",
  title: "1;4",
};

/** A row of the screen, without any control but colour and column. */
function paintLine(
  line: Line,
  { hasColor, isUnicode, columns }: Look & { readonly columns: number },
): string {
  let painted = "";
  let column = 1;
  for (const { text, tone } of isUnicode ? line : line.map(toAscii)) {
    const sgr = hasColor ? SGR[tone] : "";
    painted += sgr === "" ? text : `\u001b[${sgr}m${text}\u001b[0m`;
    column += widthOf(text);
    // Terminals disagree on the width of some characters; what follows stands in its column anyway.
    if (!/^[ -~]*$/.test(text)) painted += `\u001b[${column}G`;
  }
  // At the last column this would take away the last character.
  return column > columns ? painted : `${painted}\u001b[K`;
}

/** Without any control at all. */
export const plainLine = (line: Line, isUnicode: boolean): string =>
  (isUnicode ? line : line.map(toAscii))
    .map(({ text }) => text)
    .join("")
    .trimEnd();

const ASCII: Readonly<Record<string, string>> = { "…": "~", "–": "-", "↑": "^", "↓": "v" };

const toAscii = ({ text, tone }: Line[number]): Line[number] =>
  span(
    text.replaceAll(/[^ -~]/gu, (char) => ASCII[char] ?? "?".repeat(widthOf(char))),
    tone,
  );

export interface Painter {
  /** What must be written to get from the last frame to this one; empty when nothing changed. */
  readonly paint: (lines: readonly Line[], columns: number) => string;
  /** The screen is not what was painted any more. */
  readonly forget: () => void;
}

export function createPainter(look: Look): Painter {
  let shown: readonly string[] | undefined;
  return {
    paint(lines, columns) {
      const rows = lines.map((line) => paintLine(line, { ...look, columns }));
      const changed = rows.flatMap((row, at) => (shown?.[at] === row ? [] : [`\u001b[${at + 1};1H${row}`]));
      const clear = shown === undefined ? "\u001b[2J" : "";
      shown = rows;
      // Terminals that know synchronised updates show it all at once; the others ignore the brackets.
      return changed.length === 0 ? "" : `\u001b[?2026h${clear}${changed.join("")}\u001b[?2026l`;
    },
    forget() {
      shown = undefined;
    },
  };
}
