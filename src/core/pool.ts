// The pool that requests read: one frozen snapshot of all slots and routes, replaced whole by its writers.
import type { Backend, Family } from "./backend.ts";
import type { Level, Slot, Strategy } from "./seams.ts";
import {
  type BackendState,
  createBackendState,
  createCredentialState,
  type CredentialState,
} from "./state.ts";
import { createStrategy } from "./strategy.ts";

/** What a client's model name leads to, as configured. */
export interface RouteSpec {
  /** Model name or pattern with `*`; for a provider's own route, the provider's name. */
  readonly name: string;
  readonly backendIds: readonly string[];
  readonly strategy: string;
}

/** How a provider's list of models is asked for: `GET` of `path` below the base of `family`, with that family's key. */
export interface ModelsRoute {
  readonly family: Family;
  /** May carry a query: `/models?limit=1000`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ProviderSpec {
  /** The configured name; `provider/model` refers to it. */
  readonly name: string;
  readonly kind: "hosted" | "engine";
  /** The family that its addresses are for in the first place; others are additions. */
  readonly main: Family;
  /** The naming rule: true for model names that this provider invented. */
  readonly ownsModel: (model: string) => boolean;
  /** Absent where no list tells what can be called. */
  readonly modelsRoute?: ModelsRoute;
}

export interface PoolSpec {
  readonly backends: readonly Backend[];
  /** In the order of the configuration. */
  readonly providers: readonly ProviderSpec[];
  /** One for each provider, named like it: all its backends. */
  readonly providerRoutes: readonly RouteSpec[];
}

export interface Route {
  readonly name: string;
  readonly strategy: Strategy;
  /** By priority, lowest first; drained slots are in none. */
  readonly levels: readonly Level[];
  /** Every slot of the route, drained ones included. */
  readonly slots: readonly Slot[];
}

/** A provider with the route over all its backends and the models it is known to offer. */
export interface ProviderView {
  readonly spec: ProviderSpec;
  readonly route: Route;
  readonly families: ReadonlySet<Family>;
  readonly models: readonly string[];
}

export interface PoolSnapshot {
  readonly version: number;
  readonly slots: readonly Slot[];
  readonly providers: readonly ProviderView[];
  /** Models by backend id, as last discovered. */
  readonly discovered: ReadonlyMap<string, readonly string[]>;
  readonly spec: PoolSpec;
}

/** The one reference that readers take once per attempt. */
export interface Pool {
  readonly current: PoolSnapshot;
  /** Writers build a complete snapshot from the current one; the assignment is the only step readers can see. */
  readonly replace: (build: (previous: PoolSnapshot) => PoolSnapshot) => void;
}

export function createPool(spec: PoolSpec): Pool {
  let current = nextSnapshot(undefined, spec);
  return {
    get current() {
      return current;
    },
    replace(build) {
      current = build(current);
    },
  };
}

/** A snapshot of `spec` that keeps the observed state, strategies and discoveries of what stays. */
export function nextSnapshot(previous: PoolSnapshot | undefined, spec: PoolSpec): PoolSnapshot {
  return assemble(previous, spec, previous?.discovered ?? new Map());
}

/** The same pool with the models that some backends were found to serve. */
export function withModels(
  previous: PoolSnapshot,
  found: ReadonlyMap<string, readonly string[]>,
): PoolSnapshot {
  return assemble(previous, previous.spec, new Map([...previous.discovered, ...found]));
}

function assemble(
  previous: PoolSnapshot | undefined,
  spec: PoolSpec,
  discovered: ReadonlyMap<string, readonly string[]>,
): PoolSnapshot {
  const states = new Map(previous?.slots.map((slot) => [slot.backend.id, slot.state]));
  const keyStates = new Map(previous?.slots.map((slot) => [slot.backend.credential.id, slot.keyState]));
  const slots = spec.backends.map((backend) => joinSlot(backend, states, keyStates, discovered));
  const byId = new Map(slots.map((slot) => [slot.backend.id, slot]));
  const providers = spec.providers.map((provider): ProviderView => {
    const routeSpec = spec.providerRoutes.find((route) => route.name === provider.name);
    if (routeSpec === undefined)
      throw new RangeError(`cannot build pool: provider "${provider.name}" has no route`);
    const before = previous?.providers.find((view) => view.spec.name === provider.name)?.route;
    const route = joinRoute(routeSpec, byId, before);
    return {
      spec: provider,
      route,
      families: new Set(route.slots.flatMap((slot) => familiesOf(slot.backend))),
      models: [...new Set(route.slots.flatMap((slot) => discovered.get(slot.backend.id) ?? []))],
    };
  });
  const known = new Map([...discovered].filter(([id]) => byId.has(id)));
  return { version: (previous?.version ?? 0) + 1, slots, providers, discovered: known, spec };
}

function joinSlot(
  backend: Backend,
  states: ReadonlyMap<string, BackendState>,
  keyStates: Map<string, CredentialState>,
  discovered: ReadonlyMap<string, readonly string[]>,
): Slot {
  const keyId = backend.credential.id;
  const keyState = keyStates.get(keyId) ?? createCredentialState(keyId);
  keyStates.set(keyId, keyState);
  const state = states.get(backend.id) ?? createBackendState(backend.id);
  const models = backend.kind === "engine" ? discovered.get(backend.id) : undefined;
  return { backend, state, keyState, ...(models === undefined ? {} : { served: new Set(models) }) };
}

function joinRoute(spec: RouteSpec, byId: ReadonlyMap<string, Slot>, before: Route | undefined): Route {
  const slots = spec.backendIds.flatMap((id) => byId.get(id) ?? []);
  const levels = levelsOf(slots);
  const unchanged =
    before !== undefined && before.strategy.name === spec.strategy && sameShape(before.levels, levels);
  return {
    name: spec.name,
    strategy: unchanged ? before.strategy : createStrategy(spec.strategy),
    levels,
    slots,
  };
}

/** Slots by priority. Weight 0 is drained, but when all of a route are 0 they count as equal. */
export function levelsOf(slots: readonly Slot[]): readonly Level[] {
  const allDrained = slots.every((slot) => slot.backend.weight === 0);
  const usable = slots.filter((slot) => allDrained || slot.backend.weight > 0);
  const priorities = [...new Set(usable.map((slot) => slot.backend.priority))].sort((a, b) => a - b);
  return priorities.map((priority) => {
    const members = usable.filter((slot) => slot.backend.priority === priority);
    return { slots: members, weights: members.map((slot) => (allDrained ? 1 : slot.backend.weight)) };
  });
}

/** True when a strategy's cursor over the one levels still makes sense over the other. */
function sameShape(before: readonly Level[], after: readonly Level[]): boolean {
  return shapeOf(before) === shapeOf(after);
}

function shapeOf(levels: readonly Level[]): string {
  return JSON.stringify(
    levels.map(({ slots, weights }) => slots.map((slot, at) => [slot.backend.id, weights[at]])),
  );
}

export function familiesOf(backend: Backend): readonly Family[] {
  const all: readonly Family[] = ["openai", "anthropic", "gemini"];
  return all.filter((family) => backend.endpoints[family] !== undefined);
}
