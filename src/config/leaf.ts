// Single values of the own format: a text as its reader wants it, in the form that YAML gives to numbers and switches.
import { type TSchema, Type } from "@sinclair/typebox";
import { type LeafShape, type Reader, type Reading, splitList, value } from "./readers.ts";
import type { Report } from "./report.ts";
import { refuse, type Shape } from "./shape.ts";
import type { Node } from "./tree.ts";

/** A text from variables may be anything once it is expanded; only its reader knows. */
const REFERENCE = Type.String({ pattern: "\\$\\{" });

/** Other ways to name a variable, which would be sent as if they were the secret. */
export const strayReference = (text: string): Reading<never> | undefined =>
  /^\s*(\$|os\.environ\/)\w+\s*$/.test(text)
    ? { kind: "unread", expected: "braces around the name of a variable: ${NAME}" }
    : undefined;

const SWITCH = "^([Yy]es|YES|[Nn]o|NO)$";

/** What `reader` reads. Secret ones are not shown in messages. */
export function leaf<V>(reader: Reader<V>, { isSecret = false } = {}): Shape<V> {
  const shape = reader.shape ?? { kind: "text" };
  return {
    schema: () => schemaOf(shape),
    read(node, report) {
      const text = textOf(node, shape);
      if (text.kind === "unread") return refuseLeaf(node, text.expected, { report, isSecret });
      const stray = isSecret ? strayReference(text.value) : undefined;
      const reading = stray ?? reader(text.value.trim());
      if (reading.kind === "value") return reading.value;
      return refuseLeaf(node, reading.expected, { report, isSecret });
    },
  };
}

function refuseLeaf(
  node: Node,
  expected: string,
  { report, isSecret }: { readonly report: Report; readonly isSecret: boolean },
): undefined {
  const isText = node.kind === "text" || node.kind === "number";
  if (!isSecret || !isText) return refuse(node, expected, report);
  if (node.kind === "number" || node.isBroken === undefined)
    report.tell(node.at, expected, node.text.trim() === "" ? "nothing" : "***");
  return undefined;
}

/** The text of a single value, as its reader takes it; only what may stand there by its kind. */
function textOf(node: Node, shape: LeafShape): Reading<string> {
  if (node.kind === "map" || node.kind === "list" || node.kind === "null")
    return unread(shape.kind === "list" ? "a list" : EXPECTED[shape.kind]);
  if (node.kind === "boolean")
    return shape.kind === "boolean"
      ? value(String(node.value))
      : unread(`${EXPECTED[shape.kind]} (true and false are a switch; quotes make them text)`);
  const isWritten = node.kind === "text" && node.written === undefined;
  if (node.kind === "text" && node.isBroken !== undefined) return unread("a text"); // told before
  if (shape.kind === "integer") {
    if (isWritten)
      return unread(/^\s*\d+\s*$/.test(node.text) ? "a number, without quotes" : "a number in digits alone");
    if (node.kind === "number" && /^[-+]?0\d/.test(node.text))
      return unread("a number without a leading zero");
  }
  if (
    shape.kind === "boolean" &&
    (node.kind === "number" || (isWritten && !new RegExp(SWITCH).test(node.text)))
  )
    return unread("true or false");
  return value(node.text);
}

const unread = (expected: string): Reading<never> => ({ kind: "unread", expected });

const EXPECTED: Readonly<Record<LeafShape["kind"], string>> = {
  integer: "a number",
  boolean: "true or false",
  word: "a word",
  text: "a text",
  measure: "a number with its unit",
  list: "a list",
};

/** Texts without blanks at their ends, and something in them. */
export const someText =
  (expected: string): Reader<string> =>
  (text) =>
    text === "" ? unread(expected) : value(text);

const LARGEST = 1_000_000_000;

/** A share or price: 0 or more, with fractions. */
export function amount(expected: string): Shape<number> {
  return {
    schema: () => Type.Union([Type.Number({ minimum: 0, maximum: LARGEST }), REFERENCE]),
    read(node, report) {
      const isNumber = node.kind === "number" || (node.kind === "text" && node.written !== undefined);
      if (!isNumber) return refuse(node, expected, report);
      const text = node.text.trim();
      const number =
        /^(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?$/i.test(text) && !/^0\d/.test(text) ? Number(text) : -1;
      return number >= 0 && number <= LARGEST ? number : refuse(node, expected, report);
    },
  };
}

/** A list of single values, or a text with commas; each item is told by itself. Never empty text in it. */
export function leafList<V>(item: Reader<V>, { isSecret = false } = {}): Shape<readonly V[]> {
  const shape = item.shape ?? { kind: "text" };
  const parts = (node: Node, report: Report): readonly V[] => {
    const text = textOf(node, shape);
    if (text.kind === "unread") return refuseLeaf(node, text.expected, { report, isSecret }) ?? [];
    const texts = splitList(text.value);
    if (texts.length === 0) refuseLeaf(node, "a value (an empty list is [])", { report, isSecret });
    return texts.flatMap((part) => {
      if (report.isFull()) return [];
      const reading = (isSecret ? strayReference(part) : undefined) ?? item(part);
      if (reading.kind === "value") return [reading.value];
      return refuseLeaf(node, reading.expected, { report, isSecret }) ?? [];
    });
  };
  return {
    schema: () => Type.Union([Type.Array(schemaOf(shape)), schemaOf({ kind: "text" })]),
    read(node, report) {
      if (node.kind === "list")
        return node.items.flatMap((each) => (report.isFull() ? [] : parts(each, report)));
      if (node.kind === "map" || node.kind === "null") return refuse(node, "a list", report);
      return parts(node, report);
    },
  };
}

function schemaOf(shape: LeafShape): TSchema {
  switch (shape.kind) {
    case "integer":
      return Type.Union([Type.Integer({ minimum: shape.least, maximum: shape.most }), REFERENCE]);
    case "boolean":
      return Type.Union([Type.Boolean(), Type.String({ pattern: SWITCH }), REFERENCE]);
    case "word":
      return Type.Union([
        Type.Unsafe({ enum: shape.words }),
        Type.String({ pattern: `^ *(${shape.words.map(anySpelling).join("|")}) *$` }),
        ...(shape.pattern === undefined ? [] : [Type.String({ pattern: shape.pattern })]),
        REFERENCE,
      ]);
    case "text":
      return Type.Unsafe({ type: ["string", "number"] });
    case "measure":
      return Type.Union([Type.String({ pattern: shape.pattern, examples: [shape.example] }), REFERENCE]);
    case "list":
      return Type.Union([
        Type.Array(schemaOf(shape.item.shape ?? { kind: "text" })),
        schemaOf({ kind: "text" }),
      ]);
  }
}

/** `least_Used` and `leastUsed` are least-used. */
const anySpelling = (word: string): string =>
  word.replaceAll(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`).replaceAll("-", "[-_]*");
