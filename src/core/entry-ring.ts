// A bounded queue of (time, amount) entries in two typed arrays, oldest first, for rate windows.
// Amounts can shrink in place; the sum of all is kept.

/** Entries at most: 16 KiB for the two numbers of each. */
export const MOST_ENTRIES = 1024;
const FIRST_ENTRIES = 8;

export class EntryRing {
  size = 0;
  total = 0;
  // The capacity is a power of two and grows as needed: most windows stay small.
  #times = new Float64Array(FIRST_ENTRIES);
  #amounts = new Float64Array(FIRST_ENTRIES);
  #head = 0;

  /** Time of the entry at `index`, counted from the oldest. */
  time(index: number): number {
    return this.#times[this.#slot(index)] ?? 0;
  }

  amount(index: number): number {
    return this.#amounts[this.#slot(index)] ?? 0;
  }

  /** False when there is no room. */
  push(time: number, amount: number): boolean {
    if (this.size === this.#times.length && !this.#grow()) return false;
    const slot = this.#slot(this.size);
    this.#times[slot] = time;
    this.#amounts[slot] = amount;
    this.size += 1;
    this.total += amount;
    return true;
  }

  /** Adds to the newest entry and makes it as young as `time`. */
  addToNewest(time: number, amount: number): void {
    const slot = this.#slot(this.size - 1);
    this.#times[slot] = Math.max(time, this.#times[slot] ?? 0);
    this.#amounts[slot] = (this.#amounts[slot] ?? 0) + amount;
    this.total += amount;
  }

  /** Takes up to `amount` out of the entry at `index`. */
  reduce(index: number, amount: number): void {
    const slot = this.#slot(index);
    const part = Math.min(amount, this.#amounts[slot] ?? 0);
    this.#amounts[slot] = (this.#amounts[slot] ?? 0) - part;
    this.total -= part;
  }

  dropOldest(): void {
    this.total -= this.amount(0);
    this.#head = this.#slot(1);
    this.size -= 1;
    if (this.size === 0) this.total = 0; // also of what rounding left
  }

  dropNewest(): void {
    this.total -= this.amount(this.size - 1);
    this.size -= 1;
    if (this.size === 0) this.total = 0;
  }

  /** Index of the first entry not before `time`; the size when there is none. */
  firstFrom(time: number): number {
    let low = 0;
    let high = this.size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.time(middle) < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #grow(): boolean {
    const capacity = this.#times.length * 2;
    if (capacity > MOST_ENTRIES) return false;
    const times = new Float64Array(capacity);
    const amounts = new Float64Array(capacity);
    for (let index = 0; index < this.size; index += 1) {
      times[index] = this.time(index);
      amounts[index] = this.amount(index);
    }
    this.#times = times;
    this.#amounts = amounts;
    this.#head = 0;
    return true;
  }

  #slot(index: number): number {
    return (this.#head + index) & (this.#times.length - 1);
  }
}
