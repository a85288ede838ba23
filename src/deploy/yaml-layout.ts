// How a file is laid out, so that writing it again changes only what was asked for.
import type { ToStringOptions } from "yaml";

export function layoutOf(text: string): ToStringOptions {
  const lines = text.split("\n").filter((line) => !/^\s*(?:#.*)?$/.test(line));
  const [, step = "  "] =
    /^[^\s#-][^\n]*:[ \t]*(?:#[^\n]*)?\n(?:[ \t]*#[^\n]*\n)*( +)[^\s#-]/m.exec(text) ?? [];
  return {
    lineWidth: 0,
    indent: Math.min(8, Math.max(2, step.length)),
    // `key:` with the dashes of its list right below it.
    indentSeq: !lines.some((line, at) => {
      const [, indent, dash] = /^( *)(- )/.exec(line) ?? [];
      const before = lines[at - 1];
      return (
        dash !== undefined &&
        before !== undefined &&
        new RegExp(`^${indent}[^\\s-].*:\\s*(?:#.*)?$`).test(before)
      );
    }),
    flowCollectionPadding: !/[[{][^\s\]}]/.test(lines.join("\n").replaceAll("${", "")) || /\{ /.test(text),
  };
}

/** Beyond this the comparison would cost more than the layout is worth. */
const MOST_COMPARED = 4_000_000;

/**
 * `text` with what changed from `before` to `after`, both as the library prints them: every line that stays keeps the
 * user's own blanks. Undefined where the lines cannot be told apart.
 */
export function keepLayout(text: string, before: string, after: string): string | undefined {
  const pieces = pairPieces(linesOf(text), linesOf(before));
  if (pieces === undefined) return undefined;
  const own = pieces.map((piece) => piece.own);
  const printed = pieces.map((piece) => piece.printed);
  const wanted = joinPieces(linesOf(after), printed);
  let start = 0;
  while (start < Math.min(printed.length, wanted.length) && printed[start] === wanted[start]) start += 1;
  let end = 0;
  const most = Math.min(printed.length, wanted.length) - start;
  while (end < most && printed.at(-1 - end) === wanted.at(-1 - end)) end += 1;
  const old = printed.slice(start, printed.length - end);
  const changed = wanted.slice(start, wanted.length - end);
  if (old.length * changed.length > MOST_COMPARED) return undefined;
  const kept = pairLines(old, changed);
  const middle = changed.map((line, at) => {
    const place = kept.get(at);
    return place === undefined ? line : (own[start + place] ?? line);
  });
  return `${[...own.slice(0, start), ...middle, ...own.slice(own.length - end)].join("\n")}\n`;
}

const linesOf = (text: string): readonly string[] => text.replace(/\n$/, "").split("\n");

/** One line or more that say the same, as the user wrote them and as the library prints them. */
interface Piece {
  readonly own: string;
  readonly printed: string;
}

/**
 * The library prints several blank lines as one, a wrapped list in one line, and a comment beside a key below it: the characters
 * are the same but for the blanks, and a piece ends where both have a line end. Else a line is a line, as where a number is
 * printed in another form. Undefined where one has lines left.
 */
function pairPieces(own: readonly string[], printed: readonly string[]): readonly Piece[] | undefined {
  const pieces: Piece[] = [];
  let [at, printedAt] = [0, 0];
  while (at < own.length && printedAt < printed.length) {
    const [blanks, printedBlanks] = [blanksAt(own, at), blanksAt(printed, printedAt)];
    // Blank lines that only one of them has go with what follows.
    const isBlank = blanks > 0 && printedBlanks > 0;
    const [from, printedFrom] = [at + blanks, printedAt + printedBlanks];
    const [end, printedEnd] = isBlank
      ? [from, printedFrom]
      : endOfPiece({ lines: own, from }, { lines: printed, from: printedFrom });
    pieces.push({
      own: own.slice(at, end).join("\n"),
      printed: printed.slice(printedAt, printedEnd).join("\n"),
    });
    [at, printedAt] = [end, printedEnd];
  }
  return at >= own.length && printedAt >= printed.length ? pieces : undefined;
}

function blanksAt(lines: readonly string[], from: number): number {
  let at = from;
  while (at < lines.length && lines[at]?.trim() === "") at += 1;
  return at - from;
}

interface Place {
  readonly lines: readonly string[];
  readonly from: number;
}

/** Where both have said the same at the end of a line, or else after one line of each. */
function endOfPiece(own: Place, printed: Place): readonly [number, number] {
  let [at, text] = [own.from, ""];
  let [printedAt, printedText] = [printed.from, ""];
  do {
    const isShorter = text.length <= printedText.length;
    const next = isShorter ? own.lines[at++] : printed.lines[printedAt++];
    if (next === undefined) return [own.from + 1, printed.from + 1];
    if (isShorter) text += withoutBlanks(next);
    else printedText += withoutBlanks(next);
    if (!text.startsWith(printedText) && !printedText.startsWith(text))
      return [own.from + 1, printed.from + 1];
  } while (text !== printedText);
  return [at, printedAt];
}

const withoutBlanks = (line: string): string => line.replaceAll(/[\s\uFEFF]/g, "");

/** Lines of another print, those together that were together there. */
function joinPieces(lines: readonly string[], printed: readonly string[]): readonly string[] {
  const longer = new Map<string, string[]>();
  for (const piece of printed) {
    const [first = "", ...others] = piece.split("\n");
    if (others.length > 0) longer.set(first, [...(longer.get(first) ?? []), piece]);
  }
  const joined: string[] = [];
  for (let at = 0; at < lines.length;) {
    const line = lines[at] ?? "";
    const piece =
      longer.get(line)?.find((each) => lines.slice(at, at + each.split("\n").length).join("\n") === each) ??
      line;
    joined.push(piece);
    at += piece.split("\n").length;
  }
  return joined;
}

/** The longest common run of lines, in order: places in `changed` by places in `old`. */
function pairLines(old: readonly string[], changed: readonly string[]): ReadonlyMap<number, number> {
  const width = changed.length + 1;
  const lengths = new Uint32Array((old.length + 1) * width);
  const at = (row: number, column: number): number => lengths[row * width + column] ?? 0;
  for (let row = old.length - 1; row >= 0; row -= 1)
    for (let column = changed.length - 1; column >= 0; column -= 1)
      lengths[row * width + column] =
        old[row] === changed[column]
          ? at(row + 1, column + 1) + 1
          : Math.max(at(row + 1, column), at(row, column + 1));
  const pairs = new Map<number, number>();
  let [row, column] = [0, 0];
  while (row < old.length && column < changed.length)
    if (old[row] === changed[column]) {
      pairs.set(column, row);
      row += 1;
      column += 1;
    } else if (at(row + 1, column) >= at(row, column + 1)) row += 1;
    else column += 1;
  return pairs;
}
