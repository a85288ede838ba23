// What there is to probe and to scrape in a pool: one target for all backends that one question answers for.
import type { Backend } from "../core/backend.ts";
import type { HealthSettings } from "../core/health.ts";
import type { PoolSnapshot } from "../core/pool.ts";
import type { ModelsRoute } from "../core/pool-spec.ts";
import type { BackendState } from "../core/backend-state.ts";

export interface Target {
  /** The same as long as the question is the same. */
  readonly key: string;
  /** The first of them: its address and key are asked with. */
  readonly backend: Backend;
  readonly ids: readonly string[];
  readonly route: ModelsRoute;
  /** Its provider's own settings; the first provider's, where several have the server. */
  readonly health?: Partial<HealthSettings>;
}

/** By address and key: two keys at one engine may be allowed different models, and one of them may be wrong. */
export function probeTargets(snapshot: PoolSnapshot): ReadonlyMap<string, Target> {
  const targets = new Map<string, Target>();
  for (const { spec } of snapshot.providers) {
    const { modelsRoute, health } = spec;
    if (spec.kind !== "engine" || modelsRoute === undefined) continue;
    // Those of named routes too: they are the same servers under other models' names.
    for (const { backend } of snapshot.slots) {
      if (backend.provider !== spec.name) continue;
      const endpoint = backend.endpoints[modelsRoute.family];
      if (endpoint === undefined) continue;
      const key = backend.credential.secret === undefined ? "" : backend.credential.id;
      addTo(targets, {
        key: `${endpoint.baseUrl}${modelsRoute.path} ${backend.hostHeader ?? ""} ${key}`,
        backend,
        ids: [backend.id],
        route: modelsRoute,
        ...(health === undefined ? {} : { health }),
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

/** Tells which of the targets have other settings of their own than when it was last asked. */
export function watchSettings(): (targets: ReadonlyMap<string, Target>) => ReadonlySet<string> {
  let before: ReadonlyMap<string, string> = new Map();
  return (targets) => {
    const texts = new Map([...targets].map(([key, { health = {} }]) => [key, JSON.stringify(health)]));
    const changed = [...texts.keys()].filter((key) => before.has(key) && before.get(key) !== texts.get(key));
    before = texts;
    return new Set(changed);
  };
}

export function statesById(snapshot: PoolSnapshot): ReadonlyMap<string, BackendState> {
  return new Map(snapshot.slots.map(({ state }) => [state.id, state]));
}

/** The states of a target's backends that are still in the pool. */
export function statesOf(snapshot: PoolSnapshot, { ids }: Target): readonly BackendState[] {
  return snapshot.slots.flatMap(({ state }) => (ids.includes(state.id) ? state : []));
}
