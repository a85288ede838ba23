// The list of endpoints that an article on LiteLLM prints (`endpoints: [{name, url, weight}]`, `strategy`) as a draft.
import { createProviderBook, providerAt, readAddress } from "./dialect-book.ts";
import { FieldReader, given, implied, type KeyRules } from "./dialect-fields.ts";
import { keyVariablesOf } from "./dialect-litellm-model.ts";
import type { Dialect, Draft, DraftTarget, DraftTerms } from "./draft.ts";
import { expandTree } from "./expand.ts";
import { findProvider } from "./providers.ts";
import { describePlace, type Node, valueAt } from "./tree.ts";
import { findVariable } from "./variables.ts";

export const ENDPOINTS: Dialect = {
  name: "list of endpoints",
  recognises: (root) => {
    const endpoints = valueAt(root, "endpoints");
    return (
      endpoints?.kind === "list" &&
      endpoints.items.length > 0 &&
      endpoints.items.every((item) => valueAt(item, "url") !== undefined)
    );
  },
  read: readEndpoints,
};

const UNKNOWN_KEY = "is not known to weir, and ignored";
const TOP_KEYS: KeyRules = [["endpoints strategy", "used"]];
const ENDPOINT_KEYS: KeyRules = [["name url weight api_key", "used"]];

/** Its users paste the operation along; weir adds it itself. */
const OPERATION = /\/(chat\/completions|completions|embeddings|responses|messages)\/?$/;

function readEndpoints(written: Node, terms: DraftTerms): Draft {
  const root = expandTree(written, terms.variables, terms.notes);
  const reader = new FieldReader(terms.notes);
  if (root.kind === "map") reader.checkKeys(root, TOP_KEYS, UNKNOWN_KEY);
  const strategy = reader.placed(valueAt(root, "strategy"));
  const endpoints = reader.list(valueAt(root, "endpoints"));
  const book = createProviderBook(() => ({}));
  const targets = (endpoints?.items ?? []).flatMap((item): DraftTarget[] => {
    const map = reader.map(item);
    if (map === undefined) return [];
    reader.checkKeys(map, ENDPOINT_KEYS, UNKNOWN_KEY);
    const url = reader.placed(valueAt(map, "url"));
    const address =
      url === undefined ? undefined : readAddress(url.value.replace(OPERATION, ""), url.at, terms.notes);
    if (address === undefined) return [];
    const base = providerAt(address.origin) ?? findProvider("openai");
    if (base === undefined) throw new RangeError("cannot read endpoint: no provider openai in the table");
    const name = reader.text(valueAt(map, "name"));
    const isOwnHost = address.origin === base.origin;
    const known = isOwnHost ? keyVariablesOf(base) : [];
    const variable = known.flatMap((each) => findVariable(terms.variables, each) ?? [])[0];
    const key =
      reader.secret(valueAt(map, "api_key")) ??
      (variable === undefined ? undefined : reader.secret({ kind: "text", at: map.at, text: variable.text }));
    if (isOwnHost && key === undefined)
      reader.warn(
        map.at,
        `has no key, so that ${base.name} refuses what is sent there: api_key, or ${known.join(" or ")} in the environment`,
      );
    const label = name === undefined ? {} : { label: name };
    const place = { base, address, at: map.at, ...label, ...(key === undefined ? {} : { key }) };
    return [{ ...book.refer(place), at: map.at, weight: reader.number(valueAt(map, "weight")) ?? 1 }];
  });
  const where = `${describePlace(root.at)} (the article's default)`;
  return {
    isForeign: true,
    options: new Map([
      ["strategy", strategy === undefined ? implied("round-robin", where) : given(strategy)],
    ]),
    providers: book.providers(),
    // Any model, under whatever name clients give it.
    routes: targets.length === 0 ? [] : [{ name: "*", at: endpoints?.at ?? root.at, targets }],
    aliases: [],
    fallbacks: [],
  };
}
