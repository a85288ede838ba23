// Option values and providers to the Config that the app is built from.
import { X509Certificate } from "node:crypto";
import type { Backend } from "../core/backend.ts";
import type { PoolSpec, ProviderSpec } from "../core/pool-spec.ts";
import type { WebhookConfig } from "../core/webhook.ts";
import type { Config } from "./config.ts";
import { type Detour, detourWebhook } from "./connect-to.ts";
import type { Egress } from "./egress.ts";
import { type ReadFile, readTextFile } from "./files.ts";
import type { Joined } from "./join-draft.ts";
import { ENGINE_STRATEGY } from "./join-route.ts";
import { type Notes, quoted } from "./problem.ts";
import type { ProviderEntry } from "./provider-entry.ts";
import { ownsModel } from "./providers.ts";
import { isChosen, placeOf, type ResolvedOptions } from "./resolve-options.ts";

export interface Parts {
  readonly options: ResolvedOptions;
  readonly joined: Joined;
  /** All of them, with the addresses that are dialled. */
  readonly backends: readonly Backend[];
  readonly readFile: ReadFile;
  readonly egress: Egress;
  readonly detours: readonly Detour[];
}

export type BareConfig = Omit<Config, "warnings" | "watched" | "files">;

export function assembleConfig(parts: Parts, notes: Notes): BareConfig {
  const { options, joined, backends, readFile } = parts;
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
    stateFile: values["admin.state_file"],
    dashboard: {
      enabled: values["dashboard.enabled"],
      port: values["dashboard.port"],
      alsoOnServer: values["dashboard.also_on_server"],
    },
    log: {
      level: values["log.level"],
      format: values["log.format"],
      dir: values["log.dir"],
      maxBytes: values["log.max_size"],
      maxFiles: values["log.max_files"],
      maxAgeMs: values["log.max_age"],
      trace: values.trace,
    },
    webhooks: assembleWebhooks(parts),
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
    queue: { maxWaitMs: values["queue.max_wait"], maxSize: values["queue.max_size"] },
    fallbacks: { ...joined.fallbacks, whenNone: values.default_fallbacks },
    buffers: {
      requestBytes: values["buffers.request"],
      allRequestsBytes: values["buffers.all_requests"],
    },
    upstream: ca === undefined ? {} : { ca },
    shutdown: { delayMs: values["shutdown.delay"], graceMs: values["shutdown.grace"] },
    pool: assemblePool(options, joined, backends),
  };
}

/** Lists in files say more than the variable can, which therefore stands for all of them. */
export const webhooksOf = ({ options, joined }: Pick<Parts, "options" | "joined">) =>
  isChosen(options, "webhooks") ? options.values.webhooks : joined.webhooks;

function assembleWebhooks(parts: Parts): readonly WebhookConfig[] {
  const { egress, detours } = parts;
  return webhooksOf(parts).map((webhook) => {
    const detoured = detourWebhook(webhook, detours);
    if (detoured !== undefined) return detoured;
    const proxyUrl = egress(new URL(webhook.url.reveal()).origin);
    return proxyUrl === undefined ? webhook : { ...webhook, proxyUrl };
  });
}

function assemblePool(
  options: ResolvedOptions,
  { entries, routes, aliases, modelless }: Joined,
  backends: readonly Backend[],
): PoolSpec {
  const { strategy } = options.values;
  const chosen = isChosen(options, "strategy");
  return {
    backends,
    providers: entries.map(specOf),
    providerRoutes: entries.map(({ provider, backends: own }) => ({
      name: provider.name,
      backendIds: own.map(({ id }) => id),
      strategy: provider.kind === "engine" && !chosen ? ENGINE_STRATEGY : strategy,
    })),
    routes: routes.map(({ spec }) => spec),
    aliases,
    ...(modelless === undefined ? {} : { modelless }),
  };
}

function specOf({ provider, spec }: ProviderEntry): ProviderSpec {
  const { name, kind, main, modelsRoute } = provider;
  return {
    name,
    kind,
    main,
    ownsModel: (model) => ownsModel(provider, model),
    ...(modelsRoute === undefined ? {} : { modelsRoute }),
    ...spec,
  };
}

function readAuthorities(options: ResolvedOptions, readFile: ReadFile, notes: Notes): string | undefined {
  const path = options.values["upstream.ca_file"];
  if (path === "") return undefined;
  const kind = "configuration";
  const where = placeOf(options, "upstream.ca_file");
  const text = readTextFile(readFile, { path, where }, notes);
  if (text === undefined) return undefined;
  const flaw = findFlaw(text);
  if (flaw === undefined) return text;
  const expected = "a PEM file of certificates";
  notes.problems.push({ kind, where, expected, found: `${quoted(path)}, ${flaw}` });
  return undefined;
}

/** Bun drops a certificate that it cannot read, or all with it, without a word. */
function findFlaw(pem: string): string | undefined {
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (certificates.length === 0) return "which has no BEGIN CERTIFICATE with its END";
  const bad = certificates.findIndex((certificate) => !isReadable(certificate));
  return bad < 0 ? undefined : `whose certificate ${bad + 1} cannot be read`;
}

function isReadable(certificate: string): boolean {
  try {
    return new X509Certificate(certificate).raw.length > 0;
  } catch {
    return false; // cut off, or no certificate at all
  }
}
