// Does something again and again, without keeping the process alive for it.

/** Returns what ends it. */
export function every(intervalMs: number, act: () => void): () => void {
  const timer = setInterval(act, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}
