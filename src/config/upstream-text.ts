// The text of an upstream's body to JSON, by the reader of configuration files: YAML takes JSON with comments, as people paste it.
import type { UpstreamProblem } from "../core/upstream.ts";
import { readDocument } from "./document.ts";
import { createNotes, type Problem } from "./problem.ts";
import { readPlace } from "./tree.ts";
import { plainOf } from "./tree-json.ts";

export type TextReading =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "problems"; readonly problems: readonly UpstreamProblem[] };

const FILE = "body";
const EMPTY: UpstreamProblem = { path: "", expected: "an upstream in JSON or YAML", found: "an empty body" };

export function readUpstreamText(text: string): TextReading {
  if (text.trim() === "") return { kind: "problems", problems: [EMPTY] };
  const notes = createNotes();
  const node = readDocument(text, { file: FILE }, notes);
  if (notes.problems.length > 0 || node === undefined)
    return { kind: "problems", problems: notes.problems.map(problemOf) };
  return { kind: "value", value: plainOf(node) };
}

/** `body:3:9 targets[0].port` tells the line and the path. */
function problemOf({ where, expected, found }: Problem): UpstreamProblem {
  const { line, column, path } = readPlace(where) ?? { line: 1, column: 1, path: "" };
  const spot = `at line ${line}, column ${column}`;
  return { path, expected, found: found === undefined ? `something else ${spot}` : `${found} ${spot}` };
}
