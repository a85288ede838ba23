// One timer for all phases of an attempt, since most attempts end before the first phase could run out.

export interface PhaseTimer {
  /**
   * The phase that begins now may last so long, all together `totalMs`; then `act` is called, once, and told which it was.
   * Replaces the phase before.
   */
  readonly enter: (limitMs: number, act: (isTotal: boolean) => void) => void;
  readonly stop: () => void;
}

/** `totalMs`: of all phases. Moving a deadline back costs nothing: the timer that was set runs out and looks again. */
export function createPhaseTimer(now: () => number, totalMs = Number.POSITIVE_INFINITY): PhaseTimer {
  const endMs = now() + totalMs;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let dueMs = 0;
  let deadlineMs = 0;
  let act: (isTotal: boolean) => void = doNothing;

  const arm = (delayMs: number): void => {
    dueMs = now() + delayMs;
    timer = setTimeout(runOut, Math.max(1, Math.ceil(delayMs)));
  };
  const runOut = (): void => {
    timer = undefined;
    const leftMs = deadlineMs - now();
    if (leftMs > 0) arm(leftMs);
    else act(now() >= endMs);
  };
  return {
    enter(limitMs, next) {
      const nowMs = now();
      deadlineMs = Math.min(nowMs + limitMs, endMs);
      act = next;
      if (timer !== undefined && dueMs <= deadlineMs) return;
      clearTimeout(timer);
      arm(deadlineMs - nowMs);
    },
    stop() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}

function doNothing(): void {}
