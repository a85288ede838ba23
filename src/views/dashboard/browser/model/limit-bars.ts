// Limits as bars: how much of each is used, the tightest first.
import type { LimitStatus } from "../../../../core/status.ts";
import { formatShort } from "./format.ts";

export interface LimitBar {
  readonly id: string;
  /** Short: it stands in a table. */
  readonly name: string;
  /** 0 to 1; null when it cannot be told. */
  readonly usedShare: number | null;
  /** `41/60`. */
  readonly text: string;
  /** For those who do not see the bar. */
  readonly label: string;
  readonly tightness: "calm" | "near" | "full";
}

export function limitBars(limits: readonly LimitStatus[]): readonly LimitBar[] {
  return limits.map((limit) => barOf(limit)).sort((a, b) => (b.usedShare ?? -1) - (a.usedShare ?? -1));
}

function barOf({ name, of, learned, used, limit, remaining }: LimitStatus): LimitBar {
  const usedNow = used ?? (limit !== null && remaining !== null ? Math.max(0, limit - remaining) : null);
  const usedShare = shareOf(usedNow, { limit, remaining });
  const text =
    usedNow !== null && limit !== null
      ? `${formatShort(usedNow)}/${formatShort(limit)}`
      : remaining !== null
        ? `${formatShort(remaining)} left`
        : formatShort(limit);
  const source = learned ? ", as the provider says" : "";
  return {
    id: `${of}-${name}-${learned}`,
    name: name === "concurrency" ? "conc" : name,
    usedShare,
    text,
    label: `${name} of the ${of}: ${text}${source}`,
    tightness: usedShare === null || usedShare < 0.8 ? "calm" : usedShare < 1 ? "near" : "full",
  };
}

function shareOf(
  used: number | null,
  { limit, remaining }: Pick<LimitStatus, "limit" | "remaining">,
): number | null {
  if (remaining === 0 || limit === 0) return 1;
  if (used === null || limit === null) return null;
  return Math.min(1, used / limit);
}

/** For sorting: of the tightest. */
export const tightestShare = (limits: readonly LimitStatus[]): number | null =>
  limitBars(limits)[0]?.usedShare ?? null;
