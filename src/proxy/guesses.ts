// Limits guessing at the admin key, by address: nobody else is kept out. A wrong key sent again is no new guess.
import { isIPv6 } from "node:net";
import { digest } from "./digest.ts";

export interface Guesses {
  /** Milliseconds until this peer may try again; 0: now. */
  readonly waitMs: (peer: string | undefined) => number;
  readonly tell: (peer: string | undefined, wrong: string) => void;
}

/** Different wrong keys of one address within the time. */
const MOST_GUESSES = 10;
const WINDOW_MS = 60_000;
/** Whoever has more addresses than this makes room with their own. */
const MOST_PEERS = 1000;

interface Record {
  readonly endMs: number;
  readonly wrong: Set<string>;
}

export function createGuesses(now: () => number): Guesses {
  /** In the order of their ends. */
  const records = new Map<string, Record>();
  const current = (peer: string | undefined): Record | undefined => {
    const record = records.get(blockOf(peer));
    return record !== undefined && record.endMs > now() ? record : undefined;
  };
  return {
    waitMs(peer) {
      const record = current(peer);
      return record === undefined || record.wrong.size < MOST_GUESSES ? 0 : record.endMs - now();
    },
    tell(peer, wrong) {
      const record = current(peer) ?? begin(blockOf(peer));
      record.wrong.add(digest(wrong).toString("base64"));
    },
  };

  function begin(block: string): Record {
    records.delete(block);
    const [oldest] = records.keys();
    if (records.size >= MOST_PEERS && oldest !== undefined) records.delete(oldest);
    const record = { endMs: now() + WINDOW_MS, wrong: new Set<string>() };
    records.set(block, record);
    return record;
  }
}

/** One host has a whole /64 of IPv6 (RFC 6177), so that is what counts as an address. */
function blockOf(peer: string | undefined): string {
  if (peer === undefined || !isIPv6(peer) || peer.includes(".")) return peer ?? "";
  const [head = "", tail] = peer.replace(/%.*$/, "").split("::");
  const first = head === "" ? [] : head.split(":");
  const last = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros =
    tail === undefined ? [] : Array<string>(Math.max(0, 8 - first.length - last.length)).fill("0");
  return [...first, ...zeros, ...last]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16))
    .join(":");
}
