// The course of the last minute as charts: as many, and as high, as there is room for.
import type { Second } from "../course.ts";
import { formatMs, formatRate } from "../format.ts";
import { type Line, span } from "./line.ts";
import { drawSpark, peakOf } from "./spark.ts";

export interface ChartTerms {
  readonly columns: number;
  readonly rows: number;
  readonly isUnicode: boolean;
  readonly isStream: boolean;
}

/** How many seconds are shown at most. */
const POINTS = 60;
/** Label, sixty points and the newest value fill eighty columns. */
const LABEL = 12;
const VALUE = 8;
const MOST_HEIGHT = 8;

interface Chart {
  readonly label: string;
  readonly values: readonly (number | undefined)[];
  readonly write: (value: number) => string;
}

/** The most important first: what does not fit is left out. Side by side where there is room. */
export function layCharts(
  all: readonly Second[],
  { columns, rows, isUnicode, isStream }: ChartTerms,
): Line[] {
  const seconds = all.slice(-POINTS);
  const charts: Chart[] = [
    {
      label: "requests/s",
      values: seconds.map((each) => each.requestsPerSecond),
      write: formatRate,
    },
    { label: "latency p95", values: seconds.map((each) => each.latencyP95Ms), write: formatMs },
    { label: "tokens/s", values: seconds.map((each) => each.tokensPerSecond), write: formatRate },
    ...(isStream
      ? [
          {
            label: "first token",
            values: seconds.map((each) => each.firstTokenP50Ms),
            write: formatMs,
          },
        ]
      : []),
    {
      label: "success",
      values: seconds.map(successOf),
      write: (share: number) => `${Math.floor(share * 100)} %`,
    },
  ];
  const width = Math.min(POINTS, Math.max(10, columns - LABEL - VALUE));
  const block = LABEL + width + VALUE + 2;
  const across = Math.max(1, Math.floor(columns / block));
  const needed = Math.ceil(charts.length / across);
  const height = Math.max(1, Math.min(MOST_HEIGHT, Math.floor(rows / needed) - (rows > needed * 2 ? 1 : 0)));
  const gap = height > 1 ? 1 : 0;
  const lines: Line[] = [];
  for (let at = 0; at < charts.length; at += across) {
    if (lines.length + height + gap > Math.max(rows, 0)) break;
    const row = charts.slice(at, at + across).map((chart) => layChart(chart, { width, height, isUnicode }));
    for (let line = 0; line < height; line += 1)
      lines.push(
        row.flatMap((chart, index) => [...(index === 0 ? [] : [span("  ")]), ...(chart[line] ?? [])]),
      );
    if (gap > 0) lines.push([]);
  }
  return gap > 0 ? lines.slice(0, -1) : lines;
}

function layChart(
  { label, values, write }: Chart,
  terms: { readonly width: number; readonly height: number; readonly isUnicode: boolean },
): Line[] {
  const peak = `max ${write(peakOf(values))}`;
  const last = values.at(-1);
  return drawSpark(values, terms).map((line, row) => {
    const beside = row === 0 ? label : row === 1 ? peak : "";
    const isLowest = row === terms.height - 1;
    return [
      span(beside.padEnd(LABEL).slice(0, LABEL), row === 0 ? "strong" : "dim"),
      span(line, "accent"),
      span((isLowest && last !== undefined ? ` ${write(last)}` : "").padEnd(VALUE).slice(0, VALUE)),
    ];
  });
}

const successOf = (second: Second): number | undefined =>
  second.requestsPerSecond === 0 ? undefined : 1 - second.failuresPerSecond / second.requestsPerSecond;
