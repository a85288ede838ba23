// A line of the live view: pieces of text with what they mean. What draws it is given from outside.

export interface Span {
  readonly text: string;
  readonly tone: "plain" | "dim" | "strong" | "good" | "warn" | "bad" | "accent" | "title";
}

export type Line = readonly Span[];

export interface Screen {
  readonly size: () => { readonly columns: number; readonly rows: number };
  readonly draw: (lines: readonly Line[]) => void;
  /** Calls back when what was drawn is no longer there, as after a change of size. */
  readonly onChange: (act: () => void) => void;
  readonly close: () => void;
}

export const span = (text: string, tone: Span["tone"] = "plain"): Span => ({ text, tone });

/** Cut at the width of the screen. All that comes here is as wide as it is long. */
export function clip(line: Line, columns: number): Line {
  const kept: Span[] = [];
  let left = columns;
  for (const { text, tone } of line) {
    if (left <= 0) break;
    kept.push(span(text.slice(0, left), tone));
    left -= text.length;
  }
  return kept;
}
