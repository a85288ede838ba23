// The figures of a load test: counted in each worker, sent to the parent once a second, added up there.
import { type EncodedSamples, Samples } from "./samples.ts";

/** Plain counts; every one is a sum over workers. */
export interface Counts {
  /** Calls that were to be measured: sent, or not sent for want of room. */
  started: number;
  ok: number;
  failed: number;
  /** Cut by us at the end: neither right nor wrong. */
  unfinished: number;
  /** Left out: sent during the warm-up. */
  warmUp: number;
  /** Sent once more because a kept connection had been closed. */
  resent: number;
  connections: number;
  bytes: number;
  /** Pieces of content in streams, those of failed calls included. */
  chunks: number;
  inputTokens: number;
  outputTokens: number;
}

const NO_COUNTS: Counts = {
  started: 0,
  ok: 0,
  failed: 0,
  unfinished: 0,
  warmUp: 0,
  resent: 0,
  connections: 0,
  bytes: 0,
  chunks: 0,
  inputTokens: 0,
  outputTokens: 0,
};

const COUNT_NAMES = Object.keys(NO_COUNTS) as (keyof Counts)[];

const DISTRIBUTIONS = [
  "latency",
  "failedLatency",
  "firstToken",
  "gap",
  "streamRate",
  "answerTokens",
  "lag",
] as const;

/**
 * latency, failedLatency: from the intended send time to the end, of right and of failed calls. firstToken: from the same time to
 * the first content. gap: between two. streamRate: content chunks a second of one stream after its first. answerTokens: of one
 * answer. lag: how late the client's own timers are.
 */
export type Distribution = (typeof DISTRIBUTIONS)[number];

export interface EncodedFigures {
  readonly counts: Counts;
  readonly errors: Readonly<Record<string, number>>;
  readonly samples: Readonly<Record<Distribution, EncodedSamples>>;
}

/** Different texts beyond this are counted together: a server can put anything into its codes. */
const MOST_ERRORS = 200;
const OTHER_ERRORS = "other errors";

export class Figures {
  readonly counts: Counts = { ...NO_COUNTS };
  readonly errors = new Map<string, number>();
  samples: Readonly<Record<Distribution, Samples>> = createSamples();

  addError(text: string, times = 1): void {
    const name = this.errors.has(text) || this.errors.size < MOST_ERRORS ? text : OTHER_ERRORS;
    this.errors.set(name, (this.errors.get(name) ?? 0) + times);
  }

  merge(other: Figures): void {
    for (const name of COUNT_NAMES) this.counts[name] += other.counts[name];
    for (const [text, times] of other.errors) this.addError(text, times);
    for (const name of DISTRIBUTIONS) this.samples[name].merge(other.samples[name]);
  }

  static decode({ counts, errors, samples }: EncodedFigures): Figures {
    const figures = new Figures();
    Object.assign(figures.counts, counts);
    for (const [text, times] of Object.entries(errors)) figures.addError(text, times);
    figures.samples = eachDistribution((name) => Samples.decode(samples[name]));
    return figures;
  }

  /** What has come since the last time. */
  take(): EncodedFigures {
    const taken: EncodedFigures = {
      counts: { ...this.counts },
      errors: Object.fromEntries(this.errors),
      samples: eachDistribution((name) => this.samples[name].encode()),
    };
    Object.assign(this.counts, NO_COUNTS);
    this.errors.clear();
    for (const name of DISTRIBUTIONS) this.samples[name].clear();
    return taken;
  }

  /** The most frequent first. */
  topErrors(most: number): readonly { readonly text: string; readonly times: number }[] {
    return [...this.errors]
      .map(([text, times]) => ({ text, times }))
      .sort((a, b) => b.times - a.times || (a.text < b.text ? -1 : 1))
      .slice(0, most);
  }
}

const eachDistribution = <T>(make: (name: Distribution) => T): Record<Distribution, T> =>
  Object.fromEntries(DISTRIBUTIONS.map((name) => [name, make(name)])) as Record<Distribution, T>;

const createSamples = (): Record<Distribution, Samples> => eachDistribution(() => new Samples());
