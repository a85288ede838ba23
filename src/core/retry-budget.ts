// How many retries all requests together may cause, so that a broken provider is not met with a storm.

/**
 * At most `share` of the requests of the last ten seconds, but always `floorPerSecond`; the shape of Linkerd's and
 * Finagle's budgets (linkerd.io/2/features/retries-and-timeouts, ratio 0.2, floor 10/s, window 10 s).
 */
export interface RetryBudget {
  readonly noteRequest: (nowMs: number) => void;
  /** Takes one retry if there is room. */
  readonly withdraw: (nowMs: number) => boolean;
}

const SECONDS = 10;

export interface RetryBudgetPolicy {
  readonly share: number;
  readonly floorPerSecond: number;
}

const sum = (counts: Float64Array): number => counts.reduce((total, count) => total + count, 0);

export function createRetryBudget({ share, floorPerSecond }: RetryBudgetPolicy): RetryBudget {
  const requests = new Float64Array(SECONDS);
  const retries = new Float64Array(SECONDS);
  let second = Number.NEGATIVE_INFINITY;

  /** Empties the seconds that have left the window and returns the index of this one. */
  const turn = (nowMs: number): number => {
    const now = Math.floor(nowMs / 1000);
    const gone = Math.min(SECONDS, Math.max(0, now - second));
    for (let step = 0; step < gone; step += 1) {
      const at = (((now - step) % SECONDS) + SECONDS) % SECONDS;
      requests[at] = 0;
      retries[at] = 0;
    }
    second = Math.max(second, now);
    return ((second % SECONDS) + SECONDS) % SECONDS;
  };

  return {
    noteRequest(nowMs) {
      const at = turn(nowMs);
      requests[at] = (requests[at] ?? 0) + 1;
    },
    withdraw(nowMs) {
      const at = turn(nowMs);
      const isShare = sum(retries) + 1 <= share * sum(requests);
      // The floor counts by the second: saved up for ten, it would be a burst of its own at every start.
      const isFloor = (retries[at] ?? 0) + 1 <= floorPerSecond;
      if (!isShare && !isFloor) return false;
      retries[at] = (retries[at] ?? 0) + 1;
      return true;
    },
  };
}
