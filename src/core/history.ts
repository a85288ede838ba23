// Samples the pool once a second: ten minutes by the second of everything, six hours by ten seconds of totals and models.
import { loadOf } from "./measures.ts";
import type { PoolSnapshot } from "./pool.ts";
import type { Slot } from "./seams.ts";
import { type Measure, MEASURES, type Sample, Series } from "./series.ts";
import { backendStanding, findServing, isUsable } from "./standing.ts";
import type { Tally } from "./tally.ts";
import { PER_MINUTE, type Row } from "./tally-row.ts";
import { slotsOfModel } from "./view-models.ts";
import { sumEngines } from "./view-rows.ts";

export const SECONDS_KEPT = 600;
/** A coarse sample is the mean of ten, or of those that are known. */
export const COARSE = 10;
export const COARSE_KEPT = 2160;

/** Models beyond these have no history: each takes 130 kB. */
const MOST_MODELS = 100;

/** One thing's course, at both steps. */
export interface Course {
  readonly fine: Series;
  /** Absent for backends. */
  readonly coarse?: Series;
}

export interface History {
  /** Once a second. */
  readonly tick: (snapshot: PoolSnapshot, nowMs: number) => void;
  /** Ticks so far; the newest sample has the number `ticks - 1`, the newest coarse one that by ten, rounded down, less 1. */
  readonly ticks: number;
  /** Monotonic milliseconds of a tick that is still kept. */
  readonly timeOf: (tick: number) => number;
  readonly totals: Course;
  /** By id; those that were used or that tell something of themselves. */
  readonly backends: ReadonlyMap<string, Course>;
  readonly models: ReadonlyMap<string, Course>;
}

export function createHistory(tally: Tally): History {
  const totals = createWriter();
  const backends = new Map<string, Course>();
  const models = new Map<string, Writer>();
  const times = new Float64Array(COARSE_KEPT * COARSE);
  let ticks = 0;
  /** Of models; looking for them takes long in a large pool, and changes only with it. */
  let members: Members = { snapshot: undefined, slots: new Map() };
  return {
    get ticks() {
      return ticks;
    },
    timeOf: (tick) => times[tick % times.length] ?? Number.NaN,
    totals,
    backends,
    models,
    tick(snapshot, nowMs) {
      times[ticks % times.length] = nowMs;
      const usable = new Set<string>();
      const serving = findServing(snapshot);
      for (const slot of snapshot.slots) {
        const { id } = slot.backend;
        const isNowUsable = isUsable(backendStanding(slot, serving.has(id), nowMs));
        if (isNowUsable) usable.add(id);
        const row = tally.backends.get(id);
        const writer = backends.get(id);
        if (writer === undefined && row === undefined && loadOf(slot.state.measures, nowMs) === undefined)
          continue;
        const course = writer ?? { fine: new Series(SECONDS_KEPT) };
        backends.set(id, course);
        course.fine.write(ticks, sampleOf(row, { slots: [slot], usable: isNowUsable ? 1 : 0 }, nowMs));
      }
      for (const [id, { fine }] of backends) if (ticks - fine.lastTick > SECONDS_KEPT) backends.delete(id);
      const all = { slots: snapshot.slots, usable: usable.size };
      // Of the whole it is the requests' that counts, as on every display.
      const firstByteP50Ms = tally.requests.firstByte.percentiles(nowMs).p50Ms ?? Number.NaN;
      writeBoth(totals, ticks, { ...sampleOf(tally.total, all, nowMs), firstByteP50Ms });
      if (members.snapshot !== snapshot) members = { snapshot, slots: new Map() };
      for (const [name, row] of tally.models) {
        const course = models.get(name) ?? (models.size < MOST_MODELS ? createWriter() : undefined);
        if (course === undefined) continue;
        models.set(name, course);
        const slots = members.slots.get(name) ?? slotsOfModel(snapshot, name);
        members.slots.set(name, slots);
        const group = { slots, usable: slots.filter(({ backend }) => usable.has(backend.id)).length };
        writeBoth(course, ticks, sampleOf(row, group, nowMs));
      }
      ticks += 1;
    },
  };
}

interface Members {
  readonly snapshot: PoolSnapshot | undefined;
  readonly slots: Map<string, readonly Slot[]>;
}

interface Writer extends Required<Course> {
  /** Of the coarse sample that is being gathered: sums, and of how many known values. */
  readonly sums: Float64Array;
  readonly counts: Float64Array;
}

const createWriter = (): Writer => ({
  fine: new Series(SECONDS_KEPT),
  coarse: new Series(COARSE_KEPT),
  sums: new Float64Array(MEASURES.length),
  counts: new Float64Array(MEASURES.length),
});

function writeBoth({ fine, coarse, sums, counts }: Writer, tick: number, sample: Sample): void {
  fine.write(tick, sample);
  MEASURES.forEach((measure, at) => {
    if (Number.isNaN(sample[measure])) return;
    sums[at] = (sums[at] ?? 0) + sample[measure];
    counts[at] = (counts[at] ?? 0) + 1;
  });
  if (tick % COARSE !== COARSE - 1) return;
  const mean = MEASURES.map((measure, at): [Measure, number] => [
    measure,
    (sums[at] ?? 0) / (counts[at] ?? 0),
  ]);
  coarse.write((tick - COARSE + 1) / COARSE, Object.fromEntries(mean) as Record<Measure, number>);
  sums.fill(0);
  counts.fill(0);
}

interface Group {
  readonly slots: readonly Slot[];
  readonly usable: number;
}

function sampleOf(row: Row | undefined, { slots, usable }: Group, nowMs: number): Sample {
  const { running, waiting, cacheShare } = sumEngines(slots, nowMs);
  const sum = (field: number): number => row?.minute.sum(field, nowMs) ?? 0;
  return {
    sentPerMinute: sum(PER_MINUTE.sent),
    completedPerMinute: sum(PER_MINUTE.succeeded),
    failedPerMinute: sum(PER_MINUTE.failed),
    tokensPerMinute: sum(PER_MINUTE.tokens),
    inFlight: row?.inFlight ?? 0,
    pending: row?.pending ?? 0,
    running: running ?? Number.NaN,
    waiting: waiting ?? Number.NaN,
    cacheShare: cacheShare ?? Number.NaN,
    firstByteP50Ms: row?.firstByte.percentiles(nowMs).p50Ms ?? Number.NaN,
    usable,
    total: slots.length,
  };
}
