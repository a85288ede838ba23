// Time that the test moves: a clock and timers that run only when it says so.
import type { After } from "../../src/health/repeat.ts";

export interface Schedule {
  readonly now: () => number;
  readonly after: After;
  /** Timers that are set. */
  readonly pending: () => number;
  /** Moves time, running what falls due in its order, and what that leads to. */
  readonly advance: (ms: number) => Promise<void>;
}

export function createSchedule(): Schedule {
  let nowMs = 0;
  const timers = new Set<{ readonly dueMs: number; readonly act: () => void }>();
  const earliest = () => [...timers].sort((a, b) => a.dueMs - b.dueMs)[0];
  return {
    now: () => nowMs,
    after(delayMs, act) {
      const timer = { dueMs: nowMs + delayMs, act };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    pending: () => timers.size,
    async advance(ms) {
      const endMs = nowMs + ms;
      await settled();
      for (let next = earliest(); next !== undefined && next.dueMs <= endMs; next = earliest()) {
        timers.delete(next);
        nowMs = Math.max(nowMs, next.dueMs);
        next.act();
        await settled();
      }
      nowMs = endMs;
    },
  };
}

/** Resolves when promises have nothing more to say by themselves. */
const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
