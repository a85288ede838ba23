// From a model name to the route that may serve it; the order of the steps is the contract's section 4.
import { type Family, matchesPattern } from "./backend.ts";
import { nearestNames } from "./nearest.ts";
import type { PoolSnapshot, ProviderView } from "./pool.ts";
import type { Route } from "./route.ts";

export interface Resolution {
  readonly kind: "route";
  readonly route: Route;
  /** The name to send upstream, unless the backend has its own. */
  readonly model: string;
  /** Which step found it, for explanations. */
  readonly by:
    | "route"
    | "alias"
    | "pattern"
    | "prefix"
    | "discovery"
    | "configuration"
    | "naming rule"
    | "only provider";
}

export interface Unknown {
  readonly kind: "unknown";
  readonly near: readonly string[];
}

const MOST_NEAR_NAMES = 5;

export function resolveModel(snapshot: PoolSnapshot, family: Family, model: string): Resolution | Unknown {
  const alias = snapshot.spec.aliases?.get(model);
  const named =
    byRoute(snapshot, model) ?? (alias === undefined ? undefined : byAlias(snapshot, family, alias.model));
  if (named !== undefined) return named;
  const providers = snapshot.providers.filter(
    ({ families, spec }) => families.has(family) && spec.isOffered !== false,
  );
  const found =
    byColon(snapshot, family, model) ??
    byPrefix(providers, model) ??
    byPattern(snapshot, model, false) ??
    byOffer(providers, model) ??
    byPattern(snapshot, model, true) ??
    byOnlyOne(providers, model);
  return (
    found ?? { kind: "unknown", near: nearestNames(model, knownModels(snapshot, family), MOST_NEAR_NAMES) }
  );
}

function byRoute(snapshot: PoolSnapshot, model: string): Resolution | undefined {
  const route = snapshot.routes.get(model);
  return route === undefined ? undefined : { kind: "route", route, model, by: "route" };
}

/** An alias leads to what its model leads to; one that leads to another alias does not go on. */
function byAlias(snapshot: PoolSnapshot, family: Family, model: string): Resolution | undefined {
  const found =
    byRoute(snapshot, model) ??
    resolveModel({ ...snapshot, spec: withoutAliases(snapshot.spec) }, family, model);
  return found.kind === "route" ? { ...found, by: "alias" } : undefined;
}

const withoutAliases = (spec: PoolSnapshot["spec"]): PoolSnapshot["spec"] => ({
  ...spec,
  aliases: new Map(),
});

function byPattern(snapshot: PoolSnapshot, model: string, last: boolean): Resolution | undefined {
  const route = snapshot.patterns.find(
    ({ name, isLast = false }) => isLast === last && matchesPattern(name, model),
  );
  return route === undefined ? undefined : { kind: "route", route, model, by: "pattern" };
}

/** `provider:model` for providers that allow it: an engine's own names have colons too (`mistral-small:24b`). */
function byColon({ providers }: PoolSnapshot, family: Family, model: string): Resolution | undefined {
  const colon = model.indexOf(":");
  if (colon <= 0 || colon === model.length - 1) return undefined;
  const name = model.slice(0, colon).toLowerCase();
  const provider = providers.find(
    ({ spec, families }) => spec.colonPrefix === true && spec.name === name && families.has(family),
  );
  return provider && { kind: "route", route: provider.route, model: model.slice(colon + 1), by: "prefix" };
}

/** `provider/model` when that provider is configured; the prefix is not sent upstream. */
function byPrefix(providers: readonly ProviderView[], model: string): Resolution | undefined {
  const slash = model.indexOf("/");
  if (slash <= 0 || slash === model.length - 1) return undefined;
  const name = model.slice(0, slash).toLowerCase();
  const provider = providers.find((each) => each.spec.name === name);
  if (provider === undefined) return undefined;
  // `groq/compound` is the whole name of a model of groq's.
  if (provider.spec.ownsModel(model))
    return { kind: "route", route: provider.route, model, by: "naming rule" };
  const rest = model.slice(slash + 1);
  // An aggregator may list the name with its prefix: then that whole name is the model.
  if (provider.models.includes(model) && !provider.models.includes(rest))
    return { kind: "route", route: provider.route, model, by: "discovery" };
  return { kind: "route", route: provider.route, model: rest, by: "prefix" };
}

function byOffer(providers: readonly ProviderView[], model: string): Resolution | undefined {
  const willing = providers.filter((provider) => offers(provider, model));
  const lists = willing.find((provider) => provider.models.includes(model) || namesModel(provider, model));
  if (lists !== undefined) {
    // A name that only the configuration gives says nothing about which engine has it.
    const by = lists.models.includes(model) ? "discovery" : "configuration";
    return { kind: "route", route: lists.route, model, by };
  }
  const owner = willing.find((provider) => provider.spec.ownsModel(model));
  return owner && { kind: "route", route: owner.route, model, by: "naming rule" };
}

function byOnlyOne(providers: readonly ProviderView[], model: string): Resolution | undefined {
  const [only] = providers;
  if (only === undefined || providers.length > 1 || !offers(only, model)) return undefined;
  return { kind: "route", route: only.route, model, by: "only provider" };
}

const offers = (provider: ProviderView, model: string): boolean =>
  provider.takesAny || namesModel(provider, model);

/** True when the configuration names the model itself (`P_MODELS`). */
const namesModel = ({ patterns }: ProviderView, model: string): boolean =>
  patterns.some((pattern) => matchesPattern(pattern, model));

/** Every model name that a client of this family could use, as far as known; configured names before discovered ones. */
export function knownModels(snapshot: PoolSnapshot, family: Family): readonly string[] {
  const offered = snapshot.providers
    .filter(({ families, spec }) => families.has(family) && spec.isOffered !== false)
    .flatMap(modelsOf)
    .filter((model) => !isHidden(snapshot, model));
  return [...new Set([...namedModels(snapshot), ...offered])];
}

/** Routes and aliases by name, without the hidden ones. */
export function namedModels(snapshot: PoolSnapshot): readonly string[] {
  const names = [...snapshot.routes.keys(), ...(snapshot.spec.aliases?.keys() ?? [])];
  return [...new Set(names)].filter((name) => !isHidden(snapshot, name));
}

/** True for names that lists leave out; a route stands before an alias of its name, as in resolving. */
export function isHidden({ routes, spec }: PoolSnapshot, name: string): boolean {
  return (routes.get(name) ?? spec.aliases?.get(name))?.hidden === true;
}

/** What one provider offers: plain configured names, and what it lists as far as the configuration allows it. */
export function modelsOf(provider: ProviderView): readonly string[] {
  const plain = provider.patterns.filter((pattern) => !pattern.includes("*"));
  const listed = provider.models.filter((model) => offers(provider, model));
  return [...new Set([...plain, ...listed])];
}

/**
 * Where a request without a model goes: the provider named, else the first whose main family it is,
 * else the first that speaks it at all. Undefined when nobody does.
 */
export function resolveProvider(
  snapshot: PoolSnapshot,
  family: Family,
  name: string | undefined,
): ProviderView | undefined {
  const speakers = snapshot.providers.filter((provider) => provider.families.has(family));
  if (name !== undefined) return speakers.find((provider) => provider.spec.name === name.toLowerCase());
  return speakers.find((provider) => provider.spec.main === family) ?? speakers[0];
}
