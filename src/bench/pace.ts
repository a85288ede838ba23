// When calls are sent. Closed loop: so many at a time, the next one when one ends. Open loop: at times that were fixed before,
// whatever the server does, so that a server that stalls cannot keep its own latency small.
import type { Calls } from "./run-calls.ts";
import type { Load } from "./plan.ts";

export interface Pace {
  readonly begin: () => void;
  /** Sends nothing more. */
  readonly stop: () => void;
  /** Resolves when nothing more will be sent. */
  readonly ended: Promise<void>;
}

export interface PaceTerms {
  readonly calls: Calls;
  readonly now: () => number;
  readonly random: () => number;
  /** Nothing is sent from then on; may be infinite. */
  readonly endMs: number;
  /** Asked before every call, with the time it should be sent at; false ends the sending. */
  readonly mayStart: (intendedMs: number) => boolean;
}

/** A server that refuses connections must not be knocked at as fast as a processor can. */
const BROKEN_PAUSE_MS = 50;

export function createClosedPace(
  load: Load & { kind: "closed" },
  { calls, now, mayStart, endMs }: PaceTerms,
): Pace {
  const ended = Promise.withResolvers<void>();
  const timers = new Set<ReturnType<typeof setTimeout>>();
  let isStopped = false;

  const stop = (): void => {
    isStopped = true;
    for (const timer of timers) clearTimeout(timer);
    timers.clear();
    ended.resolve();
  };
  const later = (delayMs: number): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      next();
    }, delayMs);
    timers.add(timer);
  };
  const next = (): void => {
    if (isStopped) return;
    const nowMs = now();
    if (!mayStart(nowMs)) return stop();
    calls.start(nowMs, ({ kind }) => {
      if (isStopped) return;
      if (kind === "failed") later(BROKEN_PAUSE_MS);
      else next();
    });
  };

  return {
    ended: ended.promise,
    stop,
    begin() {
      if (Number.isFinite(endMs)) {
        const deadline = setTimeout(stop, endMs - now());
        timers.add(deadline);
      }
      const { concurrency, rampUpMs } = load;
      for (let slot = 0; slot < concurrency; slot += 1) later((slot * rampUpMs) / concurrency);
    },
  };
}

/** So many are sent before answers are looked at again. */
const MOST_IN_TURN = 200;

export interface OpenTerms extends PaceTerms {
  /** What the times of the calls are counted from. */
  readonly fromMs: number;
  /** Of an interval between two calls, how far this worker is behind the first one. */
  readonly phase: number;
}

export function createOpenPace(
  load: Load & { kind: "open" },
  { calls, now, random, mayStart, endMs, fromMs, phase }: OpenTerms,
): Pace {
  const ended = Promise.withResolvers<void>();
  const intervalMs = 1000 / load.perSecond;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let nextMs = fromMs;
  let count = 0;

  const stop = (): void => {
    clearTimeout(timer);
    ended.resolve();
  };
  /** Even times are counted, not added up: no error grows. */
  const advance = (): void => {
    if (load.arrivals === "even") nextMs = fromMs + (count + phase) * intervalMs;
    else nextMs += -Math.log(1 - random()) * intervalMs;
    count += 1;
  };
  const turn = (): void => {
    for (let sent = 0; sent < MOST_IN_TURN && nextMs <= now(); sent += 1) {
      if (!mayStart(nextMs)) return stop();
      if (calls.inFlight >= load.mostInFlight) calls.refuse(nextMs, "not sent: too many in flight (-c)");
      else calls.start(nextMs, () => undefined);
      advance();
    }
    // What came due before the end is sent, however late.
    if (nextMs >= endMs) return stop();
    timer = setTimeout(turn, Math.max(0, nextMs - now()));
  };

  return {
    ended: ended.promise,
    stop,
    begin() {
      advance();
      turn();
    },
  };
}
