// How long things took: of the last minutes for percentiles, and since the start for Prometheus. Fixed arrays only.
import type { Percentiles } from "./status.ts";

/** Eight buckets for each doubling, so a percentile is off by at most 4.5 %; from 10 µs to over an hour. */
const PER_DOUBLING = 8;
const SHORTEST_MS = 0.01;
const BUCKETS = Math.ceil(PER_DOUBLING * Math.log2(4_000_000 / SHORTEST_MS));

/** The window is five whole minutes and the one that runs. */
const SLICES = 6;
const SLICE_MS = 60_000;
const MOST_IN_SLICE = 65_535;

/** Rings are made for the buckets that are used, so many at a time: most things take about as long each time. */
const BLOCK = 16;

/** Forgets what is older than five to six minutes. */
export class RecentTimes {
  /** By slice, to be subtracted when it leaves. Nothing is taken before the first sample: most rows of a pool are idle. */
  #slices = new Uint16Array(0);
  #counts = new Uint32Array(0);
  #total = 0;
  /** The bucket that the arrays begin with. */
  #low = 0;
  #slice = Number.NEGATIVE_INFINITY;
  /** What percentiles gave last; undefined once the samples are others. */
  #known: Percentiles | undefined;

  /** Times are monotonic milliseconds. */
  add(durationMs: number, nowMs: number): void {
    this.#advance(nowMs);
    const bucket = bucketOf(durationMs);
    this.#cover(bucket);
    const column = bucket - this.#low;
    const at = this.#rowOf(this.#slice) + column;
    const before = this.#slices[at] ?? 0;
    if (before === MOST_IN_SLICE) return;
    this.#slices[at] = before + 1;
    this.#counts[column] = (this.#counts[column] ?? 0) + 1;
    this.#total += 1;
    this.#known = undefined;
  }

  percentiles(nowMs: number): Percentiles {
    this.#advance(nowMs);
    return (this.#known ??= this.#find());
  }

  #find(): Percentiles {
    const total = this.#total;
    if (total === 0) return NO_TIMES;
    const ranks = [0.5, 0.95, 0.99].map((share) => Math.max(1, Math.ceil(share * total)));
    const found: number[] = [];
    let below = 0;
    for (let column = 0; column < this.#counts.length; column += 1) {
      const count = this.#counts[column] ?? 0;
      for (
        let rank = ranks[found.length] ?? Infinity;
        rank <= below + count;
        rank = ranks[found.length] ?? Infinity
      )
        found.push(valueIn(this.#low + column, (rank - below - 0.5) / count));
      below += count;
    }
    return { samples: total, p50Ms: found[0] ?? null, p95Ms: found[1] ?? null, p99Ms: found[2] ?? null };
  }

  #advance(nowMs: number): void {
    const slice = Math.floor(nowMs / SLICE_MS);
    if (slice <= this.#slice) return;
    const steps = Math.min(SLICES, slice - this.#slice);
    for (let step = 0; step < steps; step += 1) this.#drop(this.#rowOf(slice - step));
    this.#slice = slice;
  }

  #drop(from: number): void {
    if (this.#total === 0) return;
    for (let column = 0; column < this.#counts.length; column += 1) {
      const count = this.#slices[from + column] ?? 0;
      if (count === 0) continue;
      this.#counts[column] = (this.#counts[column] ?? 0) - count;
      this.#total -= count;
      this.#known = undefined;
      this.#slices[from + column] = 0;
    }
  }

  /** Makes room for the bucket, and takes along what there is. */
  #cover(bucket: number): void {
    const width = this.#counts.length;
    const block = bucket - (bucket % BLOCK);
    if (width === 0) this.#low = block;
    if (bucket >= this.#low && bucket < this.#low + width) return;
    const low = Math.min(this.#low, block);
    const next = Math.max(this.#low + width, block + BLOCK) - low;
    const moved = this.#low - low;
    const [slices, counts] = [new Uint16Array(SLICES * next), new Uint32Array(next)];
    counts.set(this.#counts, moved);
    for (let row = 0; row < SLICES; row += 1)
      slices.set(this.#slices.subarray(row * width, (row + 1) * width), row * next + moved);
    [this.#slices, this.#counts, this.#low] = [slices, counts, low];
  }

  #rowOf(slice: number): number {
    return (((slice % SLICES) + SLICES) % SLICES) * this.#counts.length;
  }
}

export const NO_TIMES: Percentiles = { samples: 0, p50Ms: null, p95Ms: null, p99Ms: null };

const bucketOf = (durationMs: number): number =>
  durationMs > SHORTEST_MS
    ? Math.min(BUCKETS - 1, Math.floor(PER_DOUBLING * Math.log2(durationMs / SHORTEST_MS)))
    : 0;

/** Three digits: more would claim what buckets cannot know. */
function valueIn(bucket: number, share: number): number {
  const ms = SHORTEST_MS * 2 ** ((bucket + share) / PER_DOUBLING);
  const unit = 10 ** (Math.floor(Math.log10(ms)) - 2);
  return unit < 1 ? Math.round(ms / unit) / Math.round(1 / unit) : Math.round(ms / unit) * unit;
}

/** Counts below fixed bounds, and their sum, since the start. */
export class TimeBuckets {
  readonly boundsMs: readonly number[];
  /** By bound, not added up; the last one counts what is above all bounds. */
  readonly counts: Float64Array;
  sumMs = 0;

  constructor(boundsMs: readonly number[]) {
    this.boundsMs = boundsMs;
    this.counts = new Float64Array(boundsMs.length + 1);
  }

  add(durationMs: number): void {
    let at = 0;
    while (at < this.boundsMs.length && durationMs > (this.boundsMs[at] ?? 0)) at += 1;
    this.counts[at] = (this.counts[at] ?? 0) + 1;
    this.sumMs += durationMs;
  }
}
