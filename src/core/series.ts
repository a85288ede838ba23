// The course of some measures over time, in rings of fixed size: the newest samples, each a Float32 value.

/** Values of a sample, in the order in which they are stored. */
export const MEASURES = [
  "sentPerMinute",
  "completedPerMinute",
  "failedPerMinute",
  "tokensPerMinute",
  "inFlight",
  "pending",
  "running",
  "waiting",
  "cacheShare",
  "firstByteP50Ms",
  "usable",
  "total",
] as const;

export type Measure = (typeof MEASURES)[number];

/** NaN stands for what is not known. */
export type Sample = Readonly<Record<Measure, number>>;

export class Series {
  /** By measure; a number stands for a ring that holds nothing else, as for the engine's measures of a hosted key. */
  readonly #rings: (Float32Array | number | undefined)[] = MEASURES.map(() => undefined);
  readonly #length: number;
  /** The tick of the first sample that was written. */
  #firstTick = Number.POSITIVE_INFINITY;
  #lastTick = Number.NEGATIVE_INFINITY;

  constructor(length: number) {
    this.#length = length;
  }

  /** Ticks count up; those that were left out read as unknown. */
  write(tick: number, sample: Sample): void {
    // What was before the first sample is no gap: read asks where it began.
    const isFirst = this.#lastTick === Number.NEGATIVE_INFINITY;
    const from = isFirst ? tick : Math.max(this.#lastTick + 1, tick - this.#length + 1);
    for (let index = 0; index < MEASURES.length; index += 1) {
      const measure = MEASURES[index];
      if (measure === undefined) continue;
      for (let left = from; left < tick; left += 1) this.#put(index, left, Number.NaN);
      this.#put(index, tick, sample[measure]);
    }
    this.#firstTick = Math.min(this.#firstTick, tick);
    this.#lastTick = tick;
  }

  read(tick: number, measure: Measure): number {
    const isKept = tick >= this.#firstTick && tick <= this.#lastTick && tick > this.#lastTick - this.#length;
    const ring = this.#rings[MEASURES.indexOf(measure)];
    if (!isKept || ring === undefined) return Number.NaN;
    return typeof ring === "number" ? ring : (ring[tick % this.#length] ?? Number.NaN);
  }

  get lastTick(): number {
    return this.#lastTick;
  }

  #put(index: number, tick: number, value: number): void {
    const ring = this.#rings[index];
    if (ring === undefined) this.#rings[index] = Math.fround(value);
    else if (typeof ring !== "number") ring[tick % this.#length] = value;
    else if (!Object.is(ring, Math.fround(value))) {
      const made = new Float32Array(this.#length).fill(ring);
      made[tick % this.#length] = value;
      this.#rings[index] = made;
    }
  }
}
