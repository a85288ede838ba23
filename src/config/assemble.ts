// Option values and providers to the Config that the app is built from.
import type { Backend } from "../core/backend.ts";
import type { PoolSpec, ProviderSpec } from "../core/pool.ts";
import type { Config } from "./config.ts";
import { type ReadFile, readTextFile } from "./files.ts";
import { type Notes, quoted } from "./problem.ts";
import type { ProviderEntry } from "./provider-entry.ts";
import { ownsModel, type Provider } from "./providers.ts";
import { placeOf, type ResolvedOptions } from "./resolve-options.ts";

export interface Parts {
  readonly options: ResolvedOptions;
  readonly entries: readonly ProviderEntry[];
  /** Those of the entries, with the addresses that are dialled. */
  readonly backends: readonly Backend[];
  readonly readFile: ReadFile;
}

export type BareConfig = Omit<Config, "warnings" | "watched">;

export function assembleConfig({ options, entries, backends, readFile }: Parts, notes: Notes): BareConfig {
  const { values } = options;
  const ca = readAuthorities(options, readFile, notes);
  const adminKey = values["admin.key"];
  return {
    server: {
      host: values["server.host"],
      port: values["server.port"],
      open: values["server.open"],
      allowedHosts: values["server.allowed_hosts"],
      allowedOrigins: values["server.allowed_origins"],
      responseHeaders: values["server.response_headers"],
    },
    accessKeys: values["access_keys"],
    ...(adminKey === undefined ? {} : { adminKey }),
    log: { level: values["log.level"], format: values["log.format"] },
    retry: {
      max: values["retry.max"],
      budget: values["retry.budget"],
      backoffMs: values["retry.backoff"],
      maxBackoffMs: values["retry.max_backoff"],
    },
    cooldown: {
      threshold: values["cooldown.threshold"],
      firstMs: values["cooldown.first"],
      maxMs: values["cooldown.max"],
      revokedMs: values["cooldown.revoked"],
      quotaMs: values["cooldown.quota"],
      jitter: values["cooldown.jitter"],
    },
    timeouts: {
      connectMs: values["timeouts.connect"],
      firstByteMs: values["timeouts.first_byte"],
      streamFirstByteMs: values["timeouts.stream_first_byte"],
      idleMs: values["timeouts.idle"],
      totalMs: values["timeouts.total"],
    },
    buffers: {
      requestBytes: values["buffers.request"],
      allRequestsBytes: values["buffers.all_requests"],
    },
    upstream: ca === undefined ? {} : { ca },
    shutdown: { delayMs: values["shutdown.delay"], graceMs: values["shutdown.grace"] },
    pool: assemblePool(values.strategy, entries, backends),
  };
}

function assemblePool(
  strategy: string,
  entries: readonly ProviderEntry[],
  backends: readonly Backend[],
): PoolSpec {
  return {
    backends,
    providers: entries.map(({ provider }) => specOf(provider)),
    providerRoutes: entries.map(({ provider, backends: own }) => ({
      name: provider.name,
      backendIds: own.map(({ id }) => id),
      strategy,
    })),
  };
}

function specOf(provider: Provider): ProviderSpec {
  const { name, kind, main, modelsRoute } = provider;
  return {
    name,
    kind,
    main,
    ownsModel: (model) => ownsModel(provider, model),
    ...(modelsRoute === undefined ? {} : { modelsRoute }),
  };
}

function readAuthorities(options: ResolvedOptions, readFile: ReadFile, notes: Notes): string | undefined {
  const path = options.values["upstream.ca_file"];
  if (path === "") return undefined;
  const kind = "configuration";
  const where = placeOf(options, "upstream.ca_file");
  const text = readTextFile(readFile, { path, where, kind }, notes);
  if (text === undefined || /-----BEGIN (TRUSTED )?CERTIFICATE-----[^-]+-----END/.test(text)) return text;
  notes.problems.push({ kind, where, expected: "a PEM file with a certificate in it", found: quoted(path) });
  return undefined;
}
