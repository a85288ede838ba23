// Turns the first signal into an orderly stop and the second into an end at once.
import type { Invocation } from "./invocation.ts";

export interface StopSignal {
  /** Resolves at the first SIGINT or SIGTERM. */
  readonly asked: Promise<{ readonly skipDelay: boolean }>;
  /** Resolves at the second. */
  readonly insisted: Promise<void>;
}

/** Ctrl-C on a terminal skips the delay for load balancers: the person waits, and there is no balancer. */
export function listenForStop({ onSignal, isTerminal }: Invocation): StopSignal {
  const asked = Promise.withResolvers<{ readonly skipDelay: boolean }>();
  const insisted = Promise.withResolvers<void>();
  let count = 0;
  const act = (skipDelay: boolean): void => {
    count += 1;
    if (count === 1) asked.resolve({ skipDelay });
    else insisted.resolve();
  };
  onSignal("SIGINT", () => act(isTerminal));
  onSignal("SIGTERM", () => act(false));
  return { asked: asked.promise, insisted: insisted.promise };
}
