// Shows how far each service is: on a terminal a line each that changes in place, elsewhere a new line for every change.
import { stringWidth } from "bun";

export interface Progress {
  /** Lines in this order, before anything is known of them. */
  readonly begin: (keys: readonly string[]) => void;
  /** `detail` is worth a glance only, such as the last line of a log. */
  readonly update: (key: string, state: string, detail?: string) => void;
  /** Why, and what the last lines of its log are; both stay. */
  readonly fail: (key: string, reason: string, tail: readonly string[]) => void;
  /** A line that stays. */
  readonly say: (line: string) => void;
  readonly close: () => void;
}

/** Its size is asked for with every draw: models load for long, and windows are resized. */
export interface Screen {
  readonly write: (text: string) => void;
  readonly columns: number;
  readonly rows: number;
}

interface Shown {
  readonly state: string;
  readonly detail: string;
}

/** `screen` is undefined where nobody watches. */
export function createProgress(out: (text: string) => void, screen: Screen | undefined): Progress {
  return screen === undefined ? plainProgress(out) : liveProgress(screen);
}

function plainProgress(out: (text: string) => void): Progress {
  const shown = new Map<string, string>();
  return {
    begin: () => undefined,
    update(key, state) {
      if (shown.get(key) === state) return;
      shown.set(key, state);
      out(`${key}: ${state}\n`);
    },
    fail: (key, reason, tail) => out(`${failureLines(key, reason, tail).join("\n")}\n`),
    say: (line) => out(`${line}\n`),
    close: () => undefined,
  };
}

const failureLines = (key: string, reason: string, tail: readonly string[]): readonly string[] => [
  `${key}: FAILED: ${reason}`,
  ...tail.map((line) => `    ${key} | ${line}`),
];

const CLEAR_BELOW = "\u001b[0J";

function liveProgress(screen: Screen): Progress {
  const shown = new Map<string, Shown>();
  let drawn: readonly string[] = [];
  /** A window that became narrower has wrapped the lines. */
  const erase = (columns: number): string => {
    const lines = drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(stringWidth(line) / columns)), 0);
    return lines === 0 ? "" : `\u001b[${lines}A\r${CLEAR_BELOW}`;
  };
  const draw = (before: string): void => {
    const { columns, rows } = screen;
    const width = Math.max(...[...shown.keys()].map((key) => key.length), 0);
    const lines = [...shown].map(([key, { state, detail }]) =>
      cut(`${key.padEnd(width)}  ${state}${detail === "" ? "" : `  ${detail}`}`, columns - 1),
    );
    // What does not fit is counted; lines that have scrolled away could not be changed.
    const room = Math.max(1, rows - 2);
    const visible = lines.length <= room ? lines : lines.slice(0, room - 1);
    if (visible.length < lines.length) visible.push(`… and ${lines.length - visible.length} more`);
    screen.write(`${erase(columns)}${before}${visible.map((line) => `${line}\n`).join("")}`);
    drawn = visible;
  };
  return {
    begin(keys) {
      for (const key of keys) shown.set(key, { state: "in line", detail: "" });
      draw("");
    },
    update(key, state, detail = "") {
      const before = shown.get(key);
      if (before?.state === state && before.detail === detail) return;
      shown.set(key, { state, detail });
      draw("");
    },
    fail(key, reason, tail) {
      shown.set(key, { state: "FAILED", detail: reason });
      draw(`${failureLines(key, reason, tail).join("\n")}\n`);
    },
    say: (line) => draw(`${line}\n`),
    close() {
      drawn = [];
      shown.clear();
    },
  };
}

/** By columns: a Chinese character or an emoji takes two. */
function cut(line: string, width: number): string {
  if (stringWidth(line) <= width) return line;
  let head = "";
  let left = width - 1;
  for (const char of line) {
    left -= stringWidth(char);
    if (left < 0) break;
    head += char;
  }
  return `${head}…`;
}
