// Who has logged in by browser: random names that stand for the admin key for a while, kept in memory only.
import { randomBytes } from "node:crypto";
import { digest } from "./digest.ts";

export interface Sessions {
  /** The name of a new session. */
  readonly open: () => string;
  /** Asking is use: an open page asks with each push, and so is not logged out. */
  readonly has: (name: string) => boolean;
  readonly close: (name: string) => void;
  /** When the key has changed. */
  readonly closeAll: () => void;
}

/** However it is used; Grafana's default, too. */
export const SESSION_SECONDS = 30 * 24 * 3600;
/** Unused for so long, it ends: a working day. */
const IDLE_MS = 12 * 3_600_000;
/** More than anybody's browsers; the oldest goes. */
const MOST_SESSIONS = 1000;
const NAME_BYTES = 32;

const keyOf = (name: string): string => digest(name).toString("base64");

interface Session {
  readonly endMs: number;
  usedMs: number;
}

export function createSessions(now: () => number): Sessions {
  /** By the digest of the name, in the order of opening: what is looked up is nothing that was sent. */
  const sessions = new Map<string, Session>();
  const isLive = ({ endMs, usedMs }: Session): boolean => now() < Math.min(endMs, usedMs + IDLE_MS);
  return {
    open() {
      const name = randomBytes(NAME_BYTES).toString("base64url");
      for (const [key, session] of sessions) if (!isLive(session)) sessions.delete(key);
      const [oldest] = sessions.keys();
      if (oldest !== undefined && sessions.size >= MOST_SESSIONS) sessions.delete(oldest);
      sessions.set(keyOf(name), { endMs: now() + SESSION_SECONDS * 1000, usedMs: now() });
      return name;
    },
    has(name) {
      const session = sessions.get(keyOf(name));
      if (session === undefined || !isLive(session)) return false;
      session.usedMs = now();
      return true;
    },
    close: (name) => void sessions.delete(keyOf(name)),
    closeAll: () => sessions.clear(),
  };
}
