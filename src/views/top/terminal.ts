// The terminal while it is ours: the other screen, keys one by one, its size; and given back as it was, whatever happens.
import { writeSync } from "node:fs";
import { emitKeypressEvents, type Key } from "node:readline";
import type { Size } from "./frame.ts";
import { createPainter, type Look } from "./paint.ts";
import type { Press } from "./state.ts";
import type { Line } from "./text.ts";

export interface Streams {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream & { readonly fd: number };
}

export interface TerminalTerms {
  readonly streams: Streams;
  readonly look: Look;
  readonly onKey: (key: Press) => void;
  /** Another size, or back from having been suspended: draw again. */
  readonly onChange: () => void;
  /** Nobody sees it any more. */
  readonly onGone: () => void;
}

export interface Terminal {
  readonly size: () => Size;
  /** Skipped while the terminal has not taken what was drawn before. */
  readonly draw: (lines: readonly Line[]) => void;
  readonly suspend: () => void;
  readonly close: () => void;
}

// The other screen, no cursor, and no line breaks of the terminal's own; then all of it back.
const ENTER = "\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[2J";
const LEAVE = "\u001b[?2026l\u001b[0m\u001b[?7h\u001b[?25h\u001b[?1049l";

/** How long a lone Esc may be the begin of a longer key: enough for ssh, too short to be felt. */
const ESCAPE_MS = 50;

const AWAKE_MS = 100;

/** A terminal that tells no size, or a size of nothing. */
const USUAL: Size = { columns: 80, rows: 24 };

export function openTerminal({ streams, look, onKey, onChange, onGone }: TerminalTerms): Terminal {
  const { input, output } = streams;
  const painter = createPainter(look);
  let isOurs = false;
  let isClosed = false;

  const take = (): void => {
    isOurs = true;
    painter.forget();
    output.write(ENTER);
    if (input.isTTY) input.setRawMode(true);
  };
  /** At once and to the end: the process may be about to die. */
  const give = (): void => {
    if (!isOurs) return;
    isOurs = false;
    try {
      if (input.isTTY) input.setRawMode(false);
      writeSync(output.fd, LEAVE);
    } catch {
      // the terminal is gone, and with it what was to be restored
    }
  };
  const press = (text: string | undefined, key: Key): void =>
    onKey({ text, name: key.name, ctrl: key.ctrl === true, shift: key.shift === true });
  const resize = (): void => {
    painter.forget();
    onChange();
  };
  const resume = (): void => {
    if (isClosed) return;
    take();
    onChange();
  };

  take();
  emitKeypressEvents(input, { escapeCodeTimeout: ESCAPE_MS } as never);
  if (input.isTTY) {
    input.on("keypress", press);
    input.on("end", onGone);
    input.on("error", onGone);
    input.resume();
  }
  output.on("resize", resize);
  output.on("error", onGone);
  output.on("drain", onChange);
  process.on("exit", give);
  process.on("SIGCONT", resume);

  return {
    size: () => {
      const { columns, rows } = output;
      return columns > 0 && rows > 0 ? { columns, rows } : USUAL;
    },
    draw(lines) {
      if (!isOurs || output.writableNeedDrain) return;
      const text = painter.paint(lines, output.columns > 0 ? output.columns : USUAL.columns);
      if (text !== "") output.write(text);
    },
    suspend() {
      give();
      process.kill(process.pid, "SIGTSTP");
      // Where no shell could wake us, the system does not put us to sleep either.
      setTimeout(() => {
        if (!isOurs) resume();
      }, AWAKE_MS);
    },
    close() {
      isClosed = true;
      input.off("keypress", press);
      input.pause();
      output.off("resize", resize);
      output.off("drain", onChange);
      process.off("exit", give);
      process.off("SIGCONT", resume);
      give();
    },
  };
}
