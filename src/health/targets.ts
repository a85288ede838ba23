// What there is to probe and to scrape in a pool: one target for all backends that one question answers for.
import type { Backend } from "../core/backend.ts";
import type { ModelsRoute, PoolSnapshot } from "../core/pool.ts";
import type { BackendState } from "../core/backend-state.ts";

export interface Target {
  /** The same as long as the question is the same. */
  readonly key: string;
  /** The first of them: its address and key are asked with. */
  readonly backend: Backend;
  readonly ids: readonly string[];
  readonly route: ModelsRoute;
}

/** By address and key: two keys at one engine may be allowed different models, and one of them may be wrong. */
export function probeTargets(snapshot: PoolSnapshot): ReadonlyMap<string, Target> {
  const targets = new Map<string, Target>();
  for (const { spec, route } of snapshot.providers) {
    const { modelsRoute } = spec;
    if (spec.kind !== "engine" || modelsRoute === undefined) continue;
    for (const { backend } of route.slots) {
      const endpoint = backend.endpoints[modelsRoute.family];
      if (endpoint === undefined) continue;
      const key = backend.credential.secret === undefined ? "" : backend.credential.id;
      addTo(targets, {
        key: `${endpoint.baseUrl}${modelsRoute.path} ${backend.hostHeader ?? ""} ${key}`,
        backend,
        ids: [backend.id],
        route: modelsRoute,
      });
    }
  }
  return targets;
}

/** By server, whatever the key: metrics are the engine's. Only those that were probed and found up. */
export function scrapeTargets(snapshot: PoolSnapshot): ReadonlyMap<string, Target> {
  const states = statesById(snapshot);
  const targets = new Map<string, Target>();
  for (const target of probeTargets(snapshot).values()) {
    const ids = target.ids.filter((id) => states.get(id)?.health.standing === "up");
    const endpoint = target.backend.endpoints[target.route.family];
    if (endpoint === undefined || ids.length === 0) continue;
    const key = `${endpoint.baseUrl} ${target.backend.hostHeader ?? ""}`;
    addTo(targets, { ...target, key, ids });
  }
  return targets;
}

function addTo(targets: Map<string, Target>, target: Target): void {
  const before = targets.get(target.key);
  const ids = before === undefined ? target.ids : [...before.ids, ...target.ids];
  targets.set(target.key, { ...(before ?? target), ids });
}

export function statesById(snapshot: PoolSnapshot): ReadonlyMap<string, BackendState> {
  return new Map(snapshot.slots.map(({ state }) => [state.id, state]));
}

/** The states of a target's backends that are still in the pool. */
export function statesOf(snapshot: PoolSnapshot, { ids }: Target): readonly BackendState[] {
  return snapshot.slots.flatMap(({ state }) => (ids.includes(state.id) ? state : []));
}
