// The providers that variables configure: every one of the table, and those of the user's own.
import { type Addresses, readAddresses } from "./addresses.ts";
import { AZURE_ENDPOINT, azureEndpointsAt, readAzureVersion } from "./azure.ts";
import type { Address } from "./base-url.ts";
import type { Egress } from "./egress.ts";
import { type Endpoints, endpointsAt, lacksVersion } from "./endpoints.ts";
import type { ReadFile } from "./files.ts";
import { type KeyPool, readKeyPool } from "./keys.ts";
import { leadsTo, type Listener } from "./network.ts";
import { OWN_PROVIDERS, readOwnProviders } from "./own-providers.ts";
import { type PrefixedVariables, prefixedVariables } from "./prefixed.ts";
import type { Notes } from "./problem.ts";
import { createBackends, type ProviderEntry, readLimits } from "./provider-entry.ts";
import { type Provider, PROVIDERS } from "./providers.ts";
import { findVariable, type Variables } from "./variables.ts";

export interface EnvironmentTerms {
  readonly variables: Variables;
  readonly readFile: ReadFile;
  readonly listener: Listener;
  readonly egress: Egress;
}

/** In the order of the table, then of WEIR_PROVIDERS. Problems, warnings and files to watch go to the notes. */
export function readProviders(terms: EnvironmentTerms, notes: Notes): ProviderEntry[] {
  const known = PROVIDERS.map((provider) => readProvider(provider, terms, notes));
  const own = readOwnProviders(terms.variables, notes).map((provider) =>
    readProvider(provider, terms, notes),
  );
  return [...known, ...own].flatMap((entry) => entry ?? []);
}

function readProvider(provider: Provider, terms: EnvironmentTerms, notes: Notes): ProviderEntry | undefined {
  const variables = prefixedVariables(provider.prefixes, terms.variables, notes);
  const pool = readKeyPool(variables, terms.readFile, notes);
  const isKnownHosted = provider.kind === "hosted" && PROVIDERS.includes(provider);
  const azure = isAzure(provider) ? findVariable(terms.variables, AZURE_ENDPOINT) : undefined;
  const further = azure === undefined ? [] : [azure];
  if (isKnownHosted && !pool.given) {
    warnOfNoKeys(provider, [...variables.all("BASE_URLS"), ...variables.all("BASE_URL"), ...further], {
      terms,
      notes,
    });
    return undefined;
  }
  const { origin } = provider;
  const found = readAddresses({ variables, further, origin, listener: terms.listener }, notes);
  complainOfNoAddress(provider, { found, pool, isListed: !PROVIDERS.includes(provider) }, notes);
  if (found.addresses.length === 0) return undefined;
  const backends = createBackends({
    provider,
    addresses: found.addresses,
    keys: pool.keys,
    limits: readLimits(variables),
    models: readModels(provider, variables, notes),
    endpointsAt: endpointsOf(provider, terms.variables, notes),
    egress: terms.egress,
  });
  warnOfNoVersion(provider, found, notes);
  // Keys were given but none can be used: their problems are told, and no backend goes without.
  if (pool.given && pool.keys.length === 0) return undefined;
  const addressesFrom = found.from.map(({ where }) => where);
  // Engines without keys are their addresses, which nobody sets for an SDK alone in a list.
  return { provider, backends, isList: pool.isList || !pool.given, keysFrom: pool.from, addressesFrom };
}

const isAzure = (provider: Provider): boolean => provider.prefixes.includes("AZURE_OPENAI");

function endpointsOf(
  provider: Provider,
  variables: Variables,
  notes: Notes,
): (address: Address) => Endpoints {
  if (!isAzure(provider)) return (address) => endpointsAt(provider, address);
  const version = readAzureVersion(variables, notes);
  return (address) => azureEndpointsAt(provider, address, version);
}

/** A base URL that leads to weir is there for the clients, and needs no keys. */
function warnOfNoKeys(
  provider: Provider,
  baseUrls: readonly { readonly text: string; readonly where: string }[],
  { terms, notes }: { readonly terms: EnvironmentTerms; readonly notes: Notes },
): void {
  const leadsBack = (text: string) => URL.canParse(text) && leadsTo(terms.listener, new URL(text));
  for (const { text, where } of baseUrls)
    if (!leadsBack(text.trim()))
      notes.warnings.push(
        `${where} is set, but ${provider.name} has no keys (${provider.prefixes[0]}_API_KEYS): it is left out`,
      );
}

function complainOfNoAddress(
  provider: Provider,
  {
    found,
    pool,
    isListed,
  }: { readonly found: Addresses; readonly pool: KeyPool; readonly isListed: boolean },
  notes: Notes,
): void {
  if (found.addresses.length > 0 || found.from.length > 0) return;
  const [prefix = ""] = provider.prefixes;
  const kind = "configuration";
  if (isListed) {
    const expected = `${prefix}_BASE_URL or ${prefix}_BASE_URLS beside the name "${provider.name}"`;
    notes.problems.push({ kind, where: OWN_PROVIDERS, expected, found: "neither" });
  } else if (provider.kind === "hosted") {
    const where = pool.from[0] ?? provider.name;
    const expected = isAzure(provider) ? `${AZURE_ENDPOINT} beside it` : `${prefix}_BASE_URL beside it`;
    notes.problems.push({ kind, where, expected, found: "nothing" });
  } else if (pool.isList)
    notes.warnings.push(`${pool.from.join(" and ")} is set, but ${prefix}_BASE_URLS is not: it is left out`);
}

function warnOfNoVersion(provider: Provider, { addresses, from }: Addresses, notes: Notes): void {
  for (const address of addresses) {
    if (!lacksVersion(provider, address)) continue;
    const { where = "" } = from.find(({ name }) => name === address.variable) ?? {};
    const url = address.origin + address.path;
    notes.warnings.push(
      `${where} does not end in a version: SDKs append /v1/messages to ${url}, weir appends /messages; ` +
        `write ${url}/v1 if that is meant`,
    );
  }
}

function readModels(provider: Provider, variables: PrefixedVariables, notes: Notes): readonly string[] {
  const models = variables.list("MODELS");
  // OLLAMA_MODELS is also Ollama's own variable: the folder where its models are.
  if (provider.kind !== "engine" || !models.some((model) => /^([/~\\]|[A-Za-z]:[\\/])/.test(model)))
    return models;
  notes.warnings.push(`${provider.prefixes[0]}_MODELS is a path, not a list of models, and is ignored`);
  return [];
}
