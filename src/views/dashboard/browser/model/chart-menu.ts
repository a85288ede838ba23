// What can be charted, in the words of the page, and which lines a choice leads to.
import type { Measure } from "../../../../core/series.ts";
import type { StatusView } from "../../../../core/status.ts";
import { matcher } from "./arrange.ts";
import type { Group, Line, Range } from "./courses.ts";
import { formatCount, formatMs, formatShare } from "./format.ts";

export interface Metric {
  readonly id: string;
  readonly title: string;
  /** Of the total, one line each; of a model or a backend the first one only. */
  readonly measures: readonly { readonly measure: Measure; readonly title: string }[];
  readonly format: (value: number | null | undefined) => string;
  readonly isShare?: true;
}

type Measures = Metric["measures"];

const metric = (id: string, title: string, measures: Measures, more: Partial<Metric> = {}): Metric => ({
  id,
  title,
  measures,
  format: formatCount,
  ...more,
});

export const METRICS: readonly Metric[] = [
  metric("rpm", "Requests / min", [
    { measure: "sentPerMinute", title: "sent" },
    { measure: "completedPerMinute", title: "completed" },
  ]),
  metric("tokens", "Tokens / min", [{ measure: "tokensPerMinute", title: "in and out" }]),
  metric("inflight", "In flight", [
    { measure: "inFlight", title: "in flight" },
    { measure: "pending", title: "no answer yet" },
  ]),
  metric("running", "Engine running", [{ measure: "running", title: "running" }]),
  metric("waiting", "Engine waiting", [{ measure: "waiting", title: "waiting" }]),
  metric("cache", "GPU cache", [{ measure: "cacheShare", title: "mean of engines" }], {
    format: formatShare,
    isShare: true,
  }),
  metric("latency", "First byte p50", [{ measure: "firstByteP50Ms", title: "p50" }], { format: formatMs }),
  metric("errors", "Errors / min", [{ measure: "failedPerMinute", title: "failed attempts" }]),
  metric("health", "Health", [
    { measure: "usable", title: "usable backends" },
    { measure: "total", title: "all backends" },
  ]),
];

/** More lines than these cannot be told apart. */
export const MOST_LINES = 8;

export interface ChartChoice {
  readonly group: Group;
  readonly metric: Metric;
  readonly range: Range;
  readonly query: string;
}

export function readChartChoice(choices: Readonly<Record<string, string>>): ChartChoice {
  const metric = METRICS.find(({ id }) => id === choices["metric"]) ?? METRICS[0];
  if (metric === undefined) throw new Error("no metrics to chart");
  const group = choices["by"] === "model" || choices["by"] === "backend" ? choices["by"] : "total";
  // Backends have no long history: it would not fit in memory.
  const range = choices["range"] === "6h" && group !== "backend" ? "6h" : "10m";
  return { group, metric, range, query: choices["q"] ?? "" };
}

export interface TitledLine extends Line {
  readonly title: string;
}

/** The busiest of those that the query finds, now. */
export function chooseLines(view: StatusView, { group, metric, query }: ChartChoice): readonly TitledLine[] {
  if (group === "total")
    return metric.measures.map(({ measure, title }) => ({ group, name: "", measure, title }));
  const rows = group === "model" ? view.models.map(modelRow) : view.backends.map(backendRow);
  const matches = matcher(query);
  return rows
    .filter(({ texts }) => matches(texts))
    .sort((a, b) => b.busy - a.busy)
    .slice(0, MOST_LINES)
    .flatMap(({ name }) => {
      const [main] = metric.measures;
      return main === undefined ? [] : [{ group, name, measure: main.measure, title: name }];
    });
}

interface Row {
  readonly name: string;
  readonly texts: readonly string[];
  readonly busy: number;
}

const busyness = (row: { sentPerMinute: number; inFlight: number; attempts: number }): number =>
  row.sentPerMinute * 1e9 + row.inFlight * 1e6 + Math.min(row.attempts, 1e6 - 1);

const modelRow = (row: StatusView["models"][number]): Row => ({
  name: row.name,
  texts: [row.name],
  busy: busyness(row),
});

const backendRow = (row: StatusView["backends"][number]): Row => ({
  name: row.id,
  texts: [row.id, row.provider, row.model, row.keyLabel, row.address, ...row.routes],
  busy: busyness(row),
});

/** How many there are to choose from. */
export const countOf = (view: StatusView, group: Group): number =>
  group === "total" ? 1 : group === "model" ? view.models.length : view.backends.length;
