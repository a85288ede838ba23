// Collects the places that a foreign file's rows name, each once: rows at one address, or with one kind of engine, are one
// provider with several keys or addresses. For dialects that have rows where weir has providers.
import type { KeyPlacement } from "../core/backend.ts";
import type { Secret } from "../core/credential.ts";
import type { AzureVersion } from "./azure.ts";
import { readBaseUrls } from "./base-url.ts";
import type { DraftAddress, DraftKey, DraftProvider, DraftTarget } from "./draft.ts";
import { definedOf } from "./draft-backends.ts";
import type { Notes } from "./problem.ts";
import { type Provider, PROVIDERS } from "./providers.ts";
import { describePlace, type Place } from "./tree.ts";

export type BaseAddress = Pick<DraftAddress, "origin" | "path">;

/** Where one row sends its requests. */
export interface RowPlace {
  readonly base: Provider;
  /** What its providers are called; absent: the table's name. */
  readonly label?: string;
  /** Absent: the provider's own. */
  readonly address?: BaseAddress;
  readonly key?: Secret;
  readonly azureVersion?: AzureVersion;
  /** In place of where the table puts the key. */
  readonly keyPlacement?: KeyPlacement;
  readonly at: Place;
}

type Reference = Pick<DraftTarget, "provider" | "key" | "address">;

export interface ProviderBook {
  /** What a target says to reach that place. */
  readonly refer: (place: RowPlace) => Reference;
  readonly providers: () => readonly DraftProvider[];
}

/** `common` is what all its providers have. */
export function createProviderBook(
  common: (base: Provider) => Partial<Pick<DraftProvider, "health" | "cooldown" | "timeouts">>,
): ProviderBook {
  const pages = new Map<string, Page>();
  const names = new Set<string>();
  return {
    refer(place) {
      const address = isOwnAddress(place) ? place.address : undefined;
      const id = identityOf(place, address);
      const page = pages.get(id) ?? openPage(place, address, names);
      pages.set(id, page);
      const { key, at } = place;
      if (address !== undefined)
        page.addresses.set(address.origin + address.path, { ...address, weight: 1, at });
      if (key !== undefined && !page.keys.has(key.reveal()))
        page.keys.set(key.reveal(), { secret: key, weight: 1, at });
      return {
        provider: page.name,
        ...(key === undefined ? {} : { key }),
        ...(address === undefined ? {} : { address: { origin: address.origin, path: address.path } }),
      };
    },
    providers: () =>
      [...pages.values()].map(({ name, place, addresses, keys }) => ({
        name,
        at: place.at,
        base: place.base,
        addresses: [...addresses.values()],
        keys: [...keys.values()],
        limits: {},
        models: [],
        isOffered: false,
        ...definedOf({ azureVersion: place.azureVersion, keyPlacement: place.keyPlacement }),
        ...common(place.base),
      })),
  };
}

interface Page {
  readonly name: string;
  readonly place: RowPlace;
  readonly addresses: Map<string, DraftAddress>;
  readonly keys: Map<string, DraftKey>;
}

function openPage(place: RowPlace, address: BaseAddress | undefined, names: Set<string>): Page {
  const base = nameOf(place, address);
  const version =
    place.azureVersion?.query?.replace("api-version=", "") ?? place.azureVersion?.kind ?? "other";
  let name = base;
  for (let number = 2; names.has(name); number += 1)
    name = number === 2 ? `${base}-${version}` : `${base}-${version}-${number - 1}`;
  names.add(name);
  return { name, place, addresses: new Map(), keys: new Map() };
}

/** The provider's own address, written out. */
function isOwnAddress({ base, address }: RowPlace): boolean {
  if (address === undefined) return false;
  const usual = Object.values(base.families).map(({ path }) => path);
  return address.origin !== base.origin || (address.path !== "" && !usual.includes(address.path));
}

/** Engines without keys are a crowd under one name. A key of an engine's is that engine's alone, whoever else has it. */
const isCrowd = ({ base, key }: RowPlace): boolean => base.kind === "engine" && key === undefined;

function identityOf(place: RowPlace, address: BaseAddress | undefined): string {
  const { base, label, key, azureVersion, keyPlacement } = place;
  const where = isCrowd(place) ? "" : address;
  return JSON.stringify([label, base.name, where, key === undefined, azureVersion, keyPlacement]);
}

/** The same in every start, whatever else the file holds, since states are kept by it. */
function nameOf(place: RowPlace, address: BaseAddress | undefined): string {
  const { base, label = base.name } = place;
  if (isCrowd(place)) return label.toLowerCase();
  if (address === undefined) return label === base.name ? label : `${label}-${base.name}`.toLowerCase();
  const usual = base.families[base.main]?.path;
  const path = address.path === usual ? "" : address.path;
  const host = `${new URL(address.origin).host}${path}`.replaceAll(/[^a-z0-9.]+/gi, "-");
  return `${label}-${host}`.toLowerCase();
}

/** A base URL as users of other systems write it; undefined after telling what is wrong with it. */
export function readAddress(text: string, at: Place, notes: Notes): BaseAddress | undefined {
  const where = describePlace(at);
  const [address] = readBaseUrls({ name: where, text, where }, notes);
  return address === undefined ? undefined : { origin: address.origin, path: address.path };
}

/** The table's row of a well-known host; undefined for everybody else's. */
export const providerAt = (origin: string): Provider | undefined =>
  PROVIDERS.find((provider) => provider.origin === origin);

/** What servers without keys are given where something has to stand. */
const PLACEHOLDERS = new Set([
  "dummy",
  "none",
  "null",
  "empty",
  "fake",
  "na",
  "n/a",
  "sk-no-key-required",
  "not-needed",
]);

/** The key of one's own engine, where there is one. */
export const isPlaceholder = (key: Secret): boolean => PLACEHOLDERS.has(key.reveal().toLowerCase());
