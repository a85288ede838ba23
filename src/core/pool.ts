// The pool that requests read: one frozen snapshot of all slots and routes, replaced whole by its writers.
import type { Backend, Family } from "./backend.ts";
import { type BackendState, createBackendState, setLimits } from "./backend-state.ts";
import type { Limits } from "./credential.ts";
import { createCredentialState, type CredentialState, joinGroup } from "./credential-state.ts";
import type { PoolSpec, ProviderSpec } from "./pool-spec.ts";
import type { LimitSet } from "./limit.ts";
import { joinRoute, type Route } from "./route.ts";
import type { Slot } from "./seams.ts";

/** A provider with the route over all its backends and the models it is known to offer. */
export interface ProviderView {
  readonly spec: ProviderSpec;
  readonly route: Route;
  readonly families: ReadonlySet<Family>;
  readonly models: readonly string[];
  /** True when one of its backends takes any model. */
  readonly takesAny: boolean;
  /** What the others are limited to, each once: requests are led by these, without a look at every backend. */
  readonly patterns: readonly string[];
}

export interface PoolSnapshot {
  readonly version: number;
  readonly slots: readonly Slot[];
  readonly providers: readonly ProviderView[];
  /** Named routes; for patterns, the longest first. */
  readonly routes: ReadonlyMap<string, Route>;
  readonly patterns: readonly Route[];
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
  joinGroups(slots);
  const byId = new Map(slots.map((slot) => [slot.backend.id, slot]));
  const custom = spec.customStrategies;
  const named = (spec.routes ?? []).map((route) =>
    joinRoute(route, { byId, custom }, findRoute(previous, route.name)),
  );
  const providers = spec.providers.map((provider): ProviderView => {
    const routeSpec = spec.providerRoutes.find((route) => route.name === provider.name);
    if (routeSpec === undefined)
      throw new RangeError(`cannot build pool: provider "${provider.name}" has no route`);
    const before = previous?.providers.find((view) => view.spec.name === provider.name)?.route;
    const route = joinRoute(routeSpec, { byId, custom }, before);
    return {
      spec: provider,
      route,
      families: new Set(route.slots.flatMap((slot) => familiesOf(slot.backend))),
      models: [...new Set(route.slots.flatMap((slot) => discovered.get(slot.backend.id) ?? []))],
      takesAny: route.slots.some(({ backend }) => backend.models.length === 0),
      patterns: [...new Set(route.slots.flatMap(({ backend }) => backend.models))],
    };
  });
  const known = new Map([...discovered].filter(([id]) => byId.has(id)));
  const patterns = named
    .filter(({ pattern }) => pattern !== undefined)
    .sort((a, b) => b.name.length - a.name.length);
  const plain = named.filter(({ pattern }) => pattern === undefined);
  const routes = new Map(plain.map((route) => [route.name, route]));
  return {
    version: (previous?.version ?? 0) + 1,
    slots,
    providers,
    routes,
    patterns,
    discovered: known,
    spec,
  };
}

function findRoute(snapshot: PoolSnapshot | undefined, name: string): Route | undefined {
  return snapshot?.routes.get(name) ?? snapshot?.patterns.find((route) => route.name === name);
}

/** Keys with the same quota group at a provider are limited as one, by the limits of the first that has any. */
function joinGroups(slots: readonly Slot[]): void {
  const groups = new Map<string, { readonly members: Set<CredentialState>; limits: Limits }>();
  for (const { backend, keyState } of slots) {
    const { id, provider, quotaGroup, limits } = backend.credential;
    const name = quotaGroup === undefined ? `key ${id}` : `group ${provider} ${quotaGroup}`;
    const group = groups.get(name) ?? { members: new Set(), limits };
    group.members.add(keyState);
    if (Object.keys(group.limits).length === 0) group.limits = limits;
    groups.set(name, group);
  }
  const taken = new Set<LimitSet>();
  for (const { members, limits } of groups.values()) {
    const shared = joinGroup([...members], limits, taken);
    if (shared !== undefined) taken.add(shared);
  }
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
  setLimits(state, backend.limits);
  const models = backend.kind === "engine" ? discovered.get(backend.id) : undefined;
  return { backend, state, keyState, ...(models === undefined ? {} : { served: new Set(models) }) };
}

const FAMILIES: readonly Family[] = ["openai", "anthropic", "gemini"];

/** Backends do not change, and each display asks for all of them. */
const familiesByBackend = new WeakMap<Backend, readonly Family[]>();

export function familiesOf(backend: Backend): readonly Family[] {
  let found = familiesByBackend.get(backend);
  if (found === undefined) {
    found = FAMILIES.filter((family) => backend.endpoints[family] !== undefined);
    familiesByBackend.set(backend, found);
  }
  return found;
}
