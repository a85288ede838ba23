// One timer for every open stream: a heap of deadlines, so that 9,500 paced streams cost one timeout, not 9,500.
// Deadlines are absolute; what a late turn finds overdue runs at once, so that lateness never adds up.

/** A task that waits for its deadline; `cancel` takes it out at once. */
export interface Deadline {
  cancel(): void;
}

export interface Pacer {
  /** Runs the task once `clock()` has reached `atMs`. */
  at(atMs: number, task: () => void): Deadline;
  /** The monotonic clock that deadlines are measured by. */
  clock(): number;
  /** Forgets all tasks. */
  stop(): void;
}

interface Entry extends Deadline {
  readonly atMs: number;
  readonly task: () => void;
  slot: number;
}

export function createPacer(clock: () => number): Pacer {
  const heap: Entry[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let wakeAtMs = Infinity;

  const place = (entry: Entry, slot: number): void => {
    heap[slot] = entry;
    entry.slot = slot;
  };

  const rise = (entry: Entry, from: number): void => {
    let slot = from;
    while (slot > 0) {
      const above = heap[(slot - 1) >> 1];
      if (above === undefined || above.atMs <= entry.atMs) break;
      place(above, slot);
      slot = (slot - 1) >> 1;
    }
    place(entry, slot);
  };

  const sink = (entry: Entry, from: number): void => {
    let slot = from;
    for (;;) {
      const left = heap[2 * slot + 1];
      const right = heap[2 * slot + 2];
      const below = left !== undefined && right !== undefined && right.atMs < left.atMs ? right : left;
      if (below === undefined || below.atMs >= entry.atMs) break;
      const next = below.slot;
      place(below, slot);
      slot = next;
    }
    place(entry, slot);
  };

  const remove = (entry: Entry): void => {
    if (heap[entry.slot] !== entry) return;
    const slot = entry.slot;
    entry.slot = -1;
    const last = heap.pop();
    if (last === undefined || last === entry) return;
    const above = heap[(slot - 1) >> 1];
    if (slot > 0 && above !== undefined && above.atMs > last.atMs) rise(last, slot);
    else sink(last, slot);
  };

  const arm = (): void => {
    const first = heap[0];
    if (first === undefined || first.atMs >= wakeAtMs) return;
    clearTimeout(timer);
    wakeAtMs = first.atMs;
    timer = setTimeout(run, Math.max(0, first.atMs - clock()));
  };

  const run = (): void => {
    wakeAtMs = Infinity;
    const nowMs = clock();
    try {
      for (let first = heap[0]; first !== undefined && first.atMs <= nowMs; first = heap[0]) {
        remove(first);
        first.task();
      }
    } finally {
      arm();
    }
  };

  return {
    clock,
    at(atMs, task) {
      const entry: Entry = { atMs, task, slot: -1, cancel: () => remove(entry) };
      rise(entry, heap.length);
      arm();
      return entry;
    },
    stop() {
      clearTimeout(timer);
      wakeAtMs = Infinity;
      for (const entry of heap.splice(0)) entry.slot = -1;
    },
  };
}
