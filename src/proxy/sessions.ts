// Who has logged in by browser: random names that stand for the admin key for a while, kept in memory only.
import { randomBytes } from "node:crypto";
import { digest } from "./digest.ts";

export interface Sessions {
  /** The name of a new session. */
  readonly open: () => string;
  readonly has: (name: string) => boolean;
  readonly close: (name: string) => void;
  /** When the key has changed. */
  readonly closeAll: () => void;
}

/** A working day. */
export const SESSION_SECONDS = 12 * 3600;
/** More than anybody's browsers; the oldest goes. */
const MOST_SESSIONS = 1000;
const NAME_BYTES = 32;

const keyOf = (name: string): string => digest(name).toString("base64");

export function createSessions(now: () => number): Sessions {
  /** End by the digest of the name, in the order of opening: what is looked up is nothing that was sent. */
  const ends = new Map<string, number>();
  return {
    open() {
      const name = randomBytes(NAME_BYTES).toString("base64url");
      for (const [key, endMs] of ends) {
        if (endMs > now() && ends.size < MOST_SESSIONS) break;
        ends.delete(key);
      }
      ends.set(keyOf(name), now() + SESSION_SECONDS * 1000);
      return name;
    },
    has: (name) => (ends.get(keyOf(name)) ?? 0) > now(),
    close: (name) => void ends.delete(keyOf(name)),
    closeAll: () => ends.clear(),
  };
}
