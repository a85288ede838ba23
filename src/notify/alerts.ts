// Which troubles one receiver is told of, and when: batched, with a cooldown that defers and never drops. Time comes in.
import type { Trouble } from "./trouble.ts";

export interface AlertState {
  /** Failures that the receiver knows of. */
  readonly told: ReadonlyMap<string, Trouble>;
  /** Not told yet, with the time when they will be if they still hold. */
  readonly waiting: ReadonlyMap<string, { readonly trouble: Trouble; readonly dueMs: number }>;
  /** End of the batch that is open. */
  readonly batchEndsMs?: number;
  /** By id: no further failure of it is told before. */
  readonly quietUntilMs: ReadonlyMap<string, number>;
}

export const NO_ALERTS: AlertState = { told: new Map(), waiting: new Map(), quietUntilMs: new Map() };

export interface Sight {
  /** All that hold now. */
  readonly troubles: readonly Trouble[];
  readonly isConfigured: (trouble: Trouble) => boolean;
  readonly nowMs: number;
  readonly batchMs: number;
  readonly cooldownMs: number;
}

export interface Alerts {
  readonly state: AlertState;
  /** To be told in one message. */
  readonly failed: readonly Trouble[];
  readonly recovered: readonly Trouble[];
}

/**
 * The first trouble opens a batch; what has gone when it ends is never told. A trouble within the cooldown of the last
 * message about the same thing waits for its end. Recovery is told at once, and only of what was told.
 */
export function nextAlerts(before: AlertState, sight: Sight): Alerts {
  const { nowMs, batchMs, cooldownMs } = sight;
  const held = new Map(sight.troubles.map((trouble) => [trouble.id, trouble]));
  const quietUntilMs = new Map([...before.quietUntilMs].filter(([, untilMs]) => untilMs > nowMs));
  const gone = [...before.told.values()].filter(({ id }) => !held.has(id));
  const recovered = gone.filter(sight.isConfigured);
  for (const { id } of recovered) quietUntilMs.set(id, nowMs + cooldownMs);
  const told = new Map([...before.told].filter(([id]) => held.has(id)));

  const untold = sight.troubles.filter(({ id, within }) => !told.has(id) && !(within && held.has(within)));
  const isOpen =
    before.batchEndsMs !== undefined &&
    untold.some(({ id }) => before.waiting.get(id)?.dueMs === before.batchEndsMs);
  let batchEndsMs = isOpen ? before.batchEndsMs : undefined;
  const waiting = new Map<string, { readonly trouble: Trouble; readonly dueMs: number }>();
  for (const trouble of untold) {
    const known = before.waiting.get(trouble.id);
    if (known === undefined) batchEndsMs ??= nowMs + batchMs;
    const dueMs = known?.dueMs ?? Math.max(batchEndsMs ?? 0, quietUntilMs.get(trouble.id) ?? 0);
    // Each further rest begins anew; the trouble began with the first.
    const sinceMs = Math.min(trouble.sinceMs, known?.trouble.sinceMs ?? trouble.sinceMs);
    waiting.set(trouble.id, { trouble: { ...trouble, sinceMs }, dueMs });
  }

  const failed = [...waiting.values()].filter(({ dueMs }) => dueMs <= nowMs).map(({ trouble }) => trouble);
  for (const trouble of failed) {
    waiting.delete(trouble.id);
    told.set(trouble.id, trouble);
    quietUntilMs.set(trouble.id, nowMs + cooldownMs);
  }
  const open = batchEndsMs === undefined || batchEndsMs <= nowMs ? {} : { batchEndsMs };
  const state = { told, waiting, quietUntilMs, ...open };
  return { state, failed, recovered };
}
