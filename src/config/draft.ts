// What configuration files ask for, whatever their format: the common ground that the own format and the dialects are
// read into, and that join-draft.ts makes backends and routes of.
import type { Limits, Secret } from "../core/credential.ts";
import type { KeyPlacement, RouteTimeouts } from "../core/backend.ts";
import type { Affinity, AliasSpec } from "../core/pool-spec.ts";
import type { RouteRetry } from "../core/route-retry.ts";
import type { StrategyOptions } from "../core/strategy.ts";
import type { WebhookConfig } from "../core/webhook.ts";
import type { AzureVersion } from "./azure.ts";
import type { ReadFile } from "./files.ts";
import type { Notes } from "./problem.ts";
import type { OptionKey } from "./options.ts";
import type { Provider } from "./providers.ts";
import type { Given } from "./resolve-options.ts";
import type { Node, Place } from "./tree.ts";
import type { Variables } from "./variables.ts";

export interface Draft {
  /** True for other systems' formats: beside them provider variables only fill references. */
  readonly isForeign: boolean;
  /** As texts that the option's own reader understands, so that files and variables have one meaning. */
  readonly options: ReadonlyMap<OptionKey, Given>;
  readonly providers: readonly DraftProvider[];
  readonly routes: readonly DraftRoute[];
  readonly aliases: readonly DraftAlias[];
  readonly fallbacks: readonly DraftFallbacks[];
  /** The model that stands in when a request names none. */
  readonly modelless?: string;
  /** How many models of fallbacks a request goes on with, below weir's own bound. */
  readonly mostFallbacks?: number;
  /** Instead of the option's, which is the variable's form of it; flag and variable win. */
  readonly webhooks?: readonly WebhookConfig[];
  /** Where its system would listen, of a file that leaves it open. */
  readonly usualAddress?: { readonly system: string; readonly address: string; readonly at: Place };
}

export interface DraftProvider {
  /** Lower case; `provider/model` and targets refer to it. */
  readonly name: string;
  readonly at: Place;
  /** Its row of the table, or one of its own making: families, paths, key placement, naming rule. */
  readonly base: Provider;
  /** Empty: the provider's own address. */
  readonly addresses: readonly DraftAddress[];
  /** Empty where none are needed. */
  readonly keys: readonly DraftKey[];
  /** For each key; for each address where there are no keys. */
  readonly limits: Limits;
  readonly quotaGroup?: string;
  /** Only these (`*` wildcard); empty: any. */
  readonly models: readonly string[];
  /** Azure's way of addressing. */
  readonly azureVersion?: AzureVersion;
  /** In place of where the table puts the key, for every family. */
  readonly keyPlacement?: KeyPlacement;
  readonly headers?: Readonly<Record<string, string | Secret>>;
  readonly terminalEvent?: "optional";
  readonly health?: DraftHealth;
  readonly cooldown?: DraftCooldown;
  readonly timeouts?: RouteTimeouts;
  /** False: only routes lead to it, never a model's name by itself (rows of LiteLLM, targets of TrustGate). */
  readonly isOffered: boolean;
  /** `name:model` reaches it too (LMRouter). */
  readonly colonPrefix?: true;
}

export interface DraftAddress {
  readonly origin: string;
  /** Without slash at the end; empty: the provider's own. */
  readonly path: string;
  /** 0 is drained. */
  readonly weight: number;
  readonly at: Place;
}

export interface DraftKey {
  readonly secret: Secret;
  readonly weight: number;
  /** Over the provider's. */
  readonly limits?: Limits;
  /** In place of the provider's. */
  readonly models?: readonly string[];
  readonly quotaGroup?: string;
  readonly at: Place;
}

/** Milliseconds; `threshold` counts failed probes. */
export interface DraftHealth {
  readonly intervalMs?: number;
  readonly fastIntervalMs?: number;
  readonly timeoutMs?: number;
  readonly threshold?: number;
  readonly metricsIntervalMs?: number;
}

/** See Backend.cooldown. */
export interface DraftCooldown {
  readonly threshold?: number;
  readonly firstMs?: number;
  readonly maxMs?: number;
  readonly windowMs?: number;
}

export interface DraftRoute {
  /** Model name or pattern. */
  readonly name: string;
  readonly at: Place;
  readonly targets: readonly DraftTarget[];
  /** As users may write it; absent: the general one, least-waiting where all targets are engines. */
  readonly strategy?: Given;
  readonly strategyOptions?: StrategyOptions;
  readonly affinity?: Affinity;
  readonly timeouts?: RouteTimeouts;
  readonly retry?: RouteRetry;
  readonly isHidden?: true;
  /** A pattern that is asked only when no provider offers the name. */
  readonly isLast?: true;
  /** Requests are told apart by tags: any or all of a request's must fit. */
  readonly tagged?: "any" | "all";
}

/**
 * Some or all backends of a provider. `weight` is the target's share of the route, split over its keys and addresses by
 * their own weights; when no target of a route has one, every key counts by its own.
 */
export interface DraftTarget {
  readonly provider: string;
  readonly at: Place;
  /** Only the backends with this key, at this address (origin and path as in DraftAddress). */
  readonly key?: Secret;
  readonly address?: Pick<DraftAddress, "origin" | "path">;
  /** The route whose target this one is too: both have one state and one set of limits. Absent: its own route. */
  readonly sharedWith?: string;
  /** The name upstream, `*` filled with what the route's pattern captured; absent: as the client wrote it. */
  readonly model?: string;
  readonly weight?: number;
  /** Lower first; 1 when absent. */
  readonly priority?: number;
  /** Of this model at this place, beside the key's. */
  readonly limits?: Limits;
  readonly price?: { readonly inputPerToken: number; readonly outputPerToken: number };
  readonly tags?: readonly string[];
  readonly timeouts?: RouteTimeouts;
  readonly cooldown?: DraftCooldown;
  readonly headers?: Readonly<Record<string, string | Secret>>;
}

export interface DraftAlias {
  readonly name: string;
  readonly at: Place;
  readonly spec: AliasSpec;
}

export interface DraftFallbacks {
  readonly kind: "general" | "contextWindow" | "contentPolicy";
  /** `*` for every model without a list. */
  readonly model: string;
  readonly at: Place;
  readonly models: readonly string[];
}

/** What readers of files may look at besides the file. */
export interface DraftTerms {
  readonly variables: Variables;
  readonly readFile: ReadFile;
  /** Names in a folder, sorted; throws when it cannot be read. The folder is watched once it was asked for. */
  readonly listFolder: (path: string) => readonly string[];
  /** `--enabled-sources`. */
  readonly enabledSources?: readonly string[];
  /** Warnings are said once at start, each with its place. */
  readonly notes: Notes;
}

/** A foreign format. */
export interface Dialect {
  readonly name: string;
  /** By shape alone. */
  readonly recognises: (root: Node) => boolean;
  /** A pure function of the tree and what its terms give; problems go to the notes. */
  readonly read: (root: Node, terms: DraftTerms) => Draft;
}
