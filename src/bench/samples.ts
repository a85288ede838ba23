// A distribution of times or rates that can be added to another one, here or from another process. The exact least and
// greatest are kept beside the histogram, which knows them only to three digits.
import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
} from "hdr-histogram-js";

export interface EncodedSamples {
  readonly histogram: string;
  readonly min: number;
  readonly max: number;
}

export interface Percentiles {
  readonly count: number;
  readonly min: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** The histogram takes whole numbers: values are kept in thousandths. */
const SCALE = 1000;
const COUNTER_BITS = 64;

export class Samples {
  readonly #histogram: Histogram = build({ bitBucketSize: COUNTER_BITS });
  #min = Infinity;
  #max = 0;

  get count(): number {
    return this.#histogram.totalCount;
  }

  /** Negative values count as 0: clocks have steps. */
  add(value: number): void {
    const kept = value > 0 ? value : 0;
    this.#histogram.recordValue(Math.round(kept * SCALE));
    if (kept < this.#min) this.#min = kept;
    if (kept > this.#max) this.#max = kept;
  }

  merge(other: Samples): void {
    if (other.count === 0) return;
    this.#histogram.add(other.#histogram);
    this.#min = Math.min(this.#min, other.#min);
    this.#max = Math.max(this.#max, other.#max);
  }

  static decode({ histogram, min, max }: EncodedSamples): Samples {
    const samples = new Samples();
    if (histogram === "") return samples;
    samples.#histogram.add(decodeFromCompressedBase64(histogram, COUNTER_BITS));
    samples.#min = min;
    samples.#max = max;
    return samples;
  }

  encode(): EncodedSamples {
    if (this.count === 0) return { histogram: "", min: 0, max: 0 };
    return {
      histogram: encodeIntoCompressedBase64(this.#histogram),
      min: this.#min,
      max: this.#max,
    };
  }

  clear(): void {
    this.#histogram.reset();
    this.#min = Infinity;
    this.#max = 0;
  }

  /** Undefined when there are none. */
  read(): Percentiles | undefined {
    if (this.count === 0) return undefined;
    const at = (percentile: number): number =>
      Math.min(this.#max, Math.max(this.#min, this.#histogram.getValueAtPercentile(percentile) / SCALE));
    return {
      count: this.count,
      min: this.#min,
      mean: this.#histogram.mean / SCALE,
      p50: at(50),
      p90: at(90),
      p95: at(95),
      p99: at(99),
      p999: at(99.9),
      max: this.#max,
    };
  }
}
