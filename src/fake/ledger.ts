// The ledger of calls: what arrived, what was answered, how it ended and when. Tests and drills compare it with what
// the client saw. It keeps the newest calls; the counters stay exact beyond them.

/** open: still going; finished: sent as meant; aborted: the client left; cut: the fake broke it off by script. */
export type CallState = "open" | "finished" | "aborted" | "cut";

interface Usage {
  readonly promptTokens: number;
  /** Tokens sent so far; with a finished answer, what its usage says. */
  readonly completionTokens: number;
}

export interface LedgerEntry {
  /** Counts from 1; also the end of the ids in the answer. */
  readonly id: number;
  /** Which connection, and the how manieth call on it. */
  readonly connection: number;
  readonly turn: number;
  /** The key as it was presented; empty if there was none. */
  readonly key: string;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bodySha256: string;
  readonly bodyBytes: number;
  readonly family: string;
  readonly operation: string;
  readonly model: string;
  readonly stream: boolean;
  /** What was done on purpose: a fault's or an error's name, "status" or "limit"; empty for a good answer. */
  readonly fault: string;
  /** The rule that applied, counted from 0; -1 for none, -2 for the x-fake header. */
  readonly rule: number;
  /** 0 until a head was sent. */
  readonly status: number;
  readonly state: CallState;
  /** Paced stream chunks sent (one a token). */
  readonly chunks: number;
  readonly usage: Usage;
  /** Milliseconds since the epoch, with fractions; 0 for not yet. */
  readonly receivedAt: number;
  readonly firstByteAt: number;
  readonly endedAt: number;
}

/** An entry as the fake writes it. */
export type OpenEntry = { -readonly [K in keyof Omit<LedgerEntry, "usage">]: LedgerEntry[K] } & {
  readonly usage: { readonly promptTokens: number; completionTokens: number };
};

export interface LedgerCounters {
  readonly calls: number;
  readonly finished: number;
  readonly aborted: number;
  readonly cut: number;
  readonly open: number;
  readonly chunks: number;
  readonly byStatus: Readonly<Record<string, number>>;
  readonly byKey: Readonly<Record<string, { readonly calls: number; readonly tokens: number }>>;
}

interface Waiter {
  readonly done: () => boolean;
}

const MOST_KEYS_COUNTED = 10_000;

export class Ledger {
  private readonly most: number;
  private entries: OpenEntry[] = [];
  private totals = emptyTotals();
  private readonly waiters = new Set<Waiter>();

  constructor(most = 100_000) {
    this.most = most;
  }

  /** The newest calls, oldest first. */
  calls(): readonly LedgerEntry[] {
    return this.entries.slice(-this.most);
  }

  counters(): LedgerCounters {
    const { byStatus, byKey, ...rest } = this.totals;
    return { ...rest, byStatus: Object.fromEntries(byStatus), byKey: Object.fromEntries(byKey) };
  }

  /** Forgets ended calls and starts the counters anew; open calls stay. */
  clear(): void {
    this.entries = this.entries.filter((entry) => entry.state === "open");
    this.totals = { ...emptyTotals(), calls: this.entries.length, open: this.entries.length };
    for (const { key } of this.entries) this.count(key);
  }

  /** Resolves once no call is open. */
  settled(): Promise<void> {
    return this.when(() => (this.totals.open === 0 ? true : undefined), undefined, "").then(() => undefined);
  }

  /** The first call, past or to come, that fits. */
  waitFor(predicate: (entry: LedgerEntry) => boolean, timeoutMs = 20_000): Promise<LedgerEntry> {
    const late = `no call in the ledger fitted within ${timeoutMs} ms`;
    return this.when(() => this.entries.find(predicate), timeoutMs, late);
  }

  /** For the fake: a call has come. */
  open(entry: OpenEntry): void {
    this.entries.push(entry);
    if (this.entries.length >= 1.25 * this.most) this.entries = this.entries.slice(-this.most);
    this.totals.calls += 1;
    this.totals.open += 1;
    this.count(entry.key);
    this.told();
  }

  /** For the fake: so many chunks have gone out. */
  progress(entry: OpenEntry, chunks: number, tokens: number): void {
    this.totals.chunks += chunks - entry.chunks;
    entry.chunks = chunks;
    entry.usage.completionTokens = tokens;
    if (this.waiters.size > 0) this.told();
  }

  /** For the fake: the call is over. */
  end(entry: OpenEntry, state: Exclude<CallState, "open">, atMs: number): void {
    if (entry.state !== "open") return;
    entry.state = state;
    entry.endedAt = atMs;
    const { totals } = this;
    totals.open -= 1;
    totals[state] += 1;
    totals.byStatus.set(String(entry.status), (totals.byStatus.get(String(entry.status)) ?? 0) + 1);
    const tally = totals.byKey.get(entry.key);
    if (tally !== undefined) tally.tokens += entry.usage.promptTokens + entry.usage.completionTokens;
    this.told();
  }

  /** For the fake: something about an entry has changed. */
  told(): void {
    for (const waiter of this.waiters) if (waiter.done()) this.waiters.delete(waiter);
  }

  private count(key: string): void {
    const { byKey } = this.totals;
    const tally = byKey.get(key);
    if (tally !== undefined) tally.calls += 1;
    else if (byKey.size < MOST_KEYS_COUNTED) byKey.set(key, { calls: 1, tokens: 0 });
  }

  private when<T>(look: () => T | undefined, timeoutMs: number | undefined, late: string): Promise<T> {
    const found = look();
    if (found !== undefined) return Promise.resolve(found);
    return new Promise((resolve, reject) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const waiter: Waiter = {
        done: () => {
          const now = look();
          if (now === undefined) return false;
          clearTimeout(timer);
          resolve(now);
          return true;
        },
      };
      this.waiters.add(waiter);
      if (timeoutMs === undefined) return;
      timer = setTimeout(() => {
        this.waiters.delete(waiter);
        reject(new Error(late));
      }, timeoutMs);
    });
  }
}

const emptyTotals = () => ({
  calls: 0,
  finished: 0,
  aborted: 0,
  cut: 0,
  open: 0,
  chunks: 0,
  byStatus: new Map<string, number>(),
  byKey: new Map<string, { calls: number; tokens: number }>(),
});
