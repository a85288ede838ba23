// Counts what was taken in the last `windowMs`, in constant memory, and never lets more through than the limit in any
// such window. For requests and tokens, per minute and per day; limit.ts joins several of them.
import { EntryRing, MOST_ENTRIES } from "./entry-ring.ts";

interface RateWindowOptions {
  /** Amount per window; 0 admits nothing. */
  readonly limit: number;
  readonly windowMs: number;
}

/** Times are monotonic milliseconds and never go back. A window is half open: what was taken at t counts until t + windowMs. */
export interface RateWindow {
  readonly limit: number;
  /** True when `amount` may be taken now. An empty window admits one of any size, or the large would wait for ever. */
  fits(now: number, amount: number): boolean;
  /** Takes `amount` when it fits. */
  tryTake(now: number, amount: number): boolean;
  /** Takes `amount` even over the limit: what was used beyond its estimate. */
  take(now: number, amount: number): void;
  /** Gives back what was taken at `takenAt` (all of it or a part); nothing once it has left the window. */
  giveBack(now: number, takenAt: number, amount: number): void;
  /** When `amount` fits if nobody else takes anything; `now` when it does, Infinity when it never will. */
  nextFreeAt(now: number, amount: number): number;
  used(now: number): number;
  peekFree(now: number): number;
  /** Changes the limit and keeps what was taken. */
  resize(limit: number): void;
  /** The provider starts anew at `atMs`: what was taken before that is forgotten then. The last call counts. */
  resetAt(atMs: number): void;
}

/**
 * Up to this limit every take has its own entry and the count is exact; beyond, takes within a bucket share one, which
 * leaves with its youngest. So a slot comes back up to one bucket late (0.1 s of a minute, 144 s of a day), never
 * early: the usual two-bucket estimate is smaller, but lets nearly twice the limit through in an unlucky window.
 */
const LARGEST_EXACT_LIMIT = MOST_ENTRIES;
/** Their rims included, they fit into MOST_ENTRIES. */
const BUCKETS = 600;

export function createRateWindow(options: RateWindowOptions): RateWindow {
  return new EntryWindow(options);
}

class EntryWindow implements RateWindow {
  limit: number;
  readonly #windowMs: number;
  #bucketMs: number;
  #entries = new EntryRing();
  /** When the newest entry began; -Infinity when it takes no more. */
  #newestStart = -Infinity;
  #resetAtMs = Infinity;
  /** Takes before this were forgotten by a reset. */
  #sinceMs = -Infinity;

  constructor({ limit, windowMs }: RateWindowOptions) {
    this.limit = limit;
    this.#windowMs = windowMs;
    this.#bucketMs = bucketWidth(limit, windowMs);
  }

  fits(now: number, amount: number): boolean {
    return this.#admits(this.used(now), amount);
  }

  tryTake(now: number, amount: number): boolean {
    if (!this.fits(now, amount)) return false;
    this.#put(now, amount);
    return true;
  }

  take(now: number, amount: number): void {
    this.#expire(now);
    this.#put(now, amount);
  }

  giveBack(now: number, takenAt: number, amount: number): void {
    this.#expire(now);
    if (takenAt + this.#windowMs <= now || takenAt < this.#sinceMs) return;
    const entries = this.#entries;
    const index = entries.firstFrom(takenAt);
    if (index === entries.size) return;
    entries.reduce(index, amount);
    while (entries.size > 0 && entries.amount(entries.size - 1) === 0) {
      entries.dropNewest();
      this.#newestStart = -Infinity;
    }
  }

  nextFreeAt(now: number, amount: number): number {
    if (this.fits(now, amount)) return now;
    const entries = this.#entries;
    let left = entries.total;
    for (let index = 0; index < entries.size; index += 1) {
      left = index === entries.size - 1 ? 0 : left - entries.amount(index);
      if (this.#admits(left, amount)) return Math.min(entries.time(index) + this.#windowMs, this.#resetAtMs);
    }
    return Infinity;
  }

  used(now: number): number {
    this.#expire(now);
    return this.#entries.total;
  }

  peekFree(now: number): number {
    return Math.max(0, this.limit - this.used(now));
  }

  resize(limit: number): void {
    this.limit = limit;
    const bucketMs = bucketWidth(limit, this.#windowMs);
    const coarser = bucketMs > this.#bucketMs;
    this.#bucketMs = bucketMs;
    if (coarser) this.#rebuild();
  }

  resetAt(atMs: number): void {
    this.#resetAtMs = atMs;
  }

  #admits(used: number, amount: number): boolean {
    return this.limit > 0 && (used === 0 || used + amount <= this.limit);
  }

  #expire(now: number): void {
    if (now >= this.#resetAtMs) {
      this.#sinceMs = this.#resetAtMs;
      this.#resetAtMs = Infinity;
    }
    const entries = this.#entries;
    while (entries.size > 0) {
      const time = entries.time(0);
      if (entries.amount(0) > 0 && time + this.#windowMs > now && time >= this.#sinceMs) return;
      entries.dropOldest();
    }
  }

  #put(now: number, amount: number): void {
    if (amount <= 0) return;
    const entries = this.#entries;
    if (entries.size > 0) {
      const joins = now <= entries.time(entries.size - 1) || now - this.#newestStart < this.#bucketMs;
      if (joins) return entries.addToNewest(now, amount);
    }
    if (!entries.push(now, amount)) {
      this.#rebuild();
      // Still no room, only after limits were raised and lowered in one window: the entry stays longer, the count right.
      if (!this.#entries.push(now, amount)) return this.#entries.addToNewest(now, amount);
    }
    this.#newestStart = now;
  }

  /** Puts all entries anew: emptied ones go, and those of one bucket join. */
  #rebuild(): void {
    const old = this.#entries;
    this.#entries = new EntryRing();
    this.#newestStart = -Infinity;
    for (let index = 0; index < old.size; index += 1) this.#put(old.time(index), old.amount(index));
  }
}

const bucketWidth = (limit: number, windowMs: number): number =>
  limit <= LARGEST_EXACT_LIMIT ? 0 : windowMs / BUCKETS;
