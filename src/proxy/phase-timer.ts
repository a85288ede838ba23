// One timer for all phases of an attempt, since most attempts end before the first phase could run out.

export interface PhaseTimer {
  /** The phase that begins now may last so long; then `act` is called, once. Replaces the phase before. */
  readonly enter: (limitMs: number, act: () => void) => void;
  readonly stop: () => void;
}

/** Moving a deadline back costs nothing: the timer that was set runs out and looks again. */
export function createPhaseTimer(now: () => number): PhaseTimer {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let dueMs = 0;
  let deadlineMs = 0;
  let act: () => void = doNothing;

  const arm = (delayMs: number): void => {
    dueMs = now() + delayMs;
    timer = setTimeout(runOut, Math.max(1, Math.ceil(delayMs)));
  };
  const runOut = (): void => {
    timer = undefined;
    const leftMs = deadlineMs - now();
    if (leftMs > 0) arm(leftMs);
    else act();
  };
  return {
    enter(limitMs, next) {
      deadlineMs = now() + limitMs;
      act = next;
      if (timer !== undefined && dueMs <= deadlineMs) return;
      clearTimeout(timer);
      arm(limitMs);
    },
    stop() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}

function doNothing(): void {}
