// What may stand somewhere in the own format: each shape reads a node and says what its JSON Schema is, so that the two
// cannot differ. Shapes of maps, of named rows and of lists; those of single values are in leaf.ts.
import { type TSchema, Type } from "@sinclair/typebox";
import { nearestNames } from "../core/nearest.ts";
import { type Report, shownKey, shownNode } from "./report.ts";
import type { Entry, Node, Place } from "./tree.ts";

export interface Shape<V> {
  readonly schema: () => TSchema;
  /** Undefined when it could not be read, which is told then. */
  readonly read: (node: Node, report: Report) => V | undefined;
  /** Of a map: a key that stands somewhere else may be meant for here. */
  readonly keys?: readonly string[];
}

type ValueOf<S> = S extends Shape<infer V> ? V : never;

/** A key of a map, and the sentence that editors show for it. */
export interface Field<V> {
  readonly sentence: string;
  readonly shape: Shape<V>;
}

export const field = <V>(sentence: string, shape: Shape<V>): Field<V> => ({ sentence, shape });

type Fields = Readonly<Record<string, Field<unknown>>>;

/** Keys that are missing, or whose values could not be read, are undefined. */
export type ReadFields<F extends Fields> = {
  readonly [K in keyof F]: ValueOf<F[K]["shape"]> | undefined;
};

export interface ReadMap<F extends Fields> {
  readonly at: Place;
  readonly values: ReadFields<F>;
  /** True for a key that stands there, readable or not. */
  readonly has: (key: keyof F & string) => boolean;
  /** Of a key and its value. */
  readonly entry: (key: keyof F & string) => Entry | undefined;
}

/** A map with these keys and no others. Nothing at all is an empty map: everything in it may be a comment. */
export function fieldsOf<F extends Fields>(
  fields: F,
  required: readonly (keyof F & string)[] = [],
): Shape<ReadMap<F>> {
  return {
    keys: Object.keys(fields),
    schema: () =>
      Type.Unsafe({
        ...Type.Object(schemasOf(fields), { additionalProperties: false }),
        type: required.length > 0 ? "object" : ["object", "null"],
        ...(required.length > 0 ? { required } : {}),
      }),
    read(node, report) {
      if (node.kind !== "map" && node.kind !== "null")
        return refuse(node, `a map with keys such as ${Object.keys(fields).slice(0, 3).join(", ")}`, report);
      const entries = node.kind === "map" ? node.entries : [];
      const values: Record<string, unknown> = {};
      for (const entry of entries) {
        if (report.isFull()) break;
        const known = Object.hasOwn(fields, entry.key) ? fields[entry.key] : undefined;
        if (known === undefined) tellUnknown(entry, fields, { report });
        else values[entry.key] = known.shape.read(entry.value, report);
      }
      const entryOf = (key: string) => entries.find((entry) => entry.key === key);
      for (const key of required)
        if (entryOf(key) === undefined) report.tell(node.at, `the key "${key}" in it`);
      return {
        at: node.at,
        values: values as ReadFields<F>,
        has: (key) => entryOf(key) !== undefined,
        entry: entryOf,
      };
    },
  };
}

export const schemasOf = (fields: Fields): Record<string, TSchema> =>
  Object.fromEntries(
    Object.entries(fields).map(([key, { sentence, shape }]) => [
      key,
      Type.Optional({ ...shape.schema(), description: sentence }),
    ]),
  );

/** `elsewhere` are further places for it, as paths. */
export function tellUnknown(
  entry: Entry,
  fields: Fields,
  { report, elsewhere = [] }: { readonly report: Report; readonly elsewhere?: readonly string[] },
): void {
  const known = Object.keys(fields);
  const below = known.filter((key) => fields[key]?.shape.keys?.includes(entry.key));
  const homes = [...below.map((key) => `${key}.${entry.key}`), ...elsewhere];
  const [near] = nearestNames(entry.key, known, 1);
  const others = near === undefined ? `one of ${known.join(", ")}` : `a known key (did you mean ${near}?)`;
  report.tell(entry.keyAt, homes.length > 0 ? `${homes.join(" or ")} in its place` : others, shownKey(entry));
}

/** A map whose keys users choose, in the order of the file. */
export function namedRows<V>(shape: Shape<V>, what: string): Shape<readonly (readonly [Entry, V])[]> {
  return {
    schema: () => Type.Unsafe({ type: ["object", "null"], additionalProperties: shape.schema() }),
    read(node, report) {
      if (node.kind === "null") return [];
      if (node.kind !== "map") return refuse(node, `a map of ${what}`, report);
      return node.entries.flatMap((entry) => {
        if (report.isFull()) return [];
        const value = shape.read(entry.value, report);
        return value === undefined ? [] : [[entry, value] as const];
      });
    },
  };
}

/** A list; what of it cannot be read is told and left out. */
export function listOf<V>(shape: Shape<V>, what: string, least = 0): Shape<readonly V[]> {
  return {
    schema: () => Type.Array(shape.schema(), least > 0 ? { minItems: least } : {}),
    read(node, report) {
      if (node.kind !== "list") return refuse(node, `a list of ${what}`, report);
      if (node.items.length < least) return refuse(node, `at least one of ${what} in the list`, report);
      return node.items.flatMap((item) => (report.isFull() ? [] : (shape.read(item, report) ?? [])));
    },
  };
}

/** A list, or one of its items by itself. */
export function oneOrMore<V>(shape: Shape<V>, what: string): Shape<readonly V[]> {
  const list = listOf(shape, what);
  return {
    schema: () => Type.Union([list.schema(), shape.schema()]),
    read(node, report) {
      if (node.kind === "list") return list.read(node, report);
      const value = shape.read(node, report);
      return value === undefined ? undefined : [value];
    },
  };
}

/** A map, or a single value that stands for one. */
export function shortOrLong<V>(short: Shape<V>, long: Shape<V>): Shape<V> {
  return {
    schema: () => Type.Union([short.schema(), long.schema()]),
    read: (node, report) => (node.kind === "map" ? long : short).read(node, report),
  };
}

/** What `shape` reads, made into something else; `make` may tell more, and give nothing. */
export function mapped<V, W>(
  shape: Shape<V>,
  make: (value: V, node: Node, report: Report) => W | undefined,
): Shape<W> {
  return {
    ...shape,
    read(node, report) {
      const value = shape.read(node, report);
      return value === undefined ? undefined : make(value, node, report);
    },
  };
}

/** Tells what was expected here; nothing of a text whose reference is broken, for that was told. */
export function refuse(node: Node, expected: string, report: Report): undefined {
  if (node.kind !== "text" || node.isBroken === undefined) report.tell(node.at, expected, shownNode(node));
  return undefined;
}
