// What the variables say of one provider, put together: its keys at its addresses, as backends.
import type { Backend } from "../core/backend.ts";
import { type Credential, type Limits, maskSecret } from "../core/credential.ts";
import type { ProviderSpec } from "../core/pool-spec.ts";
import type { Address } from "./base-url.ts";
import type { Egress } from "./egress.ts";
import type { Endpoints } from "./endpoints.ts";
import { backendId, credentialId } from "./identity.ts";
import type { WeightedKey } from "./keys.ts";
import type { PrefixedVariables } from "./prefixed.ts";
import type { Provider } from "./providers.ts";

/** A provider that is in use, and where everything of it was written. */
export interface ProviderEntry {
  readonly provider: Provider;
  readonly backends: readonly Backend[];
  /** What named routes make of them: other model names, limits, prices. */
  readonly derived?: readonly Backend[];
  readonly spec?: Pick<ProviderSpec, "isOffered" | "health" | "colonPrefix">;
  /** True when keys came as weir's own list or file rather than as one key that may be there for an SDK. */
  readonly isList: boolean;
  readonly keysFrom: readonly string[];
  readonly addressesFrom: readonly string[];
}

export interface EntryTerms {
  readonly provider: Provider;
  readonly addresses: readonly Address[];
  /** Empty where none are needed. */
  readonly keys: readonly WeightedKey[];
  readonly limits: Limits;
  readonly models: readonly string[];
  readonly endpointsAt: (address: Address) => Endpoints;
  readonly egress: Egress;
}

/** Every key at every address, each pair once; weights multiply. */
export function createBackends(terms: EntryTerms): Backend[] {
  const { provider, keys, limits } = terms;
  const keyed = keys.map(({ secret, weight }) => {
    const id = credentialId(provider.name, secret.reveal());
    const label = maskSecret(secret);
    return { weight, credential: { id, provider: provider.name, secret, label, limits } };
  });
  const backends = new Map<string, Backend>();
  for (const address of terms.addresses) {
    const endpoints = terms.endpointsAt(address);
    const url = endpoints[provider.main]?.baseUrl ?? address.origin;
    const credentials = keyed.length > 0 ? keyed : [{ weight: 1, credential: keylessAt(url, terms) }];
    for (const { weight, credential } of credentials) {
      const part = { address, url, endpoints, credential, weight: address.weight * weight };
      const backend = createBackend(terms, part);
      if (!backends.has(backend.id)) backends.set(backend.id, backend);
    }
  }
  return [...backends.values()];
}

function keylessAt(url: string, { provider, limits }: EntryTerms): Credential {
  return { id: credentialId(provider.name, url), provider: provider.name, label: new URL(url).host, limits };
}

interface Part {
  readonly address: Address;
  /** Base URL of the main family: what the user means by the address. */
  readonly url: string;
  readonly endpoints: Endpoints;
  readonly credential: Credential;
  readonly weight: number;
}

function createBackend(
  { provider, models, egress }: EntryTerms,
  { address: { origin }, url, endpoints, credential, weight }: Part,
): Backend {
  const key = credential.secret?.reveal();
  const proxyUrl = provider.kind === "hosted" ? egress(origin) : undefined;
  return {
    id: backendId({ provider: provider.name, address: url, model: undefined, key }),
    provider: provider.name,
    kind: provider.kind,
    credential,
    endpoints,
    origin,
    ...(proxyUrl === undefined ? {} : { proxyUrl }),
    ownAddress: origin !== provider.origin,
    models,
    weight,
    priority: 1,
    limits: {},
  };
}

/** P_RPM and the like: limits of each key, or of each address without keys. */
export function readLimits(variables: PrefixedVariables): Limits {
  const requestsPerMinute = variables.count("RPM");
  const tokensPerMinute = variables.count("TPM");
  const requestsPerDay = variables.count("RPD");
  const tokensPerDay = variables.count("TPD");
  const concurrency = variables.count("CONCURRENCY");
  return {
    ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
    ...(tokensPerMinute === undefined ? {} : { tokensPerMinute }),
    ...(requestsPerDay === undefined ? {} : { requestsPerDay }),
    ...(tokensPerDay === undefined ? {} : { tokensPerDay }),
    ...(concurrency === undefined ? {} : { concurrency }),
  };
}
