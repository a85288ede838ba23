// DeepWiki's api_keys.json as a draft: pools of keys by provider, mostly references to variables that hold comma lists.
import { Secret, maskSecret } from "../core/credential.ts";
import { AZURE_ENDPOINT, readAzureVersion } from "./azure.ts";
import { readAddress } from "./dialect-book.ts";
import { FieldReader, implied } from "./dialect-fields.ts";
import type { Dialect, Draft, DraftAddress, DraftKey, DraftProvider, DraftTerms } from "./draft.ts";
import { expandText } from "./expand.ts";
import { quoted } from "./problem.ts";
import { findProvider, type Provider, PROVIDERS } from "./providers.ts";
import { splitList, suggestion, token } from "./readers.ts";
import { describePlace, type Entry, type Node, type Place, valueAt } from "./tree.ts";
import { findVariable } from "./variables.ts";
import { splitWeight } from "./weighted.ts";

export const DEEPWIKI: Dialect = {
  name: "DeepWiki",
  recognises: (root) =>
    root.kind === "map" && root.entries.every(isPool) && root.entries.some(({ key }) => isKnown(key)),
  read: readDeepWiki,
};

/** A map with `keys` and nothing else, or, for a known provider, with nothing at all. */
const isPool = ({ key, value }: Entry): boolean =>
  value.kind === "map" &&
  value.entries.every((entry) => entry.key === "keys") &&
  (value.entries.length > 0 || isKnown(key));

const isKnown = (name: string): boolean =>
  findProvider(name) !== undefined || name.toLowerCase() === "bedrock";

function readDeepWiki(root: Node, terms: DraftTerms): Draft {
  const reader = new FieldReader(terms.notes);
  const before = terms.notes.problems.length;
  const entries = reader.map(root)?.entries ?? [];
  const providers = entries.flatMap((entry) => readPool(entry, terms, reader) ?? []);
  if (providers.length === 0 && terms.notes.problems.length === before)
    reader.refuse(root.at, "at least one provider with keys", "none of those it names");
  return {
    isForeign: true,
    options: new Map([["strategy", implied("least-used", `${describePlace(root.at)} (DeepWiki's way)`)]]),
    providers,
    routes: [],
    aliases: [],
    fallbacks: [],
  };
}

function readPool(
  { key: name, keyAt, value }: Entry,
  terms: DraftTerms,
  reader: FieldReader,
): DraftProvider | undefined {
  const base = findProvider(name);
  if (name.toLowerCase() === "bedrock") {
    reader.warn(keyAt, "is left out: Bedrock needs requests translated and signed, which weir does not do");
    return undefined;
  }
  if (base === undefined) {
    const names = PROVIDERS.map((provider) => provider.name);
    return reader.refuse(keyAt, `a provider that weir knows${suggestion(name, names)}`, quoted(name));
  }
  const address = readOwnAddress(base, keyAt, terms);
  if (address === undefined && base.origin === undefined) return complainOfNoAddress(base, keyAt, reader);
  const keys = readKeys(base, { name, at: keyAt, node: valueAt(value, "keys") }, { terms, reader });
  if (keys === undefined) return undefined;
  const isAzure = base.name === "azure-openai";
  return {
    name: base.name,
    at: keyAt,
    base,
    addresses: address === undefined ? [] : [address],
    keys,
    limits: {},
    models: [],
    isOffered: true,
    ...(isAzure ? { azureVersion: readAzureVersion(terms.variables, terms.notes) } : {}),
  };
}

function complainOfNoAddress(base: Provider, at: Place, reader: FieldReader): undefined {
  if (base.name === "azure-openai") reader.warn(at, `is left out: ${AZURE_ENDPOINT} is not set`);
  else reader.warn(at, "is left out: DeepWiki's file has no addresses, and weir knows none for it");
  return undefined;
}

/** Azure's endpoint, and the host of Ollama; both are in variables for DeepWiki too. */
function readOwnAddress(
  base: Provider,
  at: Place,
  { variables, notes }: DraftTerms,
): DraftAddress | undefined {
  const isOllama = base.name === "ollama";
  const name = isOllama ? "OLLAMA_HOST" : AZURE_ENDPOINT;
  if (!isOllama && base.name !== "azure-openai") return undefined;
  const text =
    findVariable(variables, name)?.text.trim() ?? (isOllama ? "http://127.0.0.1:11434" : undefined);
  if (text === undefined) return undefined;
  const url = text.includes("://") ? text : `http://${text}`;
  const address = readAddress(url, { ...at, path: `${at.path} (${name})` }, notes);
  return address === undefined ? undefined : { ...address, weight: 1, at };
}

interface Pool {
  readonly name: string;
  readonly at: Place;
  readonly node: Node | undefined;
}

interface Reading {
  readonly terms: DraftTerms;
  readonly reader: FieldReader;
}

/** Undefined: the provider is left out, and why is said. */
function readKeys(
  base: Provider,
  { name, at, node }: Pool,
  { terms, reader }: Reading,
): readonly DraftKey[] | undefined {
  const written = reader.items(node).flatMap((item) => (item.kind === "text" ? item : []));
  for (const item of reader.items(node))
    if (item.kind !== "text") return reader.refuse(item.at, "a key as text", `a ${item.kind}`);
  if (written.length === 0) return fromVariables(base, { name, at }, { terms, reader });
  const keys = new Map<string, DraftKey>();
  for (const item of written) {
    const expansion = expandText(item.text, terms.variables);
    if (expansion.kind === "flaw") return reader.refuse(item.at, expansion.expected);
    if (expansion.kind === "unset") {
      reader.warn(at, `is left out: ${expansion.names.join(" and ")} is not set`);
      return undefined;
    }
    for (const key of splitKeys(expansion.text, item.at, reader)) addKey(keys, key);
  }
  if (keys.size > 0) return [...keys.values()];
  reader.warn(at, "is left out: what its keys refer to is empty");
  return undefined;
}

function fromVariables(
  base: Provider,
  { name, at }: Omit<Pool, "node">,
  { terms, reader }: Reading,
): readonly DraftKey[] | undefined {
  const prefixes = [...new Set([name.toUpperCase().replaceAll("-", "_"), ...base.prefixes])];
  const names = ["API_KEYS", "API_KEY"].flatMap((suffix) => prefixes.map((prefix) => `${prefix}_${suffix}`));
  const variable = names.flatMap((each) => findVariable(terms.variables, each) ?? [])[0];
  if (variable === undefined) {
    if (base.kind === "engine") return [];
    reader.warn(at, `is left out: it has no keys, and neither ${names.join(" nor ")} is set`);
    return undefined;
  }
  const keys = new Map<string, DraftKey>();
  for (const key of splitKeys(variable.text, { ...at, path: `${at.path} (${variable.name})` }, reader))
    addKey(keys, key);
  return [...keys.values()];
}

const addKey = (keys: Map<string, DraftKey>, key: DraftKey): void => {
  if (!keys.has(key.secret.reveal())) keys.set(key.secret.reveal(), key);
};

/** `k1,k2*3`, as weir's own variables have it. */
function splitKeys(text: string, at: Place, reader: FieldReader): readonly DraftKey[] {
  return splitList(text).flatMap((part) => {
    const split = splitWeight(part);
    const reading = token(split?.item ?? part);
    if (split !== undefined && reading.kind === "value")
      return [{ secret: reading.value, weight: split.weight, at }];
    const expected = reading.kind === "unread" ? reading.expected : "a weight of 0 or more after the star";
    return reader.refuse(at, expected, maskSecret(new Secret(part))) ?? [];
  });
}
