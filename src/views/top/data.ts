// What the screen knows of weir: the last view, the log, and how the line to it stands.
import { type FailureStatus, MOST_FAILURES, type LogLine, type StatusView } from "../../core/status.ts";

export type Link =
  | { readonly kind: "live" }
  | { readonly kind: "lost"; readonly reason: string; readonly retryInMs: number };

export interface TopData {
  readonly url: string;
  readonly view: StatusView;
  readonly log: readonly LogLine[];
  readonly link: Link;
}

/** As many as weir keeps. */
const MOST_LINES = 500;

/** Lines may come twice, from the log and from the stream. */
export function addLines(log: readonly LogLine[], lines: readonly LogLine[]): readonly LogLine[] {
  const bySeq = new Map([...log, ...lines].map((line) => [line.seq, line]));
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq).slice(-MOST_LINES);
}

/** Failures that the view has already are not added again. */
export function addFailure(view: StatusView, failure: FailureStatus): StatusView {
  const newest = view.failures.at(-1)?.seq ?? 0;
  if (failure.seq <= newest) return view;
  return { ...view, failures: [...view.failures, failure].slice(-MOST_FAILURES) };
}

/** Undefined when it is not a view: another program, or a weir of another time. */
export function readView(value: unknown): StatusView | undefined {
  if (!isRecord(value)) return undefined;
  const hasLists = ["providers", "models", "backends", "keys", "failures"].every((name) =>
    Array.isArray(value[name]),
  );
  const { instance, totals } = value;
  if (!hasLists || !isRecord(instance) || !isRecord(totals) || !isRecord(instance["process"]))
    return undefined;
  return value as unknown as StatusView;
}

export function readLines(value: unknown): readonly LogLine[] {
  const lines = isRecord(value) ? value["lines"] : undefined;
  return Array.isArray(lines) ? (lines as readonly LogLine[]) : [];
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;
