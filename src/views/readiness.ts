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

export function viewReadiness(snapshot: PoolSnapshot, nowMs: number, isDraining: boolean): Readiness {
  const usable = snapshot.slots.filter((slot) => {
    const [family] = familiesOf(slot.backend);
    if (family === undefined) return false;
    return (
      hindrance(slot, { family, listed: false, nowMs, ignoreHealth: false, ignoreMarks: true }) === undefined
    );
  }).length;
  const counts = { usable, backends: snapshot.slots.length };
  if (isDraining) return { ready: false, reason: "weir is stopping", ...counts };
  if (usable === 0) return { ready: false, reason: "no backend is usable at the moment", ...counts };
  return { ready: true, ...counts };
}
