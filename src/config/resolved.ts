// What the configuration came to, for people: every option with its origin, every backend; nothing secret.
import type { Backend } from "../core/backend.ts";
import type { Limits } from "../core/credential.ts";
import type { Config } from "./config.ts";
import type { ProviderEntry } from "./provider-entry.ts";
import type { ResolvedOption, ResolvedOptions } from "./resolve-options.ts";

export interface ResolvedBackend {
  readonly id: string;
  /** Base URL of each family. */
  readonly endpoints: Readonly<Record<string, string>>;
  /** The key, masked, or the address that needs none. */
  readonly key: string;
  readonly weight: number;
  /** Empty: any. */
  readonly models: readonly string[];
  readonly limits: Limits;
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

export interface Resolved {
  readonly options: readonly ResolvedOption[];
  readonly providers: readonly ResolvedProvider[];
  readonly warnings: readonly string[];
  readonly watched: readonly string[];
}

export function viewResolved({
  options,
  entries,
  config,
}: {
  readonly options: ResolvedOptions;
  readonly entries: readonly ProviderEntry[];
  readonly config: Config;
}): Resolved {
  const providers = entries.map(({ provider, keysFrom, addressesFrom }): ResolvedProvider => {
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
  return { options: options.options, providers, warnings: config.warnings, watched: config.watched };
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
    ...(proxyUrl === undefined ? {} : { proxy: new URL(proxyUrl).origin }),
    ...(hostHeader === undefined ? {} : { host: hostHeader }),
  };
}
