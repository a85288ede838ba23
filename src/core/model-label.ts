// By which name a model is counted: one of the configuration or of a backend's list, never one that a caller made up.
import type { PoolSnapshot } from "./pool.ts";
import { modelsOf } from "./resolve.ts";

/** Counts every name that nobody knows. */
export const OTHER = "other";

/** A named route counts under its own name; a provider's route under the model's, as far as it is known. */
export type LabelModel = (route: string, model: string | undefined) => string;

/** Names are collected once a snapshot, when the first one is asked for. */
export function createModelLabels(snapshot: () => PoolSnapshot): LabelModel {
  let known = {
    of: undefined as PoolSnapshot | undefined,
    routes: new Set<string>(),
    models: new Set<string>(),
  };
  return (route, model) => {
    const current = snapshot();
    if (known.of !== current) known = { of: current, ...namesIn(current) };
    if (known.routes.has(route)) return route;
    return model !== undefined && known.models.has(model) ? model : OTHER;
  };
}

function namesIn(snapshot: PoolSnapshot): { routes: Set<string>; models: Set<string> } {
  const sent = snapshot.slots.flatMap(({ backend }) => backend.upstreamModel ?? []);
  return {
    routes: new Set([...snapshot.routes.keys(), ...snapshot.patterns.map(({ name }) => name)]),
    models: new Set([...sent, ...snapshot.providers.flatMap(modelsOf)]),
  };
}
