// Does something again and again for each of a changing set of things, a bounded number of them at a time.

/** Calls `act` after a while; the answer takes that back. */
export type After = (delayMs: number, act: () => void) => () => void;

export const realAfter: After = (delayMs, act) => {
  const timer = setTimeout(act, delayMs);
  return () => clearTimeout(timer);
};

export interface RepeatTerms<T> {
  /** Resolves to the pause until the next time; never rejects. */
  readonly run: (item: T, signal: AbortSignal) => Promise<number>;
  readonly mostAtOnce: number;
  readonly after: After;
}

export interface Repeated<T> {
  /**
   * What there is to do from now on, by key: new keys begin at once, gone ones end at once, the others keep their time
   * and get the new item. Keys in `atOnce` do not wait for their time.
   */
  readonly reconcile: (items: ReadonlyMap<string, T>, atOnce?: ReadonlySet<string>) => void;
  /** Ends everything; resolves when nothing is under way. */
  readonly stop: () => Promise<void>;
}

interface Entry<T> {
  item: T;
  readonly abort: AbortController;
  state: "waiting" | "queued" | "running";
  cancel: () => void;
  /** Was asked for again while it was running. */
  isWantedAgain: boolean;
}

export function repeat<T>({ run, mostAtOnce, after }: RepeatTerms<T>): Repeated<T> {
  const entries = new Map<string, Entry<T>>();
  const queue: Entry<T>[] = [];
  const working = new Set<Promise<void>>();
  let stopped = false;

  const begin = (entry: Entry<T>): void => {
    entry.cancel();
    entry.state = "queued";
    queue.push(entry);
    drainQueue();
  };

  const drainQueue = (): void => {
    while (working.size < mostAtOnce) {
      const entry = queue.shift();
      if (entry === undefined) return;
      if (entry.abort.signal.aborted) continue;
      const work = runOnce(entry).finally(() => {
        working.delete(work);
        drainQueue();
      });
      working.add(work);
    }
  };

  const runOnce = async (entry: Entry<T>): Promise<void> => {
    entry.state = "running";
    entry.isWantedAgain = false;
    const { signal } = entry.abort;
    const pauseMs = await run(entry.item, signal);
    if (signal.aborted) return;
    entry.state = "waiting";
    entry.cancel = after(entry.isWantedAgain ? 0 : Math.max(0, pauseMs), () => begin(entry));
  };

  const end = (entry: Entry<T>): void => {
    entry.cancel();
    entry.abort.abort();
  };

  return {
    reconcile(items, atOnce) {
      if (stopped) return;
      for (const [key, entry] of entries) {
        if (items.has(key)) continue;
        entries.delete(key);
        end(entry);
      }
      for (const [key, item] of items) {
        const entry = entries.get(key);
        if (entry === undefined) {
          const added: Entry<T> = {
            item,
            abort: new AbortController(),
            state: "waiting",
            cancel: doNothing,
            isWantedAgain: false,
          };
          entries.set(key, added);
          begin(added);
          continue;
        }
        entry.item = item;
        if (atOnce?.has(key) !== true) continue;
        if (entry.state === "waiting") begin(entry);
        else if (entry.state === "running") entry.isWantedAgain = true;
      }
    },
    async stop() {
      stopped = true;
      for (const entry of entries.values()) end(entry);
      entries.clear();
      queue.length = 0;
      await Promise.all(working);
    },
  };
}

function doNothing(): void {}
