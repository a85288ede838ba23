// The pool as it is configured: backends, providers, routes, aliases. pool.ts makes snapshots of it.
import type { Backend, Family, RouteTimeouts } from "./backend.ts";
import type { HealthSettings } from "./health.ts";
import type { RouteRetry } from "./route-retry.ts";
import type { CustomStrategies, StrategyOptions } from "./strategy.ts";

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
