// Tells a fault of one key from one that all keys of a provider meet at once, such as a block of this address.
import { isResting, type Rest } from "./rest.ts";
import type { Slot } from "./seams.ts";

/** Failures alike within this are one event. */
const TOGETHER_MS = 1000;

/**
 * The slots of all keys at the rest's provider when every one that was asked began to rest within a second and for the
 * same status (429 or 403): then it is not the keys' fault, and exile would empty the pool (tbphp/gpt-load#143). A key
 * that rested already was not asked, and is not among them. Undefined when another key may do better, or there is none.
 */
export function findSharedCause(
  slots: readonly Slot[],
  concerned: Slot,
  rest: Rest,
): readonly Slot[] | undefined {
  if (rest.cause === "quota" || (rest.status !== 429 && rest.status !== 403)) return undefined;
  const nowMs = rest.sinceMs;
  const isRecent = (other: Rest): boolean => nowMs - other.sinceMs <= TOGETHER_MS;
  const asked = slots.filter(
    ({ backend, keyState }) =>
      backend.provider === concerned.backend.provider &&
      (keyState.rest === undefined || isRecent(keyState.rest) || !isResting(keyState.rest, nowMs)),
  );
  const keys = new Set(asked.map((slot) => slot.keyState));
  if (keys.size < 2) return undefined;
  for (const { rest: other } of keys)
    if (other === undefined || other.status !== rest.status || other.cause !== rest.cause || !isRecent(other))
      return undefined;
  return asked;
}
