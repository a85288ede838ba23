// Builds backends, slots and pools for tests of the core: plain values with the fields that matter given.
import type { Backend, Family } from "../../src/core/backend.ts";
import { type Credential, Secret } from "../../src/core/credential.ts";
import type { PoolSpec, ProviderSpec } from "../../src/core/pool-spec.ts";
import type { CooldownPolicy } from "../../src/core/rest.ts";
import type { Slot } from "../../src/core/seams.ts";
import { createBackendState } from "../../src/core/backend-state.ts";
import { createCredentialState, type CredentialState } from "../../src/core/credential-state.ts";

/** The contract's defaults. */
export const COOLDOWN: CooldownPolicy = {
  threshold: 3,
  firstMs: 5000,
  maxMs: 60_000,
  revokedMs: 300_000,
  quotaMs: 3_600_000,
  jitter: 0.2,
};

export function makeCredential(id: string, fields: Partial<Credential> = {}): Credential {
  return { id, provider: "p", secret: new Secret(`sk-${id}`), label: "***", limits: {}, ...fields };
}

interface BackendFields extends Partial<Omit<Backend, "id" | "endpoints">> {
  readonly families?: readonly Family[];
}

export function makeBackend(id: string, { families = ["openai"], ...fields }: BackendFields = {}): Backend {
  const key = { in: "header", name: "authorization", prefix: "Bearer " } as const;
  return {
    id,
    provider: "p",
    kind: "hosted",
    credential: makeCredential(`key-${id}`),
    endpoints: Object.fromEntries(families.map((family) => [family, { baseUrl: "http://up/v1", key }])),
    origin: "http://up",
    ownAddress: false,
    models: [],
    weight: 1,
    priority: 0,
    limits: {},
    ...fields,
  };
}

export function makeSlot(backend: Backend, keyState?: CredentialState): Slot {
  return {
    backend,
    state: createBackendState(backend.id),
    keyState: keyState ?? createCredentialState(backend.credential.id),
  };
}

export interface ProviderFields extends Partial<Omit<ProviderSpec, "name">> {
  readonly backends: readonly Backend[];
  readonly strategy?: string;
}

/** Providers by name, in order; `backends` are given the provider's name. */
export function makeSpec(providers: Readonly<Record<string, ProviderFields>>): PoolSpec {
  const rows = Object.entries(providers).map(([name, fields]) => ({
    name,
    fields,
    backends: fields.backends.map((backend) => ({ ...backend, provider: name })),
  }));
  return {
    backends: rows.flatMap((row) => row.backends),
    providers: rows.map(({ name, fields }) => ({
      name,
      kind: fields.kind ?? "hosted",
      main: fields.main ?? "openai",
      ownsModel: fields.ownsModel ?? (() => false),
      ...(fields.isOffered === undefined ? {} : { isOffered: fields.isOffered }),
      ...(fields.colonPrefix === undefined ? {} : { colonPrefix: fields.colonPrefix }),
      ...(fields.health === undefined ? {} : { health: fields.health }),
      ...(fields.modelsRoute === undefined ? {} : { modelsRoute: fields.modelsRoute }),
    })),
    providerRoutes: rows.map(({ name, fields, backends }) => ({
      name,
      backendIds: backends.map(({ id }) => id),
      strategy: fields.strategy ?? "least-used",
    })),
  };
}
