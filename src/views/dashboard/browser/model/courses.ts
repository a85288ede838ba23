// The course of measures over time, for charts: as weir tells it once, then one more sample with each pushed view. It is
// as long as weir's own history at most, however long the page stays open.
import type { Measure } from "../../../../core/series.ts";
import type { StatusView } from "../../../../core/status.ts";

export const RANGES = ["10m", "6h"] as const;
export type Range = (typeof RANGES)[number];

const MOST_SAMPLES: Readonly<Record<Range, number>> = { "10m": 600, "6h": 2160 };

type Value = number | null;
type Columns = Readonly<Partial<Record<Measure, readonly Value[]>>>;

/** What `/api/history?range=` gives. */
export interface HistoryAnswer {
  readonly stepMs: number;
  readonly atMs: readonly number[];
  readonly totals: Columns;
  readonly models: Readonly<Record<string, Columns>>;
  readonly backends: Readonly<Record<string, Columns>>;
}

export type Group = "total" | "model" | "backend";

/** One line of a chart: what it is of, and what of it. */
export interface Line {
  readonly group: Group;
  /** Empty for the total. */
  readonly name: string;
  readonly measure: Measure;
}

export interface Courses {
  /** Seconds, as the chart wants them. */
  readonly times: readonly number[];
  /** By line, as asked. */
  readonly values: readonly (readonly Value[])[];
}

export function readCourses(answer: HistoryAnswer, lines: readonly Line[]): Courses {
  const absent = answer.atMs.map(() => null);
  return {
    times: answer.atMs.map((atMs) => atMs / 1000),
    values: lines.map((line) => columnOf(answer, line) ?? absent),
  };
}

function columnOf(answer: HistoryAnswer, { group, name, measure }: Line): readonly Value[] | undefined {
  if (group === "total") return answer.totals[measure];
  const table = group === "model" ? answer.models : answer.backends;
  return Object.hasOwn(table, name) ? table[name]?.[measure] : undefined;
}

/** A history may be loaded that is a moment ahead of the last view; what is further ahead was before the clock was set back. */
const MOST_STEPS_AHEAD = 5;

/** The same courses when it is too early for another sample. */
export function addSample(
  loaded: Courses,
  view: StatusView,
  {
    lines,
    range,
    stepMs,
  }: { readonly lines: readonly Line[]; readonly range: Range; readonly stepMs: number },
): Courses {
  const atMs = view.instance.atMs;
  const courses = isFarAhead(loaded, atMs + MOST_STEPS_AHEAD * stepMs) ? upTo(loaded, atMs) : loaded;
  const lastMs = (courses.times.at(-1) ?? 0) * 1000;
  // Pushes come with a little jitter: a sample that is nearly due is taken.
  if (atMs - lastMs < stepMs * 0.8) return courses;
  const from =
    courses.times.length >= MOST_SAMPLES[range] ? courses.times.length - MOST_SAMPLES[range] + 1 : 0;
  return {
    times: [...courses.times.slice(from), atMs / 1000],
    values: courses.values.map((column, at) => {
      const line = lines[at];
      return [...column.slice(from), line === undefined ? null : sampleOf(view, line)];
    }),
  };
}

const isFarAhead = ({ times }: Courses, ms: number): boolean => (times.at(-1) ?? 0) * 1000 > ms;

function upTo({ times, values }: Courses, ms: number): Courses {
  const count = times.filter((time) => time * 1000 <= ms).length;
  return { times: times.slice(0, count), values: values.map((column) => column.slice(0, count)) };
}

function sampleOf(view: StatusView, { group, name, measure }: Line): Value {
  switch (group) {
    case "total":
      return ofTotal(view, measure);
    case "model":
      return ofRow(
        view.models.find((row) => row.name === name),
        measure,
      );
    case "backend":
      return ofRow(
        view.backends.find((row) => row.id === name),
        measure,
      );
  }
}

function ofTotal({ totals, providers, backends }: StatusView, measure: Measure): Value {
  const told = (values: readonly Value[]): Value => {
    const known = values.filter((value) => value !== null);
    return known.length === 0 ? null : sum(known);
  };
  switch (measure) {
    case "firstByteP50Ms":
      return totals.firstByte.p50Ms;
    case "usable":
      return totals.backendsUsable;
    case "total":
      return totals.backendsTotal;
    // At backends, as the lines of models and backends are: requests that wait in weir are not among them.
    case "inFlight":
      return sum(providers.map(({ inFlight }) => inFlight));
    case "pending":
      return sum(backends.map(({ pending }) => pending));
    case "running":
      return told(providers.map(({ running }) => running));
    case "waiting":
      return told(providers.map(({ waiting }) => waiting));
    case "cacheShare": {
      // Several backends may lead to one engine.
      const engines = new Map(
        backends.flatMap(({ address, engine }): readonly [string, number][] =>
          typeof engine?.cacheShare === "number" ? [[address, engine.cacheShare]] : [],
        ),
      );
      return engines.size === 0 ? null : sum([...engines.values()]) / engines.size;
    }
    case "sentPerMinute":
    case "completedPerMinute":
    case "failedPerMinute":
    case "tokensPerMinute":
      return ofFields(totals, measure);
  }
}

const sum = (values: readonly number[]): number => values.reduce((before, value) => before + value, 0);

type Row = StatusView["models"][number] | StatusView["backends"][number];

function ofRow(row: Row | undefined, measure: Measure): Value {
  if (row === undefined) return null;
  const isBackend = "engine" in row;
  switch (measure) {
    case "firstByteP50Ms":
      return row.firstByte.p50Ms;
    case "usable":
      return isBackend ? Number(row.state === "usable" || row.state === "untried") : row.backendsUsable;
    case "total":
      return isBackend ? 1 : row.backendsTotal;
    case "running":
    case "waiting":
      return isBackend ? (row.engine?.[measure] ?? null) : row[measure];
    case "cacheShare":
      return isBackend ? (row.engine?.cacheShare ?? null) : row.cacheShare;
    case "sentPerMinute":
    case "completedPerMinute":
    case "failedPerMinute":
    case "tokensPerMinute":
    case "inFlight":
    case "pending":
      return ofFields(row, measure);
  }
}

/** Measures that the view calls by the same name. */
function ofFields(record: object, measure: Measure): Value {
  const value: unknown = Object.hasOwn(record, measure) ? record[measure as keyof typeof record] : undefined;
  return typeof value === "number" ? value : null;
}
