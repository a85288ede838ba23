// What the live view shows, laid out for a size of the terminal.
import { type Course, tokensOf } from "../course.ts";
import { formatClock, formatCount, formatMs, formatRate, formatShare } from "../format.ts";
import type { WorkerState } from "../messages.ts";
import type { Samples } from "../samples.ts";
import { layCharts } from "./charts.ts";
import { clip, type Line, span } from "./line.ts";

export interface Sight {
  /** What is measured, in one line. */
  readonly title: string;
  readonly terms: string;
  readonly course: Course;
  readonly states: readonly WorkerState[];
  readonly isStream: boolean;
  readonly elapsedMs: number;
  /** Undefined: nobody knows when it ends. */
  readonly wholeMs: number | undefined;
  readonly calls: number | undefined;
  readonly isStopping: boolean;
}

export interface FrameTerms {
  readonly columns: number;
  readonly rows: number;
  readonly isUnicode: boolean;
}

const LABEL = 12;
const TOP_ERRORS = 3;
const NUMBER = 11;

export function layFrame(sight: Sight, { columns, rows, isUnicode }: FrameTerms): Line[] {
  const { course } = sight;
  const above: Line[] = [
    [span(sight.title, "strong")],
    [span(sight.terms, "dim")],
    [span(progressOf(sight), sight.isStopping ? "warn" : "accent")],
    [],
    ...counters(sight),
    [],
    ...distributions(sight),
  ];
  const errors = course.total.topErrors(TOP_ERRORS);
  const below: Line[] = [
    [span("errors", "strong"), ...(errors.length === 0 ? [span("  none", "good")] : [])],
    ...errors.map(({ text, times }) => [span(formatCount(times).padStart(NUMBER), "bad"), span(`  ${text}`)]),
  ];
  const reserved = above.length + TOP_ERRORS + 1;
  const charts = layCharts(course.seconds, {
    columns,
    rows: rows - reserved - 2,
    isUnicode,
    isStream: sight.isStream,
  });
  const lines = [...above, [], ...charts, ...(charts.length === 0 ? [] : [[]]), ...below];
  return lines.slice(0, rows).map((line) => clip(line, columns));
}

function progressOf({ states, elapsedMs, wholeMs, calls, course, isStopping }: Sight): string {
  const phases = new Set(states.map(({ phase }) => phase));
  const phase = isStopping
    ? "stopping"
    : phases.has("warm-up")
      ? "warming up, not measured"
      : phases.has("sending") || phases.size === 0
        ? "sending"
        : "waiting for the last answers";
  const { ok, failed } = course.total.counts;
  const time = `${formatClock(elapsedMs)}${wholeMs === undefined ? "" : ` of ${formatClock(wholeMs)}`}`;
  const done = calls === undefined ? "" : `   ${formatCount(ok + failed)} of ${formatCount(calls)} calls`;
  return `${phase}  ${time}${done}   Ctrl-C ends it with a report`;
}

function counters({ course, states, elapsedMs }: Sight): Line[] {
  const { counts } = course.total;
  const done = counts.ok + counts.failed;
  const measuredMs = Math.max(0, ...states.map((state) => state.measuredMs), 1);
  const inFlight = states.reduce((sum, state) => sum + state.inFlight, 0);
  const average = (count: number): string => formatRate(elapsedMs > 0 ? (count * 1000) / measuredMs : 0);
  return [
    [
      span("requests/s".padEnd(LABEL), "strong"),
      span(`now ${formatRate(course.now("requestsPerSecond")).padEnd(NUMBER)}`),
      span(`average ${average(done).padEnd(NUMBER)}`),
      span(`in flight ${formatCount(inFlight)}`),
    ],
    [
      span("tokens/s".padEnd(LABEL), "strong"),
      span(`now ${formatRate(course.now("tokensPerSecond")).padEnd(NUMBER)}`),
      span(`average ${average(tokensOf(course.total)).padEnd(NUMBER)}`),
    ],
    [
      span("calls".padEnd(LABEL), "strong"),
      span(`${formatCount(done)} done, ${formatCount(counts.ok)} right, `),
      span(`${formatCount(counts.failed)} failed`, counts.failed > 0 ? "bad" : "plain"),
      span(`   success ${formatShare(counts.ok, done)}`, counts.failed > 0 ? "warn" : "good"),
    ],
  ];
}

function distributions({ course, isStream }: Sight): Line[] {
  const head = ["mean", "p50", "p95", "p99", "max"].map((name) => name.padStart(NUMBER)).join("");
  const { latency, firstToken, gap } = course.total.samples;
  return [
    [span(" ".repeat(LABEL) + head, "dim")],
    timesOf("latency", latency),
    ...(isStream ? [timesOf("first token", firstToken), timesOf("gap", gap)] : []),
  ];
}

function timesOf(label: string, samples: Samples): Line {
  const read = samples.read();
  const cells = [read?.mean, read?.p50, read?.p95, read?.p99, read?.max].map((ms) =>
    formatMs(ms).padStart(NUMBER),
  );
  return [span(label.padEnd(LABEL), "strong"), span(cells.join(""))];
}

/** The same in one line, for logs. */
export function writeProgress(sight: Sight): string {
  const { course, elapsedMs, isStream, states } = sight;
  const { ok, failed } = course.total.counts;
  const { latency, firstToken } = course.total.samples;
  const times = latency.read();
  const first = isStream ? `, first token p50 ${formatMs(firstToken.read()?.p50)}` : "";
  const [top] = course.total.topErrors(1);
  const worst = top === undefined ? "" : `, mostly ${top.text}`;
  const inFlight = states.reduce((sum, state) => sum + state.inFlight, 0);
  return (
    `${formatClock(elapsedMs)}  ${formatCount(ok + failed)} done, ${formatCount(failed)} failed, ${formatCount(inFlight)} in flight, ` +
    `${formatRate(course.now("requestsPerSecond"))}/s, ${formatRate(course.now("tokensPerSecond"))} tokens/s, ` +
    `latency p50 ${formatMs(times?.p50)} p95 ${formatMs(times?.p95)} p99 ${formatMs(times?.p99)}${first}${worst}`
  );
}
