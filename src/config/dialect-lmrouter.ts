// LMRouter's config.yaml as a draft: providers with one key or several, and models that name their providers.
import { providerAt, readAddress } from "./dialect-book.ts";
import { FieldReader, given, implied, type KeyRules } from "./dialect-fields.ts";
import { readLmRouterKeys } from "./dialect-lmrouter-keys.ts";
import type { Dialect, Draft, DraftProvider, DraftRoute, DraftTarget, DraftTerms } from "./draft.ts";
import { expandTree } from "./expand.ts";
import type { OptionKey } from "./options.ts";
import { quoted } from "./problem.ts";
import { findProvider, type Provider } from "./providers.ts";
import { suggestion } from "./readers.ts";
import type { Given } from "./resolve-options.ts";
import { describePlace, type Entry, type MapNode, type Node, valueAt } from "./tree.ts";

export const LMROUTER: Dialect = {
  name: "LMRouter",
  recognises: (root) => {
    const models = valueAt(root, "models");
    if (models?.kind !== "map" || valueAt(root, "providers")?.kind !== "map") return false;
    return models.entries.some(({ value }) => valueAt(value, "providers")?.kind === "list");
  },
  read: readLmRouter,
};

const said = (sentence: string) => ({ said: sentence });
const UNKNOWN_KEY = "is not known to weir, and ignored";
const MONEY = said("is ignored: weir counts no money");

const TOP_KEYS: KeyRules = [
  ["providers models server access_keys auth", "used"],
  ["responses_store", said("is ignored: weir keeps no responses, and asks for them where they were made")],
];
const SERVER_KEYS: KeyRules = [
  ["host port", "used"],
  ["logging", said("is ignored: log.level (--log-level) says how much is logged")],
];
const PROVIDER_KEYS: KeyRules = [
  ["type base_url api_key keys", "used"],
  ["name icon description website", "used"],
  ["responses", "used"],
];
const MODEL_KEYS: KeyRules = [["providers name type icon author description website created", "used"]];
const TARGET_KEYS: KeyRules = [
  ["provider model weight context_window", "used"],
  ["max_tokens", said("is not added to requests: weir sends bodies as clients write them")],
  ["responses_only", said("is ignored: weir translates no call into another")],
  ["pricing", MONEY],
];

/** By LMRouter's name of a type, the table's. */
const TYPES: Readonly<Record<string, string>> = {
  openai: "openai",
  anthropic: "anthropic",
  google: "google",
  fireworks: "fireworks",
};

function readLmRouter(written: Node, { variables, notes }: DraftTerms): Draft {
  const root = expandTree(written, variables, notes);
  const reader = new FieldReader(notes);
  if (root.kind === "map") reader.checkKeys(root, TOP_KEYS, UNKNOWN_KEY);
  const providers = (reader.map(valueAt(root, "providers"))?.entries ?? []).flatMap(
    (entry) => readProvider(entry, reader) ?? [],
  );
  const routes = (reader.map(valueAt(root, "models"))?.entries ?? []).flatMap(
    (entry) => readModel(entry, reader) ?? [],
  );
  const options = readOptions(root, reader);
  const usualAddress = { system: "LMRouter", address: "127.0.0.1:3000", at: root.at };
  return { isForeign: true, options, providers, routes, aliases: [], fallbacks: [], usualAddress };
}

function readProvider({ key: name, keyAt, value }: Entry, reader: FieldReader): DraftProvider | undefined {
  const map = reader.map(value);
  if (map === undefined) return undefined;
  reader.checkKeys(map, PROVIDER_KEYS, UNKNOWN_KEY);
  const typed = readType(map, reader);
  const url = reader.placed(valueAt(map, "base_url"));
  const address = url === undefined ? undefined : readAddress(url.value, url.at, reader.notes);
  const keys = readLmRouterKeys(map, reader);
  if (keys?.length === 0 && url === undefined)
    reader.refuse(keyAt, "api_key or keys", "a provider without a key");
  if (reader.boolean(valueAt(map, "responses")) === false)
    reader.warn(
      keyAt,
      "has responses: false; calls of /v1/responses go there as they are, for weir translates none",
    );
  return {
    name: name.toLowerCase(),
    at: keyAt,
    base: rowAt(typed, address?.origin),
    addresses: address === undefined || url === undefined ? [] : [{ ...address, weight: 1, at: url.at }],
    // What could not be read is told; the provider stands, so that its models have somewhere to lead.
    keys: keys ?? [],
    limits: {},
    models: [],
    isOffered: false,
    colonPrefix: true,
  };
}

function readType(map: MapNode, reader: FieldReader): Provider {
  const type = reader.placed(valueAt(map, "type"));
  const names = Object.keys(TYPES);
  const known = type === undefined ? undefined : TYPES[type.value];
  if (known === undefined) {
    const hint = type === undefined ? "" : suggestion(type.value, names);
    const found = type === undefined ? "none" : quoted(type.value);
    reader.refuse(type?.at ?? map.at, `a type: ${names.join(", ")}${hint}`, found);
  }
  const base = findProvider(known ?? "openai");
  if (base === undefined) throw new RangeError(`cannot read provider: no ${known} in the table`);
  return base;
}

/** `openai` with the address of a well-known host means that host's provider. */
const rowAt = (typed: Provider, origin: string | undefined): Provider =>
  (typed.name === "openai" && origin !== undefined ? providerAt(origin) : undefined) ?? typed;

function readModel({ key: name, keyAt, value }: Entry, reader: FieldReader): DraftRoute | undefined {
  const map = reader.map(value);
  if (map === undefined) return undefined;
  reader.checkKeys(map, MODEL_KEYS, UNKNOWN_KEY);
  const rows = reader.list(valueAt(map, "providers"))?.items ?? [];
  if (rows.length === 0) return reader.refuse(keyAt, "providers: a list of provider and model", "none");
  return { name, at: keyAt, targets: rows.flatMap((row) => readTarget(row, reader) ?? []) };
}

/** Every target has a share, whatever the number of its keys. */
function readTarget(node: Node, reader: FieldReader): DraftTarget | undefined {
  const map = reader.map(node);
  if (map === undefined) return undefined;
  reader.checkKeys(map, TARGET_KEYS, UNKNOWN_KEY);
  const provider = reader.text(valueAt(map, "provider"));
  if (provider === undefined) return reader.refuse(map.at, "the name of a provider", "none");
  const model = reader.text(valueAt(map, "model"));
  const weight = reader.number(valueAt(map, "weight")) ?? 1;
  return {
    provider: provider.toLowerCase(),
    at: map.at,
    weight,
    ...(model === undefined || model === "*" ? {} : { model }),
  };
}

function readOptions(root: Node, reader: FieldReader): Map<OptionKey, Given> {
  const options = new Map<OptionKey, Given>();
  options.set(
    "strategy",
    implied("smooth-weighted-round-robin", `${describePlace(root.at)} (LMRouter's way)`),
  );
  const server = reader.map(valueAt(root, "server"));
  if (server !== undefined) reader.checkKeys(server, SERVER_KEYS, UNKNOWN_KEY);
  for (const key of ["host", "port"] as const) {
    const placed = reader.placed(valueAt(server, key));
    if (placed !== undefined) options.set(`server.${key}`, given(placed));
  }
  const tokens = valueAt(root, "access_keys");
  const keys = reader.texts(tokens);
  if (tokens !== undefined && keys.length > 0)
    options.set("access_keys", given({ value: keys.join(","), at: tokens.at }));
  checkAccounts(root, keys.length > 0, reader);
  return options;
}

/** Accounts let some callers in and keep others out: leaving them away in silence would let in all. */
function checkAccounts(root: Node, hasTokens: boolean, reader: FieldReader): void {
  const enabled = valueAt(valueAt(root, "auth"), "enabled");
  if (enabled === undefined || reader.boolean(enabled) !== true) return;
  if (hasTokens)
    reader.warn(enabled.at, "is ignored: weir has no accounts, and lets in who sends one of access_keys");
  else
    reader.refuse(
      enabled.at,
      "access_keys beside it, as weir has no accounts (or false, to let in everybody)",
      "true",
    );
}
