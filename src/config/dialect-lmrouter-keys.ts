// LMRouter's keys of a provider in all their spellings: one text, a list of texts, a list of `{key|api_key, weight}`.
import type { FieldReader, KeyRules } from "./dialect-fields.ts";
import type { DraftKey } from "./draft.ts";
import { splitList } from "./readers.ts";
import { type MapNode, type Node, valueAt } from "./tree.ts";

const KEY_KEYS: KeyRules = [["key api_key weight", "used"]];

/** `keys` and `api_key` together; each key once, at its first place. Undefined when one could not be read. */
export function readLmRouterKeys(provider: MapNode, reader: FieldReader): readonly DraftKey[] | undefined {
  const items = ["keys", "api_key"].flatMap((name) => reader.items(valueAt(provider, name)));
  const keys = new Map<string, DraftKey>();
  let isWhole = true;
  for (const item of items) {
    const found = readItem(item, reader);
    isWhole &&= found !== undefined;
    for (const key of found ?? []) {
      const text = key.secret.reveal();
      if (!keys.has(text)) keys.set(text, key);
    }
  }
  return isWhole ? [...keys.values()] : undefined;
}

function readItem(item: Node, reader: FieldReader): readonly DraftKey[] | undefined {
  if (item.kind !== "map") return readText(item, 1, reader);
  reader.checkKeys(item, KEY_KEYS, "is not known to weir, and ignored");
  const node = valueAt(item, "key") ?? valueAt(item, "api_key");
  if (node === undefined)
    return reader.refuse(item.at, "key, and weight if it is not 1", "a key without its text");
  const weight = valueAt(item, "weight");
  const number = reader.number(weight);
  if (weight !== undefined && number === undefined) return undefined;
  return readText(node, number ?? 1, reader);
}

/** One variable may hold a comma list. */
function readText(node: Node, weight: number, reader: FieldReader): readonly DraftKey[] | undefined {
  const text = reader.text(node);
  if (text === undefined) return node.kind === "text" && node.text === "" ? [] : undefined;
  return splitList(text).flatMap((part) => {
    const secret = reader.secret({ kind: "text", at: node.at, text: part });
    return secret === undefined ? [] : [{ secret, weight, at: node.at }];
  });
}
