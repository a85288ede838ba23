// Waits for conditions, so that no test sleeps for a length of time and hopes.

/** Resolves once `holds` is true; rejects with `what` after the time-out, which only has to come before the test's own. */
export async function until(holds: () => boolean, what: string, timeoutMs = 20_000): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await Bun.sleep(1);
  }
}

export interface Latch {
  readonly opened: Promise<void>;
  readonly open: () => void;
}

/** A promise that the test fulfils. */
export function createLatch(): Latch {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}
