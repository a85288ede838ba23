// A program in a pseudo-terminal, and what a person would see of it: a small terminal that refuses what it does not know.
import { until } from "./until.ts";

export interface Screen {
  /** Without the blanks at the ends of lines. */
  readonly lines: () => string[];
  readonly text: () => string;
  readonly feed: (bytes: Uint8Array) => void;
  readonly resize: (columns: number, rows: number) => void;
  /** Every control sequence that is not known here. */
  readonly unknown: readonly string[];
  /** Everything that came, as text. */
  readonly raw: () => string;
  /** Private modes that are on: 1049 the other screen, 25 the cursor, 7 wrapping. */
  readonly modes: ReadonlySet<string>;
}

export function createScreen(columns: number, rows: number): Screen {
  let size = { columns, rows };
  let cells = blank(size);
  let at = { row: 0, column: 0 };
  let rest = "";
  let raw = "";
  const unknown: string[] = [];
  const modes = new Set(["25", "7"]);
  const decoder = new TextDecoder();

  const put = (char: string): void => {
    const width = Bun.stringWidth(char);
    const row = cells[at.row];
    if (row === undefined || at.column + width > size.columns) return;
    row[at.column] = char;
    if (width === 2) row[at.column + 1] = "";
    at = { ...at, column: at.column + width };
  };
  const control = (parameters: string, final: string): void => {
    const [first = 1, second = 1] = parameters.split(";").map((part) => (part === "" ? 1 : Number(part)));
    if (final === "H") at = { row: first - 1, column: second - 1 };
    else if (final === "G") at = { ...at, column: first - 1 };
    else if (final === "K") cells[at.row]?.fill(" ", at.column);
    else if (final === "J" && parameters === "2") cells = blank(size);
    else if (final === "h" && parameters.startsWith("?")) modes.add(parameters.slice(1));
    else if (final === "l" && parameters.startsWith("?")) modes.delete(parameters.slice(1));
    else if (final !== "m") unknown.push(`CSI ${parameters}${final}`);
  };
  const lines = (): string[] => cells.map((row) => row.join("").trimEnd());
  return {
    lines,
    text: () => lines().join("\n"),
    unknown,
    raw: () => raw,
    modes,
    feed(bytes) {
      const piece = decoder.decode(bytes, { stream: true });
      raw += piece;
      const text = rest + piece;
      let done = 0;
      // eslint-disable-next-line no-control-regex -- terminals are made of them
      for (const match of text.matchAll(/\u001b\[([\d;?]*)([A-Za-z])|\u001b(?!\[)[^]|\r|\n|[^\u001b]/gu)) {
        const [all, parameters, final] = match;
        done = match.index + all.length;
        if (final !== undefined) control(parameters ?? "", final);
        else if (all === "\r") at = { ...at, column: 0 };
        else if (all === "\n") at = { ...at, row: Math.min(at.row + 1, size.rows - 1) };
        else if (/\p{Control}/u.test(all)) unknown.push(JSON.stringify(all));
        else put(all);
      }
      rest = text.slice(done);
    },
    resize(columns, rows) {
      size = { columns, rows };
      cells = blank(size);
    },
  };
}

const blank = ({ columns, rows }: { readonly columns: number; readonly rows: number }): string[][] =>
  Array.from({ length: rows }, () => Array.from({ length: columns }, () => " "));

export interface TerminalRun extends AsyncDisposable {
  readonly screen: Screen;
  readonly type: (keys: string) => void;
  readonly resize: (columns: number, rows: number) => void;
  readonly kill: (signal: "SIGTERM" | "SIGINT" | "SIGHUP") => void;
  readonly exited: Promise<number>;
  readonly shows: (text: string | RegExp) => Promise<void>;
}

export interface TerminalTerms {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly columns: number;
  readonly rows: number;
}

const PATIENCE_MS = 20_000;

export function runInTerminal({ command, env, columns, rows }: TerminalTerms): TerminalRun {
  const screen = createScreen(columns, rows);
  const child = Bun.spawn([...command], {
    env: { PATH: process.env["PATH"] ?? "", TERM: "xterm-256color", LANG: "C.UTF-8", ...env },
    terminal: { cols: columns, rows, data: (_, bytes) => screen.feed(bytes) },
  });
  const { terminal } = child;
  if (terminal === undefined) throw new Error("no pseudo-terminal");
  return {
    screen,
    type: (keys) => void terminal.write(keys),
    resize(columns, rows) {
      screen.resize(columns, rows);
      terminal.resize(columns, rows);
    },
    kill: (signal) => child.kill(signal),
    exited: child.exited,
    async shows(text) {
      const holds = (): boolean =>
        typeof text === "string" ? screen.text().includes(text) : text.test(screen.text());
      try {
        await until(holds, `the screen shows ${text}`, PATIENCE_MS);
      } catch (error) {
        throw new Error(`${String(error)}; it shows:\n${screen.text()}`, { cause: error });
      }
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
      terminal.close();
    },
  };
}
