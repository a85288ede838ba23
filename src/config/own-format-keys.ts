// The keys of a provider in the own format: texts, lists and rows, and the file that holds one a line.
import { definedOf } from "./draft-backends.ts";
import type { DraftKey } from "./draft.ts";
import type { ReadFile } from "./files.ts";
import { readKey, readKeyFile, splitItems, type WeightedKey } from "./keys.ts";
import { amount, leaf, leafList, someText, strayReference } from "./leaf.ts";
import { looksSecret } from "./masked.ts";
import { limitsShape, MODELS_SENTENCE } from "./own-format-limits.ts";
import { createNotes, type Notes } from "./problem.ts";
import { type Reader, type Reading, value } from "./readers.ts";
import type { Report } from "./report.ts";
import { field, fieldsOf, mapped, oneOrMore, type Shape, shortOrLong } from "./shape.ts";
import { describePlace, type Node } from "./tree.ts";

/** One text may hold several, with commas between: a variable with a whole pool. */
const keyTexts: Reader<readonly WeightedKey[]> = (text) => {
  const readings = splitItems(text).map(readKeyText);
  const wrong = readings.find((reading) => reading.kind === "unread");
  if (wrong !== undefined) return wrong;
  if (readings.length === 0) return { kind: "unread", expected: "a key" };
  return value(readings.flatMap((reading) => (reading.kind === "value" ? reading.value : [])));
};

const readKeyText = (text: string): Reading<WeightedKey> => strayReference(text) ?? readKey(text);

const keyText: Shape<readonly WeightedKey[]> = leaf(keyTexts, { isSecret: true });

const plainKeys: Shape<readonly DraftKey[]> = mapped(keyText, (keys, node) => keys.map(at(node)));

const at =
  (node: Node) =>
  ({ secret, weight }: WeightedKey): DraftKey => ({ secret, weight, at: node.at });

const rowFields = {
  key: field("The key; one ${NAME} may hold several, with commas between.", keyText),
  weight: field(
    "Share of this key among the keys; 0 lets it finish and gives it nothing new. Default: 1.",
    amount("a weight of 0 or more"),
  ),
  limits: field("Limits of this key, over the provider's.", limitsShape),
  models: field(`${MODELS_SENTENCE} In place of the provider's.`, leafList(someText("the name of a model"))),
  quota_group: field(
    "Keys with the same group share one bucket at the provider. In place of the provider's.",
    leaf(someText("a name for the group")),
  ),
};

const keyRow: Shape<readonly DraftKey[]> = mapped(fieldsOf(rowFields, ["key"]), ({ values }, node) =>
  values.key?.map(({ secret, weight }) => ({
    secret,
    weight: weight * (values.weight ?? 1),
    at: node.at,
    ...definedOf({ limits: values.limits, models: values.models, quotaGroup: values.quota_group }),
  })),
);

/** `api_key` and `api_keys` alike. */
export const keysShape: Shape<readonly DraftKey[]> = mapped(
  oneOrMore(shortOrLong(plainKeys, keyRow), "keys"),
  (keys) => keys.flat(),
);

/** Path of a file of keys, and where it stands. */
export const keyFileShape = mapped(leaf(someText("the path of a file")), (text, node) => ({ text, node }));

export interface KeyTerms {
  readonly readFile: ReadFile;
  /** For the files to watch. */
  readonly notes: Notes;
  readonly report: Report;
}

export function keysInFile(
  file: { readonly text: string; readonly node: Node },
  { readFile, notes, report }: KeyTerms,
): readonly DraftKey[] {
  const found = createNotes();
  const keys = readKeyFile({ text: file.text, where: describePlace(file.node.at) }, readFile, found);
  // A key in place of the path is not repeated.
  report.forward(found.problems, looksSecret(file.text) ? "hidden" : "shown");
  for (const path of found.watched) if (!notes.watched.includes(path)) notes.watched.push(path);
  return keys.map(at(file.node));
}

/** Each key once, at its first place; that there were others is said once. */
export function distinctKeys(keys: readonly DraftKey[], notes: Notes): readonly DraftKey[] {
  const distinct = new Map<string, DraftKey>();
  const repeated: string[] = [];
  for (const key of keys) {
    const text = key.secret.reveal();
    const first = distinct.get(text);
    if (first === undefined) distinct.set(text, key);
    else if (first.at !== key.at)
      repeated.push(
        `${describePlace(key.at)} holds a key that stands at ${describePlace(first.at)} already; what is said here of it is ignored`,
      );
  }
  const [one] = repeated;
  const more = repeated.length > 1 ? ` (and ${repeated.length - 1} further ones below it)` : "";
  if (one !== undefined) notes.warnings.push(one + more);
  return [...distinct.values()];
}
