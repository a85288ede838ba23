// The requests that are being served: how many, and a way to end them all when weir stops.
import { WEIR_STOPS } from "./call-ended.ts";

export interface LiveCalls {
  readonly count: number;
  readonly add: (call: LiveCall) => void;
  readonly remove: (call: LiveCall) => void;
  /** Ends every upstream call; streams tell their clients so. */
  readonly endAll: () => void;
  /** Resolves once none is left. */
  readonly drained: () => Promise<void>;
}

export interface LiveCall {
  abort: AbortController;
}

export function createLiveCalls(): LiveCalls {
  const calls = new Set<LiveCall>();
  let waiting: (() => void)[] = [];
  return {
    get count() {
      return calls.size;
    },
    add(call) {
      calls.add(call);
    },
    remove(call) {
      calls.delete(call);
      if (calls.size > 0) return;
      for (const resolve of waiting) resolve();
      waiting = [];
    },
    endAll() {
      for (const call of calls) call.abort.abort(WEIR_STOPS);
    },
    drained() {
      return calls.size === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve));
    },
  };
}
