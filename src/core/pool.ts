// The pool that requests read: one frozen snapshot of all slots and routes, replaced whole by its writers.
import type { Backend, Family, RouteTimeouts } from "./backend.ts";
import type { HealthSettings } from "./health.ts";
import type { RouteRetry } from "./route-retry.ts";
import type { Level, Slot, Strategy } from "./seams.ts";
import { createTokenMean, type TokenMean } from "./estimate.ts";
import { type BackendState, createBackendState } from "./backend-state.ts";
import { createCredentialState, type CredentialState, joinGroup } from "./credential-state.ts";
import { setLimits } from "./record.ts";
import { createStrategy, type CustomStrategies, isMadeOf, type StrategyOptions } from "./strategy.ts";

export type { RouteTimeouts };

/** What a client's model name leads to, as configured. */
export interface RouteSpec {
  /** Model name or pattern with `*`; for a provider's own route, the provider's name. */
  readonly name: string;
  readonly backendIds: readonly string[];
  /** Weight and priority in this route, in place of the backend's own. */
  readonly shares?: ReadonlyMap<string, Share>;
  /** A pattern that is asked only when no provider offers the name. */
  readonly isLast?: boolean;
  readonly strategy: string;
  readonly strategyOptions?: StrategyOptions;
  /** Keeps a conversation on one backend; absent: none. */
  readonly affinity?: Affinity;
  readonly timeouts?: RouteTimeouts;
  /** Not listed among the models; can be called all the same. */
  readonly hidden?: boolean;
  readonly retry?: RouteRetry;
  /** The request's tags choose among the backends: one that has any of them, or one that has all. */
  readonly tagged?: { readonly match: "any" | "all" };
}

export interface Share {
  /** 0 is drained. */
  readonly weight: number;
  /** Lower first. */
  readonly priority: number;
}

/**
 * By the request's own `prompt_cache_key`, session header or first message; by the value of a header; or always to the
 * first usable key, for objects that live in one account.
 */
export type Affinity =
  | { readonly kind: "session" }
  | { readonly kind: "account" }
  | { readonly kind: "header"; readonly name: string };

/** Another name for a model. */
export interface AliasSpec {
  readonly model: string;
  /** Not listed among the models. */
  readonly hidden: boolean;
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
  /** False: only named routes lead to it, no model's name by itself. */
  readonly isOffered?: boolean;
  readonly kind: "hosted" | "engine";
  /** The family that its addresses are for in the first place; others are additions. */
  readonly main: Family;
  /** The naming rule: true for model names that this provider invented. */
  readonly ownsModel: (model: string) => boolean;
  /** Absent where no list tells what can be called. */
  readonly modelsRoute?: ModelsRoute;
  /** True: `name:model` leads to it too. */
  readonly colonPrefix?: true;
  /** For engines; over the general ones. */
  readonly health?: Partial<HealthSettings>;
}

export interface PoolSpec {
  readonly backends: readonly Backend[];
  /** In the order of the configuration. */
  readonly providers: readonly ProviderSpec[];
  /** One for each provider, named like it: all its backends. */
  readonly providerRoutes: readonly RouteSpec[];
  /** By model name or pattern. */
  readonly routes?: readonly RouteSpec[];
  readonly aliases?: ReadonlyMap<string, AliasSpec>;
  /** The model that stands in when a routed JSON request names none; absent: as the operation's own rule says. */
  readonly modelless?: string;
  /** Every `custom:` strategy that a route names. */
  readonly customStrategies?: CustomStrategies;
}

export interface Route {
  readonly name: string;
  readonly strategy: Strategy;
  /** By priority, lowest first; drained slots are in none. */
  readonly levels: readonly Level[];
  /** Every slot of the route, drained ones included. */
  readonly slots: readonly Slot[];
  readonly affinity?: Affinity;
  readonly timeouts?: RouteTimeouts;
  /** The name, where it is a pattern. */
  readonly pattern?: string;
  /** See RouteSpec. */
  readonly isLast?: boolean;
  readonly hidden?: boolean;
  readonly retry?: RouteRetry;
  readonly tagged?: RouteSpec["tagged"];
  /** Kept across reloads by name. */
  readonly tokenMean: TokenMean;
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

/** Keys with the same quota group at a provider are limited as one. */
function joinGroups(slots: readonly Slot[]): void {
  const groups = new Map<string, Set<CredentialState>>();
  for (const { backend, keyState } of slots) {
    const { id, provider, quotaGroup } = backend.credential;
    const name = quotaGroup === undefined ? `key ${id}` : `group ${provider} ${quotaGroup}`;
    const members = groups.get(name) ?? new Set();
    groups.set(name, members.add(keyState));
  }
  for (const members of groups.values()) joinGroup([...members]);
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
  setLimits(keyState, backend.credential.limits);
  const state = states.get(backend.id) ?? createBackendState(backend.id);
  setLimits(state, backend.limits);
  const models = backend.kind === "engine" ? discovered.get(backend.id) : undefined;
  return { backend, state, keyState, ...(models === undefined ? {} : { served: new Set(models) }) };
}

interface RouteParts {
  readonly byId: ReadonlyMap<string, Slot>;
  readonly custom: CustomStrategies | undefined;
}

function joinRoute(spec: RouteSpec, { byId, custom }: RouteParts, before: Route | undefined): Route {
  const slots = spec.backendIds.flatMap((id) => byId.get(id) ?? []);
  const levels = levelsOf(slots, spec.shares);
  const terms = { options: spec.strategyOptions, custom };
  const unchanged =
    before !== undefined &&
    isMadeOf(before.strategy, spec.strategy, terms) &&
    sameShape(before.levels, levels);
  return {
    name: spec.name,
    strategy: unchanged ? before.strategy : createStrategy(spec.strategy, terms),
    levels,
    slots,
    tokenMean: before?.tokenMean ?? createTokenMean(),
    ...(spec.affinity === undefined ? {} : { affinity: spec.affinity }),
    ...(spec.timeouts === undefined ? {} : { timeouts: spec.timeouts }),
    ...(spec.name.includes("*") ? { pattern: spec.name } : {}),
    ...(spec.isLast === undefined ? {} : { isLast: spec.isLast }),
    ...(spec.hidden === undefined ? {} : { hidden: spec.hidden }),
    ...(spec.retry === undefined ? {} : { retry: spec.retry }),
    ...(spec.tagged === undefined ? {} : { tagged: spec.tagged }),
  };
}

/** Slots by priority. Weight 0 is drained, but when all of a route are 0 they count as equal. */
export function levelsOf(slots: readonly Slot[], shares?: ReadonlyMap<string, Share>): readonly Level[] {
  const shareOf = ({ backend }: Slot): Share => shares?.get(backend.id) ?? backend;
  const allDrained = slots.every((slot) => shareOf(slot).weight === 0);
  const usable = slots.filter((slot) => allDrained || shareOf(slot).weight > 0);
  const priorities = [...new Set(usable.map((slot) => shareOf(slot).priority))].sort((a, b) => a - b);
  return priorities.map((priority) => {
    const members = usable.filter((slot) => shareOf(slot).priority === priority);
    return {
      priority,
      slots: members,
      weights: members.map((slot) => (allDrained ? 1 : shareOf(slot).weight)),
    };
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
