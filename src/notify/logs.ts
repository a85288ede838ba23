// Every place that events are told in lines: the terminal or its pipe, files, the trace, and the last lines for displays.
import type { Secret } from "../core/credential.ts";
import type { ProxyEvent } from "../core/event.ts";
import type { LogLine } from "../core/status.ts";
import { createAppendFile } from "./append-file.ts";
import { describeEvent, type Entry, type Fields, type LogLevel, RANK } from "./entry.ts";
import { jsonLine, jsonOf, textLine } from "./line.ts";
import { createLogFiles, type LogFileTerms } from "./log-files.ts";
import { createRedactor } from "./redact.ts";
import { createSink, type Sink, type WriteText } from "./sink.ts";
import { traceOf } from "./trace.ts";

export interface LogsTerms {
  readonly level: LogLevel;
  readonly format: "text" | "json";
  readonly wall: () => number;
  readonly write: WriteText;
  readonly files?: Omit<LogFileTerms, "wall">;
  /** File for a line of every attempt. */
  readonly trace?: string;
  /** As in createSink, for tests. */
  readonly retryMs?: number;
}

export interface Logs {
  readonly emit: (event: ProxyEvent) => void;
  /** For what is no event: a message and its fields. */
  readonly note: (entry: Entry) => void;
  /** Oldest first, at most MOST_LINES; those of level info and above are among them whatever is written. */
  readonly recentLines: () => readonly LogLine[];
  /** Lines that some place could not take, since the start. */
  readonly dropped: () => number;
  /** Secrets that no line may hold; again after each reload. */
  readonly know: (secrets: readonly Secret[]) => void;
  /** Any text without them. */
  readonly redact: (text: string) => string;
  readonly stop: () => Promise<void>;
}

const MOST_LINES = 500;
/** Paths and model names come from callers. */
const LONGEST_VALUE = 1024;

export function createLogs(terms: LogsTerms): Logs {
  const { level, format, wall, retryMs } = terms;
  const { redact, know } = createRedactor();
  const ring: LogLine[] = [];
  let seq = 0;
  const lineOf = format === "json" ? jsonLine : textLine;
  const retry = retryMs === undefined ? {} : { retryMs };
  const gapIn = (write: typeof jsonLine) => (count: number) => write(gapOf(count), wall());

  const tellFailure = (what: string, path: string) => (reason: string) =>
    note({ level: "error", message: `cannot write ${what}, going on without`, fields: { path, reason } });
  const screen = createSink({ write: terms.write, describeGap: gapIn(lineOf), ...retry });
  const files = terms.files && createLogFiles({ ...terms.files, wall });
  const fileSink =
    files &&
    createSink({
      ...files,
      describeGap: gapIn(jsonLine),
      onFailure: tellFailure("log files", terms.files?.dir ?? ""),
      ...retry,
    });
  const traceFile = terms.trace === undefined ? undefined : createAppendFile(terms.trace, wall);
  const traceSink =
    traceFile &&
    createSink({
      write: traceFile.append,
      close: traceFile.close,
      describeGap: (count) => jsonOf({ time: new Date(wall()).toISOString(), kind: "gap", lines: count }),
      onFailure: tellFailure("the trace", terms.trace ?? ""),
      ...retry,
    });
  const sinks = [screen, fileSink, traceSink].flatMap((sink): Sink[] => (sink === undefined ? [] : [sink]));

  /** Cut twice, so that no secret is cut before it is found. */
  const cleanValue = (value: string): string =>
    redact(value.slice(0, 2 * LONGEST_VALUE)).slice(0, LONGEST_VALUE);
  /** Most need no cleaning, and are what they were. */
  const clean = (fields: Fields): Fields => {
    let cleaned: Record<string, string | number | undefined> | undefined;
    for (const name in fields) {
      const value = fields[name];
      const text = typeof value === "string" ? cleanValue(value) : value;
      if (text !== value) (cleaned ??= { ...fields })[name] = text;
    }
    return cleaned ?? fields;
  };

  function note(entry: Entry): void {
    const isWritten = RANK[entry.level] >= RANK[level];
    if (!isWritten && RANK[entry.level] < RANK.info) return;
    const atMs = wall();
    const cleaned = { level: entry.level, message: redact(entry.message), fields: clean(entry.fields) };
    seq += 1;
    ring.push({ ...cleaned, seq, atMs });
    if (ring.length > MOST_LINES) ring.shift();
    if (!isWritten) return;
    screen.put(lineOf(cleaned, atMs));
    fileSink?.put(jsonLine(cleaned, atMs));
  }

  return {
    emit(event) {
      const step = traceSink === undefined ? undefined : traceOf(event);
      if (step !== undefined)
        traceSink?.put(jsonOf({ time: new Date(wall()).toISOString(), ...clean(step) }));
      // Attempts are many, and few want to see them.
      if (event.kind === "attempt_finished" && level !== "debug") return;
      const entry = describeEvent(event);
      if (entry !== undefined) note(entry);
    },
    note,
    recentLines: () => [...ring],
    dropped: () => sinks.reduce((sum, sink) => sum + sink.dropped(), 0),
    know,
    redact,
    async stop() {
      await Promise.all(sinks.map((sink) => sink.stop()));
    },
  };
}

const gapOf = (count: number): Entry => ({
  level: "warn",
  message: "log lines were dropped here",
  fields: { lines: count },
});
