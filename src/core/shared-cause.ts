// Tells a fault of one key from one that all keys of a provider meet at once, such as a block of this address.
import type { Rest } from "./rest.ts";
import type { Slot } from "./seams.ts";

/** Failures alike within this are one event. */
const TOGETHER_MS = 1000;

/**
 * The other keys' states when every key at the rest's provider began to rest within a second and for the same status
 * (429 or 403): then it is not the keys' fault, and exile would empty the pool (tbphp/gpt-load#143).
 * Undefined when only some keys are concerned, or there is only one.
 */
export function findSharedCause(
  slots: readonly Slot[],
  concerned: Slot,
  rest: Rest,
): readonly Slot[] | undefined {
  if (rest.cause === "quota" || (rest.status !== 429 && rest.status !== 403)) return undefined;
  const peers = slots.filter((slot) => slot.backend.provider === concerned.backend.provider);
  const keys = new Set(peers.map((slot) => slot.keyState));
  if (keys.size < 2) return undefined;
  for (const { rest: other } of keys)
    if (
      other === undefined ||
      other.status !== rest.status ||
      other.cause !== rest.cause ||
      rest.sinceMs - other.sinceMs > TOGETHER_MS
    )
      return undefined;
  return peers;
}
