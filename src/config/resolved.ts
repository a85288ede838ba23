// What the configuration came to, for people: every option with its origin, every backend; nothing secret.
import type { Backend } from "../core/backend.ts";
import type { Limits } from "../core/credential.ts";
import type { Config } from "./config.ts";
import type { Joined } from "./join-draft.ts";
import type { JoinedRoute } from "./join-route.ts";
import { isChosen, type ResolvedOption, type ResolvedOptions } from "./resolve-options.ts";

export interface ResolvedBackend {
  readonly id: string;
  /** Base URL of each family. */
  readonly endpoints: Readonly<Record<string, string>>;
  /** The key, masked, or the address that needs none. */
  readonly key: string;
  readonly weight: number;
  /** Empty: any. */
  readonly models: readonly string[];
  /** Of the key. */
  readonly limits: Limits;
  /** Of this model at this place, beside the key's. */
  readonly ownLimits: Limits;
  /** Without user and password. */
  readonly proxy?: string;
  /** The host that is meant when another one is dialled. */
  readonly host?: string;
}

export interface ResolvedProvider {
  readonly name: string;
  readonly kind: "hosted" | "engine";
  /** Different keys; 0 where none are needed. */
  readonly keys: number;
  readonly keysFrom: readonly string[];
  /** Empty: the provider's own address. */
  readonly addressesFrom: readonly string[];
  readonly backends: readonly ResolvedBackend[];
}

export interface ResolvedRoute {
  readonly name: string;
  /** Where it was written. */
  readonly where: string;
  readonly strategy: string;
  readonly hidden: boolean;
  readonly targets: readonly {
    readonly backend: string;
    readonly weight: number;
    readonly priority: number;
    /** The name upstream, where it differs. */
    readonly model?: string;
  }[];
}

export interface ResolvedFallback {
  /** When the model fails, when the prompt is too long for it, when its provider refuses the content. */
  readonly when: "failure" | "context window" | "content policy";
  /** `*` for every model without a list of its own. */
  readonly model: string;
  readonly models: readonly string[];
}

export interface Resolved {
  readonly options: readonly ResolvedOption[];
  readonly providers: readonly ResolvedProvider[];
  readonly routes: readonly ResolvedRoute[];
  /** From name to model. */
  readonly aliases: Readonly<Record<string, string>>;
  readonly fallbacks: readonly ResolvedFallback[];
  readonly warnings: readonly string[];
  readonly watched: readonly string[];
}

export function viewResolved({
  options,
  joined,
  config,
}: {
  readonly options: ResolvedOptions;
  readonly joined: Joined;
  readonly config: Config;
}): Resolved {
  const providers = joined.entries.map(({ provider, keysFrom, addressesFrom }): ResolvedProvider => {
    const backends = config.pool.backends.filter((backend) => backend.provider === provider.name);
    const keys = new Set(
      backends.flatMap(({ credential }) => (credential.secret === undefined ? [] : credential.id)),
    );
    return {
      name: provider.name,
      kind: provider.kind,
      keys: keys.size,
      keysFrom,
      addressesFrom,
      backends: backends.map(viewBackend),
    };
  });
  const fromFiles = joined.webhooks.length > 0 && !isChosen(options, "webhooks");
  return {
    options: options.options.map((option) =>
      fromFiles && option.key === "webhooks"
        ? { ...option, shown: config.webhooks.map(hostOf).join(", "), origin: config.files.join(", ") }
        : option,
    ),
    providers,
    routes: joined.routes.map((route) => viewRoute(route, config)),
    aliases: Object.fromEntries([...joined.aliases].map(([name, { model }]) => [name, model])),
    fallbacks: viewFallbacks(joined.fallbacks),
    warnings: config.warnings,
    watched: config.watched,
  };
}

function viewFallbacks({ general, contextWindow, contentPolicy }: Joined["fallbacks"]): ResolvedFallback[] {
  const kinds = [
    ["failure", general],
    ["context window", contextWindow],
    ["content policy", contentPolicy],
  ] as const;
  return kinds.flatMap(([when, lists]) => [...lists].map(([model, models]) => ({ when, model, models })));
}

/** The rest of the address may be a secret. */
const hostOf = ({ url }: Config["webhooks"][number]): string => `${new URL(url.reveal()).host}/***`;

function viewRoute({ spec, where }: JoinedRoute, { pool }: Config): ResolvedRoute {
  const backends = new Map(pool.backends.map((backend) => [backend.id, backend]));
  const targets = spec.backendIds.flatMap((id) => {
    const backend = backends.get(id);
    if (backend === undefined) return [];
    const { weight, priority } = spec.shares?.get(id) ?? backend;
    const { upstreamModel } = backend;
    return {
      backend: id,
      weight,
      priority,
      ...(upstreamModel === undefined ? {} : { model: upstreamModel }),
    };
  });
  return { name: spec.name, where, strategy: spec.strategy, hidden: spec.hidden === true, targets };
}

function viewBackend(backend: Backend): ResolvedBackend {
  const { id, credential, weight, models, proxyUrl, hostHeader } = backend;
  return {
    id,
    endpoints: Object.fromEntries(
      Object.entries(backend.endpoints).map(([family, { baseUrl }]) => [family, baseUrl]),
    ),
    key: credential.label,
    weight,
    models,
    limits: credential.limits,
    ownLimits: backend.limits,
    ...(proxyUrl === undefined ? {} : { proxy: new URL(proxyUrl).origin }),
    ...(hostHeader === undefined ? {} : { host: hostHeader }),
  };
}
