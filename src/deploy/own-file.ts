// Addresses and routes in weir's own format: a provider of the engine's type with its addresses, and a route by the name
// that is served. An address stands in the file once.
import { type Document, isAlias, isMap, isScalar, isSeq, type Node, Scalar, YAMLMap, YAMLSeq } from "yaml";
import { comparable, type Row } from "./row.ts";

const ADDRESS_KEYS = ["base_urls", "base_url"];

export function upsertAddress(document: Document, row: Row): readonly string[] {
  const providers = mapAt(document, "providers");
  const wanted = comparable(row.url);
  const holders = providers.items.flatMap(({ key, value }) =>
    isMap(value) && holds(value, wanted) ? [{ name: nameOf(key), provider: value }] : [],
  );
  const serving = findServing(document, providers, row);
  if (serving !== undefined && holders.some(({ name }) => name === serving)) return [];
  // An address that no route of this name leads to served another model until now. Its weight and comment go along.
  const leading = new Set(targetsOf(document, row.servedName));
  const kept = holders.find(({ name }) => leading.has(name));
  if (kept !== undefined) return [];
  const moved = holders.map(({ name, provider }) => {
    const taken = takeAddress(provider, wanted);
    if (addressesOf(provider).length === 0) removeProvider(document, name);
    return taken;
  });
  const address = moved.find((each) => each !== undefined) ?? document.createNode(row.url);
  const name = serving ?? newProvider(document, providers, row);
  const provider: unknown = providers.get(name);
  if (isMap(provider)) addAddress(provider, address);
  return leadTo(document, row.servedName, name);
}

export function removeAddress(document: Document, urls: ReadonlySet<string>): readonly string[] {
  const providers = document.get("providers");
  if (!isMap(providers)) return [];
  for (const url of urls)
    for (const { key, value } of providers.items.slice()) {
      if (!isMap(value) || !holds(value, comparable(url))) continue;
      takeAddress(value, comparable(url));
      if (addressesOf(value).length === 0) removeProvider(document, nameOf(key));
    }
  return [];
}

const nameOf = (key: unknown): string => String(isScalar(key) ? key.value : key);

function mapAt(document: Document, key: string): YAMLMap {
  const given: unknown = document.get(key);
  if (isMap(given)) {
    if (given.items.length === 0) given.flow = false;
    return given;
  }
  const map = new YAMLMap();
  document.set(key, map);
  return map;
}

/** The written addresses of a provider: texts, texts with commas between, rows with a `url`. */
const addressesOf = (provider: YAMLMap): readonly string[] =>
  ADDRESS_KEYS.flatMap((key) => {
    const node: unknown = provider.get(key, true);
    return (isSeq(node) ? node.items : [node]).flatMap(textsOf);
  });

function textsOf(node: unknown): readonly string[] {
  const value: unknown = isMap(node) ? node.get("url") : isScalar(node) ? node.value : undefined;
  return typeof value === "string" ? value.split(",").filter((part) => part.trim() !== "") : [];
}

const holds = (provider: YAMLMap, wanted: string): boolean =>
  addressesOf(provider).some((text) => comparable(text) === wanted);

/** Takes the address out, and gives it as it was written. */
function takeAddress(provider: YAMLMap, wanted: string): Node | undefined {
  let taken: Node | undefined;
  const keep = (node: unknown): boolean => {
    const texts = textsOf(node);
    const rest = texts.filter((text) => comparable(text) !== wanted);
    if (rest.length === texts.length) return true;
    if (rest.length === 0) {
      taken ??= node as Node;
      return false;
    }
    taken ??= new Scalar(texts.find((text) => comparable(text) === wanted)?.trim());
    if (isScalar(node)) node.value = rest.join(",");
    else if (isMap(node)) node.set("url", rest.join(","));
    return true;
  };
  for (const key of ADDRESS_KEYS) {
    const node: unknown = provider.get(key, true);
    if (isSeq(node)) {
      node.items = node.items.filter(keep);
      if (node.items.length === 0) provider.delete(key);
    } else if (node !== undefined && !keep(node)) provider.delete(key);
  }
  return taken;
}

/** One text becomes a list; `base_url` and `base_urls` mean the same. */
function addAddress(provider: YAMLMap, address: Node): void {
  const key = ADDRESS_KEYS.find((each) => provider.has(each)) ?? "base_urls";
  const present: unknown = provider.get(key, true);
  if (isSeq(present)) present.add(address);
  else {
    const list = new YAMLSeq();
    list.items = [...(present === undefined ? [] : [present]), address];
    provider.set(key, list);
  }
}

/** A provider of this engine that the name's route leads to without another name. */
function findServing(document: Document, providers: YAMLMap, row: Row): string | undefined {
  return targetsOf(document, row.servedName, true).find((name) => {
    const provider: unknown = providers.get(name);
    return isMap(provider) && (provider.get("type") ?? name) === row.engine;
  });
}

/** Names of providers; `sameModel` leaves out targets that ask for another model there. */
function targetsOf(document: Document, model: string, sameModel = false): readonly string[] {
  const targets = document.getIn(["routes", model, "targets"]);
  if (!isSeq(targets)) return [];
  return targets.items.flatMap((item) => {
    if (isScalar(item)) return [String(item.value)];
    if (!isMap(item)) return [];
    const renamed = item.get("model");
    return sameModel && renamed !== undefined && renamed !== model ? [] : [String(item.get("provider"))];
  });
}

function newProvider(document: Document, providers: YAMLMap, { servedName, engine }: Row): string {
  const slug = servedName
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");
  const wanted = `${engine}-${slug}`.replace(/-$/, "");
  let name = wanted;
  for (let count = 2; providers.has(name); count += 1) name = `${wanted}-${count}`;
  providers.set(name, document.createNode({ type: engine }));
  return name;
}

function leadTo(document: Document, model: string, provider: string): readonly string[] {
  const routes = mapAt(document, "routes");
  const route: unknown = routes.get(model);
  if (route === undefined || route === null) {
    routes.set(model, document.createNode({ targets: [provider] }));
    return [];
  }
  const targets = isMap(route) ? route.get("targets") : undefined;
  if (isSeq(targets)) {
    if (!targetsOf(document, model, true).includes(provider)) targets.add(document.createNode(provider));
    return [];
  }
  return [
    `the route ${JSON.stringify(model)} has no list of targets and stays as it is; add ${provider} where it belongs`,
  ];
}

/** With the targets that name it, and routes that lead nowhere then. */
function removeProvider(document: Document, name: string): void {
  document.deleteIn(["providers", name]);
  const routes = document.get("routes");
  if (!isMap(routes)) return;
  for (const { key, value } of routes.items.slice()) {
    if (isAlias(value) || !isMap(value)) continue;
    const targets: unknown = value.get("targets");
    if (!isSeq(targets)) continue;
    const before = targets.items.length;
    targets.items = targets.items.filter(
      (item) => (isMap(item) ? item.get("provider") : isScalar(item) ? item.value : undefined) !== name,
    );
    if (before > 0 && targets.items.length === 0) routes.delete(key);
  }
}
