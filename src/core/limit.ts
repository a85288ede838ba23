// All limits of one credential or backend together: a request is admitted by every one of them or takes from none.
// The lease acquires before sending and settles when the body has ended.
import type { Limits } from "./credential.ts";
import { createRateWindow, type RateWindow } from "./rate-window.ts";

export type LimitKind = "concurrency" | "rpm" | "rpd" | "tpm" | "tpd";

export interface Refusal {
  /** The first that refused, in the order of LimitKind. */
  readonly refusedBy: LimitKind;
  /** Monotonic milliseconds: when all rates admit it if nobody else comes. Of concurrency alone it is `now`: any moment. */
  readonly freeAt: number;
}

/** What one request has taken. Its first settle or cancel counts: a stream can both break and be abandoned. */
export interface Hold {
  readonly refusedBy?: never;
  /** The request is over: concurrency is free, the tokens are what it used, or the estimate when nobody said. */
  settle(now: number, actualTokens: number | undefined): void;
  /** Nothing was sent: everything goes back. */
  cancel(now: number): void;
}

export interface LimitUse {
  readonly kind: LimitKind;
  readonly used: number;
  readonly limit: number;
}

export interface LimitSet {
  /** Why a request would be refused now, or undefined; takes nothing and, unless it refuses, allocates nothing. */
  check(now: number, estimatedTokens: number): Refusal | undefined;
  /** Takes from every limit, or refuses and takes from none. */
  acquire(now: number, estimatedTokens: number): Hold | Refusal;
  /** For displays; the limits that are set. */
  uses(now: number): readonly LimitUse[];
  /** Changes the limits after a reload; what was taken stays counted where a limit of its kind remains. */
  resize(limits: Limits): void;
  /** The provider's day ends at `atMs`, monotonic: daily limits start anew then. */
  endDayAt(atMs: number): void;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

interface Rate {
  readonly kind: LimitKind;
  readonly limitOf: (limits: Limits) => number | undefined;
  readonly windowMs: number;
  readonly countsTokens: boolean;
}

const RATES: readonly Rate[] = [
  { kind: "rpm", limitOf: (l) => l.requestsPerMinute, windowMs: MINUTE_MS, countsTokens: false },
  { kind: "rpd", limitOf: (l) => l.requestsPerDay, windowMs: DAY_MS, countsTokens: false },
  { kind: "tpm", limitOf: (l) => l.tokensPerMinute, windowMs: MINUTE_MS, countsTokens: true },
  { kind: "tpd", limitOf: (l) => l.tokensPerDay, windowMs: DAY_MS, countsTokens: true },
];

/** A rate that is limited here. Absent limits have none, and cost nothing. */
interface Gate {
  readonly rate: Rate;
  readonly window: RateWindow;
}

export function createLimitSet(limits: Limits): LimitSet {
  return new Gates(limits);
}

class Gates implements LimitSet {
  inFlight = 0;
  #gates: readonly Gate[] = [];
  #concurrency = Infinity;

  constructor(limits: Limits) {
    this.resize(limits);
  }

  check(now: number, estimatedTokens: number): Refusal | undefined {
    const tokens = whole(estimatedTokens);
    if (this.inFlight >= this.#concurrency) return this.#refuse("concurrency", now, tokens);
    for (const { rate, window } of this.#gates)
      if (!window.fits(now, rate.countsTokens ? tokens : 1)) return this.#refuse(rate.kind, now, tokens);
    return undefined;
  }

  acquire(now: number, estimatedTokens: number): Hold | Refusal {
    const refusal = this.check(now, estimatedTokens);
    if (refusal !== undefined) return refusal;
    const tokens = whole(estimatedTokens);
    this.inFlight += 1;
    for (const { rate, window } of this.#gates) window.take(now, rate.countsTokens ? tokens : 1);
    return new GatesHold(this, this.#gates, { takenAt: now, tokens });
  }

  uses(now: number): readonly LimitUse[] {
    const uses: LimitUse[] = this.#gates.map(({ rate, window }) => ({
      kind: rate.kind,
      used: window.used(now),
      limit: window.limit,
    }));
    if (this.#concurrency !== Infinity)
      uses.unshift({ kind: "concurrency", used: this.inFlight, limit: this.#concurrency });
    return uses;
  }

  resize(limits: Limits): void {
    this.#concurrency = limits.concurrency ?? Infinity;
    this.#gates = RATES.flatMap((rate) => {
      const limit = rate.limitOf(limits);
      if (limit === undefined) return [];
      const known = this.#gates.find((gate) => gate.rate === rate);
      known?.window.resize(limit);
      return [known ?? { rate, window: createRateWindow({ limit, windowMs: rate.windowMs }) }];
    });
  }

  endDayAt(atMs: number): void {
    for (const { rate, window } of this.#gates) if (rate.windowMs === DAY_MS) window.resetAt(atMs);
  }

  /** A window only empties while nobody comes, so all admit from the moment the last of them does. */
  #refuse(refusedBy: LimitKind, now: number, tokens: number): Refusal {
    let freeAt = now;
    for (const { rate, window } of this.#gates)
      freeAt = Math.max(freeAt, window.nextFreeAt(now, rate.countsTokens ? tokens : 1));
    return { refusedBy, freeAt };
  }
}

class GatesHold implements Hold {
  readonly #set: Gates;
  /** As they were: a limit that a reload has removed still gets its tokens back, and nobody else's does. */
  readonly #gates: readonly Gate[];
  readonly #taken: { readonly takenAt: number; readonly tokens: number };
  #over = false;

  constructor(
    set: Gates,
    gates: readonly Gate[],
    taken: { readonly takenAt: number; readonly tokens: number },
  ) {
    this.#set = set;
    this.#gates = gates;
    this.#taken = taken;
  }

  settle(now: number, actualTokens: number | undefined): void {
    if (!this.#end() || actualTokens === undefined) return;
    const { takenAt, tokens } = this.#taken;
    const excess = whole(actualTokens) - tokens;
    for (const { rate, window } of this.#gates) {
      if (!rate.countsTokens) continue;
      // What was used beyond the estimate counts from when it is known, which is later than it was used: never early.
      if (excess > 0) window.take(now, excess);
      else window.giveBack(now, takenAt, -excess);
    }
  }

  cancel(now: number): void {
    if (!this.#end()) return;
    const { takenAt, tokens } = this.#taken;
    for (const { rate, window } of this.#gates) window.giveBack(now, takenAt, rate.countsTokens ? tokens : 1);
  }

  /** True the first time. */
  #end(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#set.inFlight -= 1;
    return true;
  }
}

/** Whole tokens; nonsense counts as none. */
const whole = (tokens: number): number => (tokens > 0 && tokens < Infinity ? Math.ceil(tokens) : 0);
