// The sections of LiteLLM's config.yaml, with the files that `include` names and the variables that the file itself sets.
import { posix } from "node:path";
import { readDocument } from "./document.ts";
import type { DraftTerms } from "./draft.ts";
import { entriesOf, FieldReader } from "./dialect-fields.ts";
import { TOP_KEYS, UNKNOWN_KEY } from "./dialect-litellm-keys.ts";
import { expandTree } from "./expand.ts";
import { readTextFile } from "./files.ts";
import { quoted } from "./problem.ts";
import { describePlace, type Node, valueAt } from "./tree.ts";
import { findVariable, type Variable, type Variables } from "./variables.ts";

export interface LiteLlmFile {
  readonly rows: readonly Node[];
  /** By `credential_name`. */
  readonly credentials: ReadonlyMap<string, Node>;
  readonly litellm: Node | undefined;
  readonly router: Node | undefined;
  readonly general: Node | undefined;
  readonly variables: Variables;
  readonly reader: FieldReader;
  readonly root: Node;
}

const MOST_INCLUDED = 100;

export function openFile(root: Node, terms: DraftTerms): LiteLlmFile {
  const files = [root, ...includedBy(root, terms)];
  const variables = withOwnVariables(files, terms);
  const reader = new FieldReader(terms.notes, (text, at) => {
    const name = /^os\.environ\/(.+)$/.exec(text)?.[1]?.trim();
    if (name === undefined) return text;
    const variable = findVariable(variables, name);
    if (variable !== undefined) return variable.text;
    return reader.refuse(at, `the variable ${name} to be set`, quoted(text));
  });
  const trees = files.map((file) => expandTree(file, variables, terms.notes));
  for (const tree of trees) if (tree.kind === "map") reader.checkKeys(tree, TOP_KEYS, UNKNOWN_KEY);
  /** Lists of included files are added, everything else of theirs takes the place of what stood before. */
  const section = (key: string): Node | undefined => trees.flatMap((tree) => valueAt(tree, key) ?? []).at(-1);
  const listed = (key: string): readonly Node[] =>
    trees.flatMap((tree) => reader.list(valueAt(tree, key))?.items ?? []);
  const credentials = listed("credential_list").flatMap((item) => {
    const name = reader.text(valueAt(item, "credential_name"));
    const values = valueAt(item, "credential_values");
    return name === undefined || values === undefined ? [] : [[name, values] as const];
  });
  return {
    rows: listed("model_list"),
    credentials: new Map(credentials),
    litellm: reader.map(section("litellm_settings")),
    router: reader.map(section("router_settings")),
    general: reader.map(section("general_settings")),
    variables,
    reader,
    root,
  };
}

/** Paths are relative to the file that names them. Each file once. */
function includedBy(root: Node, terms: DraftTerms): readonly Node[] {
  const seen = new Set([posix.normalize(root.at.file)]);
  const found: Node[] = [];
  const waiting = [root];
  while (waiting.length > 0) {
    const [file] = waiting.splice(0, 1);
    const include = valueAt(file, "include");
    const items = include?.kind === "list" ? include.items : [include];
    for (const item of items) {
      if (item?.kind !== "text") continue;
      const path = posix.join(posix.dirname(item.at.file), item.text);
      const whole = item.text.startsWith("/") ? posix.normalize(item.text) : path;
      if (seen.has(whole) || seen.size > MOST_INCLUDED) continue;
      seen.add(whole);
      const where = describePlace(item.at);
      const text = readTextFile(terms.readFile, { path: whole, where }, terms.notes);
      const node = text === undefined ? undefined : readDocument(text, { file: whole }, terms.notes);
      if (node === undefined) continue;
      found.push(node);
      waiting.push(node);
    }
  }
  return found;
}

/** `environment_variables` of the file go before those weir was started with, as in LiteLLM. */
function withOwnVariables(files: readonly Node[], { variables }: DraftTerms): Variables {
  const own = files
    .flatMap((file) => entriesOf(valueAt(file, "environment_variables")))
    .flatMap(({ key, value }): [string, Variable][] => {
      if (value.kind === "null" || value.kind === "map" || value.kind === "list") return [];
      const written = value.kind === "boolean" ? String(value.value) : value.text;
      const reference = /^os\.environ\/(.+)$/.exec(written)?.[1]?.trim();
      const text = reference === undefined ? written : (findVariable(variables, reference)?.text ?? "");
      return [[key, { name: key, text, where: describePlace(value.at) }]];
    });
  return new Map([...variables, ...own]);
}
