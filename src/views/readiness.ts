// Whether weir can serve: what load balancers and container probes ask.
import { hindrance } from "../core/eligible.ts";
import { familiesOf, type PoolSnapshot } from "../core/pool.ts";

export interface Readiness {
  readonly ready: boolean;
  /** Why not, in words. */
  readonly reason?: string;
  readonly usable: number;
  readonly backends: number;
}

export interface Moment {
  readonly nowMs: number;
  readonly isDraining: boolean;
  /** True once the engines of the start have been asked whether they are up. */
  readonly enginesAsked: boolean;
}

/**
 * Hosted keys count at once; engines when their first round is over, since nobody knows before whether one is there.
 * A backend at its limits counts: it will be free again, and a weir that is busy should not lose its other clients.
 */
export function viewReadiness(
  snapshot: PoolSnapshot,
  { nowMs, isDraining, enginesAsked }: Moment,
): Readiness {
  const usable = snapshot.slots.filter((slot) => {
    const [family] = familiesOf(slot.backend);
    if (family === undefined) return false;
    if (slot.backend.kind === "engine" && !enginesAsked) return false;
    const found = hindrance(slot, {
      family,
      listed: false,
      estimatedTokens: 0,
      nowMs,
      ignoreHealth: false,
      ignoreMarks: true,
    });
    return found === undefined || found.kind === "limit";
  }).length;
  const counts = { usable, backends: snapshot.slots.length };
  const refuse = (reason: string): Readiness => ({ ready: false, reason, ...counts });
  if (isDraining) return refuse("weir is stopping");
  if (usable > 0) return { ready: true, ...counts };
  if (counts.backends === 0) return refuse("no backend is configured");
  return refuse(
    enginesAsked
      ? "no backend is usable at the moment"
      : "engines are being asked for the first time whether they are up",
  );
}
