// The course of some measures over time, in rings of fixed size: the newest samples, each a row of Float32 values.

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

const WIDTH = MEASURES.length;

export class Series {
  readonly #values: Float32Array;
  readonly #length: number;
  /** The tick of the first sample that was written. */
  #firstTick = Number.POSITIVE_INFINITY;
  #lastTick = Number.NEGATIVE_INFINITY;

  constructor(length: number) {
    this.#length = length;
    this.#values = new Float32Array(length * WIDTH).fill(Number.NaN);
  }

  /** Ticks count up; those that were left out read as unknown. */
  write(tick: number, sample: Sample): void {
    const from = Math.max(this.#lastTick + 1, tick - this.#length + 1);
    for (let left = from; left < tick; left += 1) this.#values.fill(Number.NaN, ...this.#rangeOf(left));
    const [at] = this.#rangeOf(tick);
    for (let index = 0; index < WIDTH; index += 1) {
      const measure = MEASURES[index];
      if (measure !== undefined) this.#values[at + index] = sample[measure];
    }
    this.#firstTick = Math.min(this.#firstTick, tick);
    this.#lastTick = tick;
  }

  read(tick: number, measure: Measure): number {
    const isKept = tick >= this.#firstTick && tick <= this.#lastTick && tick > this.#lastTick - this.#length;
    if (!isKept) return Number.NaN;
    return this.#values[this.#rangeOf(tick)[0] + MEASURES.indexOf(measure)] ?? Number.NaN;
  }

  get lastTick(): number {
    return this.#lastTick;
  }

  #rangeOf(tick: number): [number, number] {
    const at = (tick % this.#length) * WIDTH;
    return [at, at + WIDTH];
  }
}
