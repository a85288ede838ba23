// Makes backends, routes and fallbacks of what the files ask for, beside the providers that variables configure.
import type { Backend } from "../core/backend.ts";
import type { FallbackPolicy } from "../core/fallback.ts";
import type { AliasSpec } from "../core/pool-spec.ts";
import type { WebhookConfig } from "../core/webhook.ts";
import type { Draft, DraftProvider, DraftRoute } from "./draft.ts";
import {
  createDraftBackends,
  type DraftBackend,
  type DraftSurroundings,
  definedOf,
} from "./draft-backends.ts";
import { type JoinedRoute, joinRoute, type Members } from "./join-route.ts";
import { shownName } from "./masked.ts";
import type { Notes } from "./problem.ts";
import type { ProviderEntry } from "./provider-entry.ts";
import { describePlace } from "./tree.ts";

export interface JoinTerms extends DraftSurroundings {
  /** Of variables; in use beside the files. */
  readonly entries: readonly ProviderEntry[];
  /** The general strategy, and whether somebody chose it. */
  readonly strategy: { readonly name: string; readonly isChosen: boolean };
}

export interface Joined {
  readonly entries: readonly ProviderEntry[];
  readonly routes: readonly JoinedRoute[];
  readonly aliases: ReadonlyMap<string, AliasSpec>;
  readonly fallbacks: Omit<FallbackPolicy, "whenNone">;
  readonly webhooks: readonly WebhookConfig[];
  readonly modelless?: string;
}

export function joinDrafts(drafts: readonly Draft[], terms: JoinTerms, notes: Notes): Joined {
  const named = nameProviders(drafts, notes);
  const entries = new Map<string, MutableEntry>();
  for (const { provider } of named) addProvider(provider, { entries, terms, notes });
  for (const entry of terms.entries) addVariables(entry, entries);
  const routes = new Map<string, JoinedRoute>();
  for (const { route, rename } of routesOf(drafts, named)) {
    const known = routes.get(route.name);
    const where = describePlace(route.at);
    if (known !== undefined) complainOfTwo("routes", { name: route.name, where, before: known.where }, notes);
    else {
      const find = (name: string) => entries.get(rename(name));
      const spec = joinRoute(
        route,
        { find, names: () => [...entries.keys()], general: terms.strategy },
        notes,
      );
      if (spec !== undefined) routes.set(route.name, { spec, where });
    }
  }
  const modelless = drafts.find((draft) => draft.modelless !== undefined)?.modelless;
  return {
    entries: [...entries.values()].map(finishEntry),
    routes: [...routes.values()],
    aliases: joinAliases(drafts, routes, notes),
    fallbacks: joinFallbacks(drafts, notes),
    webhooks: drafts.flatMap(({ webhooks = [] }) => webhooks),
    ...(modelless === undefined ? {} : { modelless }),
  };
}

interface MutableEntry extends Members {
  readonly entry: Omit<ProviderEntry, "backends">;
  readonly rows: DraftBackend[];
}

interface Named {
  readonly draft: Draft;
  readonly provider: DraftProvider;
  /** As the draft calls it. */
  readonly calledBefore: string;
}

/** Names that several files give to providers of their own making are told apart; two of the user's own are a mistake. */
function nameProviders(drafts: readonly Draft[], notes: Notes): readonly Named[] {
  const taken = new Map<string, DraftProvider>();
  return drafts.flatMap((draft) =>
    draft.providers.flatMap((provider): Named[] => {
      const before = taken.get(provider.name);
      if (before !== undefined && (provider.isOffered || before.isOffered)) {
        const where = describePlace(provider.at);
        complainOfTwo("providers", { name: provider.name, where, before: describePlace(before.at) }, notes);
        return [];
      }
      let { name } = provider;
      for (let number = 2; taken.has(name); number += 1) name = `${provider.name}-${number}`;
      taken.set(name, provider);
      return [{ draft, provider: { ...provider, name }, calledBefore: provider.name }];
    }),
  );
}

function complainOfTwo(
  what: string,
  { name, where, before }: { readonly name: string; readonly where: string; readonly before: string },
  notes: Notes,
): void {
  const expected = `one of ${what} with this name; the other one is at ${before}`;
  notes.problems.push({ kind: "configuration", where, expected, found: shownName(name) });
}

interface Adding {
  readonly entries: Map<string, MutableEntry>;
  readonly terms: JoinTerms;
  readonly notes: Notes;
}

function addProvider(provider: DraftProvider, { entries, terms, notes }: Adding): void {
  const rows = [...createDraftBackends(provider, terms, notes)];
  const where = describePlace(provider.at);
  const spec = {
    isOffered: provider.isOffered,
    ...definedOf({ health: provider.health, colonPrefix: provider.colonPrefix }),
  };
  const entry = {
    provider: { ...provider.base, name: provider.name },
    spec,
    isList: true,
    keysFrom: [where],
    addressesFrom: provider.addresses.length === 0 ? [] : [where],
  };
  entries.set(provider.name, { entry, rows, derived: new Map(), used: new Set() });
}

/**
 * A list of keys in variables joins the file's; what both name is as the file says. One key by itself may be there for
 * an SDK, and does not count beside a file that configures its provider.
 */
function addVariables(given: ProviderEntry, entries: Map<string, MutableEntry>): void {
  const { backends, ...entry } = given;
  const rows = backends.map((backend): DraftBackend => {
    const url = backend.endpoints[given.provider.main]?.baseUrl ?? backend.origin;
    const { secret } = backend.credential;
    const address = { origin: backend.origin, path: url.slice(backend.origin.length) };
    return { backend, address, url, ...(secret === undefined ? {} : { secret }) };
  });
  const before = entries.get(given.provider.name);
  if (before === undefined) {
    entries.set(given.provider.name, { entry, rows, derived: new Map(), used: new Set() });
    return;
  }
  if (!given.isList) return;
  const known = new Set(before.rows.map(({ backend }) => backend.id));
  before.rows.push(...rows.filter(({ backend }) => !known.has(backend.id)));
  const merged = { ...before.entry, keysFrom: [...before.entry.keysFrom, ...entry.keysFrom] };
  entries.set(given.provider.name, { ...before, entry: merged });
}

/** Providers that only routes lead to, not their own names either, have the backends that routes use, one for each key and address. */
function finishEntry({ entry, rows, derived, used }: MutableEntry): ProviderEntry {
  const isOffered = entry.spec?.isOffered !== false || entry.spec.colonPrefix === true;
  const own = rows.flatMap(({ backend }) => (isOffered || used.has(backend.id) ? backend : []));
  const further = [...derived.values()];
  return { ...entry, backends: isOffered || own.length > 0 ? own : firstsOf(further), derived: further };
}

function firstsOf(backends: readonly Backend[]): readonly Backend[] {
  const firsts = new Map<string, Backend>();
  for (const backend of backends) {
    const place = `${backend.credential.id} ${Object.values(backend.endpoints)[0]?.baseUrl ?? ""}`;
    if (!firsts.has(place)) firsts.set(place, backend);
  }
  return [...firsts.values()];
}

interface NamedRoute {
  readonly route: DraftRoute;
  /** From the draft's name of a provider to the one it has now. */
  readonly rename: (provider: string) => string;
}

function routesOf(drafts: readonly Draft[], named: readonly Named[]): readonly NamedRoute[] {
  return drafts.flatMap((draft) => {
    const names = new Map(
      named.filter((row) => row.draft === draft).map((row) => [row.calledBefore, row.provider.name]),
    );
    return draft.routes.map((route) => ({ route, rename: (name: string) => names.get(name) ?? name }));
  });
}

function joinAliases(
  drafts: readonly Draft[],
  routes: ReadonlyMap<string, JoinedRoute>,
  notes: Notes,
): ReadonlyMap<string, AliasSpec> {
  const aliases = new Map<string, AliasSpec>();
  const places = new Map<string, string>();
  for (const { name, at, spec } of drafts.flatMap((draft) => draft.aliases)) {
    const before = places.get(name) ?? routes.get(name)?.where;
    const where = describePlace(at);
    if (before !== undefined) complainOfTwo("routes and aliases", { name, where, before }, notes);
    places.set(name, where);
    aliases.set(name, spec);
  }
  for (const draft of drafts)
    for (const { at, spec } of draft.aliases)
      if (aliases.has(spec.model) && !routes.has(spec.model))
        complainOfChain(draft, { where: describePlace(at), model: spec.model }, notes);
  return aliases;
}

/** Resolving takes one step. Another system's file loads nevertheless. */
function complainOfChain(
  { isForeign }: Draft,
  { where, model }: { readonly where: string; readonly model: string },
  notes: Notes,
): void {
  if (isForeign)
    notes.warnings.push(`${where} leads to ${shownName(model)}, an alias itself, where it goes no further`);
  else
    notes.problems.push({
      kind: "configuration",
      where,
      expected: "the name of a model or route, as an alias leads to no other alias",
      found: shownName(model),
    });
}

function joinFallbacks(drafts: readonly Draft[], notes: Notes): Joined["fallbacks"] {
  const lists = {
    general: new Map<string, readonly string[]>(),
    contextWindow: new Map<string, readonly string[]>(),
    contentPolicy: new Map<string, readonly string[]>(),
  };
  const places = new Map<string, string>();
  for (const { kind, model, at, models } of drafts.flatMap((draft) => draft.fallbacks)) {
    const where = describePlace(at);
    const before = places.get(`${kind} ${model}`);
    if (before !== undefined) complainOfTwo("the fallbacks", { name: model, where, before }, notes);
    places.set(`${kind} ${model}`, where);
    lists[kind].set(model, models);
  }
  const most = drafts.find(({ mostFallbacks }) => mostFallbacks !== undefined)?.mostFallbacks;
  return { ...lists, ...(most === undefined ? {} : { most }) };
}
