// Follows a document through the schema: which sentence belongs to which of its keys.
import type { Node } from "../../src/config/tree.ts";

/** As much of JSON Schema as weir's has. */
export interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
}

/** A key with a sentence, where the document has it first. */
export interface Explained {
  readonly line: number;
  readonly column: number;
  readonly sentence: string;
}

export function explainKeys(root: Node, schema: Schema): readonly Explained[] {
  const seen = new Set<Schema>();
  const found: Explained[] = [];
  const walk = (node: Node, schemas: readonly Schema[]): void => {
    if (node.kind === "list")
      for (const item of node.items)
        walk(
          item,
          schemas.flatMap(({ items }) => alternatives(items)),
        );
    if (node.kind !== "map") return;
    for (const { key, keyAt, value } of node.entries) {
      const own = schemas.flatMap((each) => each.properties?.[key] ?? []);
      for (const child of own)
        if (child.description !== undefined && !seen.has(child)) {
          seen.add(child);
          found.push({ line: keyAt.line, column: keyAt.column, sentence: child.description });
        }
      const named = schemas.flatMap(({ additionalProperties: rest }) =>
        typeof rest === "object" ? rest : [],
      );
      walk(value, [...own, ...named].flatMap(alternatives));
    }
  };
  walk(root, alternatives(schema));
  return found;
}

const alternatives = (schema: Schema | undefined): readonly Schema[] =>
  schema === undefined ? [] : [schema, ...(schema.anyOf ?? []).flatMap(alternatives)];

/** Every key that the schema knows, with its path: `providers.*.limits.rpm`. */
export function keysOf(
  schema: Schema,
  path = "",
): readonly { readonly path: string; readonly schema: Schema }[] {
  return alternatives(schema).flatMap(({ properties = {}, additionalProperties: rest, items }) => [
    ...Object.entries(properties).flatMap(([key, child]) => {
      const at = path === "" ? key : `${path}.${key}`;
      return [{ path: at, schema: child }, ...keysOf(child, at)];
    }),
    ...(typeof rest === "object" ? keysOf(rest, `${path}.*`) : []),
    ...(items === undefined ? [] : keysOf(items, `${path}[]`)),
  ]);
}
