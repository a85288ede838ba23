// How a load test goes: everything so far, and second by second for rates and sparklines.
import { Figures } from "./figures.ts";
import type { WorkerState } from "./messages.ts";

export interface Second {
  /** Since the calls began. */
  readonly atS: number;
  readonly requestsPerSecond: number;
  readonly failuresPerSecond: number;
  readonly tokensPerSecond: number;
  readonly inFlight: number;
  /** Undefined: no call ended well in that second. */
  readonly latencyP50Ms: number | undefined;
  readonly latencyP95Ms: number | undefined;
  readonly firstTokenP50Ms: number | undefined;
}

/** What is shown as the rate of now. */
const RATE_SECONDS = 5;
/** A day; what is older is forgotten, and only missing from the course. */
const MOST_SECONDS = 86_400;

export class Course {
  readonly total = new Figures();
  readonly seconds: Second[] = [];
  #second = new Figures();
  #lastMs: number;
  readonly #beganMs: number;

  constructor(beganMs: number) {
    this.#beganMs = beganMs;
    this.#lastMs = beganMs;
  }

  /** From here on the running second is counted: what workers tell comes a little later than it happened. */
  align(nowMs: number): void {
    this.#lastMs = nowMs;
  }

  add(figures: Figures): void {
    this.total.merge(figures);
    this.#second.merge(figures);
  }

  /** Ends a second. */
  tick(nowMs: number, states: readonly WorkerState[]): void {
    const { counts, samples } = this.#second;
    const perSecond = (count: number): number => (count * 1000) / Math.max(1, nowMs - this.#lastMs);
    const latency = samples.latency.read();
    this.seconds.push({
      atS: Math.round((nowMs - this.#beganMs) / 100) / 10,
      requestsPerSecond: perSecond(counts.ok + counts.failed),
      failuresPerSecond: perSecond(counts.failed),
      tokensPerSecond: perSecond(tokensOf(this.#second)),
      inFlight: states.reduce((sum, { inFlight }) => sum + inFlight, 0),
      latencyP50Ms: latency?.p50,
      latencyP95Ms: latency?.p95,
      firstTokenP50Ms: samples.firstToken.read()?.p50,
    });
    if (this.seconds.length > MOST_SECONDS) this.seconds.shift();
    this.#lastMs = nowMs;
    this.#second = new Figures();
  }

  /** Mean of the last five seconds. */
  now(field: "requestsPerSecond" | "tokensPerSecond"): number {
    const last = this.seconds.slice(-RATE_SECONDS);
    return last.length === 0 ? 0 : last.reduce((sum, second) => sum + second[field], 0) / last.length;
  }
}

/** Pieces of content as they stream in; of whole answers, the tokens that they report. */
export const tokensOf = ({ counts }: Figures): number =>
  counts.chunks > 0 ? counts.chunks : counts.outputTokens;
