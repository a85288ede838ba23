// The rows of models and of providers in a StatusView: the same backends, gathered by what clients ask for or by owner.
import { coversModel } from "./backend.ts";
import { balanceRatio } from "./balance.ts";
import { OTHER } from "./model-label.ts";
import type { PoolSnapshot } from "./pool.ts";
import type { Route } from "./route.ts";
import { modelsOf } from "./resolve.ts";
import type { Slot } from "./seams.ts";
import { sentModel } from "./sent-model.ts";
import { isUsable } from "./standing.ts";
import type { BackendStatus, KeyStatus, ModelStatus, ProviderStatus } from "./status.ts";
import type { Tally } from "./tally.ts";
import { type Moment, readTraffic, sumEngines } from "./view-rows.ts";

export interface Rows {
  readonly backends: readonly BackendStatus[];
  readonly keys: readonly KeyStatus[];
  /** Ids of those that are keys: the others stand for addresses that need none. */
  readonly secretKeys: ReadonlySet<string>;
}

/** As many models are listed; routes come before models. */
const MOST_LISTED = 500;

export function viewModels(
  snapshot: PoolSnapshot,
  tally: Tally,
  { usable, moment }: { readonly usable: ReadonlySet<string>; readonly moment: Moment },
): readonly ModelStatus[] {
  const describe = (name: string, kind: ModelStatus["kind"], of: Members): ModelStatus => ({
    name,
    kind,
    strategy: of.strategy ?? null,
    backendsTotal: of.slots.length,
    backendsUsable: of.slots.filter((slot) => usable.has(slot.backend.id)).length,
    ...sumEngines(of.slots, moment.nowMs),
    ...readTraffic(tally.models.get(name), moment),
  });
  const row = (route: Route, kind: "route" | "pattern"): ModelStatus =>
    describe(route.name, kind, { slots: route.slots, strategy: route.strategy.name });
  const routes = [
    ...[...snapshot.routes.values()].map((route) => row(route, "route")),
    ...snapshot.patterns.map((route) => row(route, "pattern")),
  ];
  const taken = new Set(routes.map(({ name }) => name));
  const models = membersByModel(snapshot, tally)
    .filter(([name]) => !taken.has(name))
    .map(([name, of]) => describe(name, "model", of));
  const known = [...routes, ...models.slice(0, MOST_LISTED)];
  // A route may be called so, too: its row then stands for both.
  const isOtherMissing = tally.models.has(OTHER) && !known.some(({ name }) => name === OTHER);
  const other = isOtherMissing ? [describe(OTHER, "other", { slots: [] })] : [];
  return [...known, ...other].sort((a, b) => (a.name < b.name ? -1 : 1));
}

interface Members {
  readonly slots: readonly Slot[];
  readonly strategy?: string;
}

/** Configured ones and those of engines; of what hosted providers list, hundreds often, only what was used. */
function membersByModel(snapshot: PoolSnapshot, tally: Tally): readonly (readonly [string, Members])[] {
  const members = new Map<string, { slots: Slot[]; strategy: string }>();
  for (const provider of snapshot.providers) {
    const { route, spec } = provider;
    const configured = new Set(route.slots.flatMap(({ backend }) => backend.models));
    const isShown = (name: string) =>
      spec.kind === "engine" || configured.has(name) || tally.models.has(name);
    for (const name of modelsOf(provider)) {
      if (!isShown(name)) continue;
      const found = members.get(name) ?? { slots: [], strategy: route.strategy.name };
      members.set(name, found);
      for (const slot of route.slots) if (serves(slot, name)) found.slots.push(slot);
    }
  }
  return [...members];
}

/** Those that may serve what is counted by this name, as the rows above have them. */
export function slotsOfModel({ routes, patterns, providers }: PoolSnapshot, name: string): readonly Slot[] {
  const route = routes.get(name) ?? patterns.find((pattern) => pattern.name === name);
  if (route !== undefined) return route.slots;
  return providers
    .filter((provider) => modelsOf(provider).includes(name))
    .flatMap((provider) => provider.route.slots.filter((slot) => serves(slot, name)));
}

const serves = ({ backend, served }: Slot, name: string): boolean =>
  coversModel(backend.models, name) &&
  (served === undefined || served.has(sentModel(backend, name, undefined)));

export function viewProviders(
  snapshot: PoolSnapshot,
  tally: Tally,
  { rows, moment }: { readonly rows: Rows; readonly moment: Moment },
): readonly ProviderStatus[] {
  const backends = Map.groupBy(rows.backends, ({ provider }) => provider);
  const keys = Map.groupBy(rows.keys, ({ provider }) => provider);
  return snapshot.providers.map(({ spec, families, route }): ProviderStatus => {
    const ownBackends = backends.get(spec.name) ?? [];
    const ownKeys = keys.get(spec.name) ?? [];
    const secretKeys = ownKeys.filter(({ id }) => rows.secretKeys.has(id));
    return {
      name: spec.name,
      kind: spec.kind,
      families: [...families],
      backendsTotal: ownBackends.length,
      backendsUsable: ownBackends.filter(isUsable).length,
      keysTotal: secretKeys.length,
      keysUsable: secretKeys.filter(isUsable).length,
      ...sumEngines(route.slots, moment.nowMs),
      balanceRatio: balanceRatio(ownKeys),
      ...readTraffic(tally.providers.get(spec.name), moment),
    };
  });
}
