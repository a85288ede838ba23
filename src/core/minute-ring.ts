// Counts of the last 60 s, by the second, in constant memory: for rates per minute that move at once and forget exactly.

const SECONDS = 60;

export class MinuteRing {
  readonly #values: Float64Array;
  /** Kept up, since displays ask for a thousand of them at once. */
  readonly #sums: Float64Array;
  readonly #fields: number;
  /** The newest second that was written. */
  #second = Number.NEGATIVE_INFINITY;

  /** `fields` things are counted apart, numbered from 0. */
  constructor(fields: number) {
    this.#fields = fields;
    this.#values = new Float64Array(SECONDS * fields);
    this.#sums = new Float64Array(fields);
  }

  // Times are monotonic milliseconds.
  /** Whole amounts: fractions would leave dust behind. */
  add(field: number, amount: number, nowMs: number): void {
    this.#advance(nowMs);
    const at = this.#slotOf(this.#second) + field;
    this.#values[at] = (this.#values[at] ?? 0) + amount;
    this.#sums[field] = (this.#sums[field] ?? 0) + amount;
  }

  sum(field: number, nowMs: number): number {
    this.#advance(nowMs);
    return this.#sums[field] ?? 0;
  }

  /** Empties the seconds that nobody wrote. */
  #advance(nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    const steps = second - this.#second;
    if (steps <= 0) return;
    if (steps >= SECONDS) {
      this.#values.fill(0);
      this.#sums.fill(0);
    } else for (let step = 1; step <= steps; step += 1) this.#empty(this.#slotOf(this.#second + step));
    this.#second = second;
  }

  #empty(from: number): void {
    for (let field = 0; field < this.#fields; field += 1) {
      this.#sums[field] = (this.#sums[field] ?? 0) - (this.#values[from + field] ?? 0);
      this.#values[from + field] = 0;
    }
  }

  #slotOf(second: number): number {
    return (((second % SECONDS) + SECONDS) % SECONDS) * this.#fields;
  }
}
