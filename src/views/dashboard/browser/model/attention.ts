// What an operator should look at now: keys and backends that cannot take requests, each trouble named once.
import type { StatusView, Standing } from "../../../../core/status.ts";
import { RANK } from "./standing-order.ts";

export interface Trouble extends Pick<Standing, "state" | "reason" | "untilAtMs"> {
  readonly id: string;
  readonly what: "key" | "backend";
  readonly title: string;
  readonly provider: string;
}

/** The worst first, then those that last longest. */
export function listTroubles({ keys, backends }: Pick<StatusView, "keys" | "backends">): readonly Trouble[] {
  const troubles: Trouble[] = [];
  const troubledKeys = new Set<string>();
  for (const { id, label, provider, state, reason, untilAtMs } of keys) {
    if (!isTrouble(state)) continue;
    troubledKeys.add(id);
    troubles.push({ id, what: "key", title: label, provider, state, reason, untilAtMs });
  }
  for (const { id, keyId, provider, state, reason, untilAtMs } of backends) {
    // A resting key takes all its backends with it: that is one trouble, not many.
    if (!isTrouble(state) || troubledKeys.has(keyId)) continue;
    troubles.push({ id, what: "backend", title: id, provider, state, reason, untilAtMs });
  }
  return troubles.sort(
    (a, b) => RANK[a.state] - RANK[b.state] || (b.untilAtMs ?? Infinity) - (a.untilAtMs ?? Infinity),
  );
}

const isTrouble = (state: Standing["state"]): boolean =>
  state === "down" || state === "resting" || state === "limited";
