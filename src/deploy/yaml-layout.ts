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
  const [printed, wanted] = [linesOf(before), linesOf(after)];
  const own = mergeBlanks(linesOf(text));
  if (own.length !== printed.length) return undefined;
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

/** The library prints one blank line for several; here several are one, which keeps its length. */
function mergeBlanks(lines: readonly string[]): readonly string[] {
  const merged: string[] = [];
  for (const line of lines) {
    const last = merged.at(-1);
    if (line.trim() === "" && last?.trim() === "") merged[merged.length - 1] = `${last}\n${line}`;
    else merged.push(line);
  }
  return merged;
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
