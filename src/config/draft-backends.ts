// A provider that a file describes, as backends: every key at every address, each with what was written about it.
import type { Backend, Endpoint, Family } from "../core/backend.ts";
import { type Credential, type Limits, maskSecret, type Secret } from "../core/credential.ts";
import { azureEndpointsAt } from "./azure.ts";
import type { DraftAddress, DraftKey, DraftProvider } from "./draft.ts";
import type { Egress } from "./egress.ts";
import { type Endpoints, endpointsAt } from "./endpoints.ts";
import { backendId, credentialId } from "./identity.ts";
import { leadsTo, type Listener } from "./network.ts";
import type { Notes } from "./problem.ts";
import { describePlace } from "./tree.ts";

export interface DraftSurroundings {
  readonly egress: Egress;
  readonly listener: Listener;
}

/** A backend, and where it was written: targets of routes select by these. */
export interface DraftBackend {
  readonly backend: Backend;
  readonly address: Pick<DraftAddress, "origin" | "path">;
  /** The base URL of the main family, which the backend's id is made of. */
  readonly url: string;
  readonly secret?: Secret;
}

/** Each pair of key and address once; weights multiply. */
export function createDraftBackends(
  provider: DraftProvider,
  { egress, listener }: DraftSurroundings,
  notes: Notes,
): readonly DraftBackend[] {
  const found = new Map<string, DraftBackend>();
  for (const address of addressesOf(provider, listener, notes)) {
    const endpoints = endpointsFor(provider, address);
    const url = endpoints[provider.base.main]?.baseUrl ?? address.origin;
    const keys: readonly (DraftKey | undefined)[] = provider.keys.length > 0 ? provider.keys : [undefined];
    for (const key of keys) {
      const secret = key?.secret;
      const proxyUrl = provider.base.kind === "hosted" ? egress(address.origin) : undefined;
      const backend: Backend = {
        id: backendId({ provider: provider.name, address: url, model: undefined, key: secret?.reveal() }),
        provider: provider.name,
        kind: provider.base.kind,
        credential: credentialOf(provider, key, url),
        endpoints,
        origin: address.origin,
        ...(proxyUrl === undefined ? {} : { proxyUrl }),
        ownAddress: address.origin !== provider.base.origin,
        models: key?.models ?? provider.models,
        weight: address.weight * (key?.weight ?? 1),
        priority: 1,
        limits: {},
        ...definedOf({
          timeouts: provider.timeouts,
          headers: provider.headers,
          cooldown: provider.cooldown,
          terminalEvent: provider.terminalEvent,
        }),
      };
      const row = { backend, address, url, ...(secret === undefined ? {} : { secret }) };
      if (!found.has(backend.id)) found.set(backend.id, row);
    }
  }
  return [...found.values()];
}

/** The fields that are set: an absent one and an undefined one are two things to the compiler. */
export function definedOf<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const set = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(set) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

function addressesOf(provider: DraftProvider, listener: Listener, notes: Notes): readonly DraftAddress[] {
  const { addresses, base, at } = provider;
  const kept = addresses.filter((address) => {
    if (!leadsTo(listener, new URL(address.origin))) return true;
    notes.warnings.push(
      `${describePlace(address.at)} leads back to weir itself (${address.origin}), and is ignored`,
    );
    return false;
  });
  if (kept.length > 0 || base.origin === undefined) return kept;
  return [{ origin: base.origin, path: "", weight: 1, at }];
}

function endpointsFor({ base, azureVersion, keyPlacement }: DraftProvider, address: DraftAddress): Endpoints {
  const { origin, path, weight } = address;
  const plain =
    azureVersion === undefined
      ? endpointsAt(base, { origin, path, weight })
      : azureEndpointsAt(base, { origin, path, weight }, azureVersion);
  if (keyPlacement === undefined) return plain;
  const placed = Object.entries(plain).map(([family, endpoint]: [string, Endpoint]) => [
    family,
    { ...endpoint, key: keyPlacement },
  ]);
  return Object.fromEntries(placed) as Partial<Record<Family, Endpoint>>;
}

function credentialOf(provider: DraftProvider, key: DraftKey | undefined, url: string): Credential {
  const limits: Limits = { ...provider.limits, ...key?.limits };
  const quotaGroup = key?.quotaGroup ?? provider.quotaGroup;
  const secret = key?.secret;
  return {
    id: credentialId(provider.name, secret?.reveal() ?? url),
    provider: provider.name,
    ...(secret === undefined ? {} : { secret }),
    label: secret === undefined ? new URL(url).host : maskSecret(secret),
    limits,
    ...(quotaGroup === undefined ? {} : { quotaGroup }),
  };
}
