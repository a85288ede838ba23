// `GET /api/history`: the last two minutes in LLMRouter's form, or with `?range=10m|6h` columns of ours for charts.
import { COARSE, COARSE_KEPT, type Course, type History, SECONDS_KEPT } from "../../core/history.ts";
import type { Page } from "../../core/page.ts";
import { type Measure, MEASURES, type Series } from "../../core/series.ts";
import { queryOf, refuseQuery } from "./query.ts";

export interface HistoryTerms {
  readonly history: History;
  /** Wall-clock time of a monotonic one. */
  readonly wallAt: (monotonicMs: number) => number;
}

/** As LLMRouter keeps. */
const MOST_SAMPLES = 120;
/** Backends in an answer that names none: with a thousand, each of LLMRouter's pages would load ten megabytes. */
const MOST_UNASKED = 100;

/** `?backends=id,id` chooses which, `?backends=*` all, `?backends=` none. */
export function historyPage(terms: HistoryTerms): Page {
  return {
    method: "GET",
    path: "/api/history",
    respond(request) {
      const query = queryOf(request);
      const range = query.get("range");
      const asked = query.get("backends");
      if (range === null) return Response.json(samplesOf(terms, chosen(terms, asked ?? undefined)));
      if (range === "10m") return Response.json(fineColumns(terms, chosen(terms, asked ?? "")));
      if (range === "6h") return Response.json(coarseColumns(terms));
      return refuseQuery(`cannot read range: expected 10m or 6h, found "${range}"`);
    },
  };
}

type Named = readonly (readonly [string, Series])[];

function chosen({ history }: HistoryTerms, asked: string | undefined): Named {
  const all = [...history.backends].map(([id, { fine }]) => [id, fine] as const);
  if (asked === undefined) return all.slice(0, MOST_UNASKED);
  if (asked === "*") return all;
  const ids = new Set(asked.split(","));
  return all.filter(([id]) => ids.has(id));
}

function samplesOf({ history, wallAt }: HistoryTerms, backends: Named): readonly object[] {
  const models = fineOf(history.models);
  const count = Math.min(history.ticks, MOST_SAMPLES);
  return Array.from({ length: count }, (_, index) => {
    const tick = history.ticks - count + index;
    const { fine } = history.totals;
    const usable = number(fine, tick, "usable");
    return {
      time: new Date(wallAt(history.timeOf(tick))).toTimeString().slice(0, 8),
      total_rpm: number(fine, tick, "sentPerMinute"),
      comp_rpm: number(fine, tick, "completedPerMinute"),
      running: number(fine, tick, "running"),
      waiting: number(fine, tick, "waiting"),
      healthy: usable,
      unhealthy: number(fine, tick, "total") - usable,
      conns: number(fine, tick, "inFlight"),
      pending: number(fine, tick, "pending"),
      backends: entriesAt(backends, tick, backendSample),
      models: entriesAt(models, tick, modelSample),
    };
  });
}

function entriesAt(rows: Named, tick: number, sample: (series: Series, tick: number) => object): object {
  const known = rows.filter(([, series]) => !Number.isNaN(series.read(tick, "usable")));
  return Object.fromEntries(known.map(([name, series]) => [name, sample(series, tick)]));
}

const loadAt = (series: Series, tick: number) => ({
  send_rpm: number(series, tick, "sentPerMinute"),
  comp_rpm: number(series, tick, "completedPerMinute"),
  running: number(series, tick, "running"),
  waiting: number(series, tick, "waiting"),
  conns: number(series, tick, "inFlight"),
});

const backendSample = (series: Series, tick: number): object => ({
  ...loadAt(series, tick),
  pending: number(series, tick, "pending"),
  healthy: number(series, tick, "usable") > 0,
});

const modelSample = (series: Series, tick: number): object => ({
  ...loadAt(series, tick),
  healthy: number(series, tick, "usable"),
  total: number(series, tick, "total"),
});

/** LLMRouter has 0 for what is not known. */
function number(series: Series, tick: number, measure: Measure): number {
  const value = series.read(tick, measure);
  return Number.isNaN(value) ? 0 : value;
}

const fineOf = (courses: ReadonlyMap<string, Course>): Named =>
  [...courses].map(([name, { fine }]) => [name, fine] as const);

function fineColumns({ history, wallAt }: HistoryTerms, backends: Named): object {
  const count = Math.min(history.ticks, SECONDS_KEPT);
  const ticks = Array.from({ length: count }, (_, index) => history.ticks - count + index);
  return {
    stepMs: 1000,
    atMs: ticks.map((tick) => Math.round(wallAt(history.timeOf(tick)))),
    totals: columnsOf(history.totals.fine, ticks),
    models: tableOf(fineOf(history.models), ticks),
    backends: tableOf(backends, ticks),
  };
}

function coarseColumns({ history, wallAt }: HistoryTerms): object {
  const made = Math.floor(history.ticks / COARSE);
  const count = Math.min(made, COARSE_KEPT);
  const ticks = Array.from({ length: count }, (_, index) => made - count + index);
  const coarse = [...history.models].flatMap(([name, course]) =>
    course.coarse === undefined ? [] : [[name, course.coarse] as const],
  );
  return {
    stepMs: 1000 * COARSE,
    atMs: ticks.map((tick) => Math.round(wallAt(history.timeOf(tick * COARSE)))),
    totals: history.totals.coarse === undefined ? {} : columnsOf(history.totals.coarse, ticks),
    models: tableOf(coarse, ticks),
    backends: {},
  };
}

const tableOf = (rows: Named, ticks: readonly number[]): object =>
  Object.fromEntries(rows.map(([name, series]) => [name, columnsOf(series, ticks)]));

/** By measure; null for what is not known. */
function columnsOf(series: Series, ticks: readonly number[]): object {
  const column = (measure: Measure) =>
    ticks.map((tick) => {
      const value = series.read(tick, measure);
      return Number.isNaN(value) ? null : Math.round(value * 1000) / 1000;
    });
  return Object.fromEntries(MEASURES.map((measure) => [measure, column(measure)]));
}
