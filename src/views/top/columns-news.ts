// Tables of what happened: attempts that went wrong, and lines of the log; the newest first.
import type { FailureStatus, LogLine } from "../../core/status.ts";
import { formatClock, formatMs } from "../dashboard/browser/model/format.ts";
import { numberColumn, textColumn } from "./column-kinds.ts";
import { createTable, type Table } from "./table.ts";
import type { Tone } from "./text.ts";

export function failureTable(failures: readonly FailureStatus[]): Table {
  return createTable<FailureStatus>({
    rows: failures.toReversed(),
    columns: [
      { title: "Time", width: 8, rank: 0, cell: ({ atMs }) => formatClock(atMs) },
      textColumn({ title: "Backend", width: 14, most: 40, rank: 0 }, ({ backend }) => backend),
      textColumn({ title: "Key", width: 8, most: 20, rank: 6 }, ({ keyLabel }) => keyLabel),
      textColumn({ title: "Model", width: 10, most: 28, rank: 4 }, ({ model }) => model),
      {
        ...textColumn<FailureStatus>({ title: "Outcome", width: 15, rank: 3 }, ({ outcome }) => outcome),
        cell: ({ outcome }) => ({ text: outcome, tone: toneOf(outcome) }),
      },
      numberColumn({ title: "Took", width: 7, rank: 2 }, ({ durationMs }) => durationMs, formatMs),
      textColumn({ title: "Request", width: 10, most: 36, rank: 8 }, ({ requestId }) => requestId),
      textColumn({ title: "What", width: 20, most: 160, rank: 1 }, ({ detail }) => detail),
    ],
    words: ({ backend, provider, keyLabel, model, route, outcome, detail, requestId }) => [
      backend,
      provider,
      keyLabel,
      model,
      route,
      outcome,
      detail,
      requestId,
    ],
    details: (row) => [
      { label: "failure", text: row.detail },
      { label: "outcome", text: row.outcome },
      { label: "at", text: formatClock(row.atMs) },
      { label: "took", text: formatMs(row.durationMs) },
      { label: "request", text: row.requestId },
      { label: "route", text: row.route },
      { label: "model", text: row.model },
      { label: "backend", text: row.backend },
      { label: "provider", text: row.provider },
      { label: "key", text: row.keyLabel },
    ],
  });
}

function toneOf(outcome: FailureStatus["outcome"]): Tone {
  if (outcome === "rate_limited" || outcome === "rejected" || outcome === "abandoned") return "warn";
  return outcome === "success" ? "good" : "bad";
}

const LEVEL_TONES: Readonly<Record<LogLine["level"], Tone>> = {
  debug: "dim",
  info: "plain",
  warn: "warn",
  error: "bad",
};

export function logTable(lines: readonly LogLine[]): Table {
  return createTable<LogLine>({
    rows: lines.toReversed(),
    columns: [
      { title: "Time", width: 8, rank: 0, cell: ({ atMs }) => formatClock(atMs) },
      { title: "Level", width: 5, rank: 1, cell: ({ level }) => ({ text: level, tone: LEVEL_TONES[level] }) },
      { title: "Message", width: 20, most: 400, rank: 0, cell: textOf },
    ],
    words: (line) => [line.level, textOf(line)],
    details: ({ atMs, level, message, fields }) => [
      { label: "log", text: message },
      { label: "level", text: level },
      { label: "at", text: formatClock(atMs) },
      ...pairsOf(fields).map(([label, text]) => ({ label, text })),
    ],
  });
}

/** What is long and tells least at a glance comes last. */
const LATE: readonly string[] = ["method", "path", "id"];

function textOf({ message, fields }: LogLine): string {
  const pairs = pairsOf(fields).map(([name, value]) => ({
    late: LATE.indexOf(name),
    text: `${name}=${value}`,
  }));
  const sorted = pairs.sort((a, b) => a.late - b.late);
  return [message, ...sorted.map(({ text }) => text)].join(" ");
}

const pairsOf = (fields: LogLine["fields"]): [string, string][] =>
  Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
