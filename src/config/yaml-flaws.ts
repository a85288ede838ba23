// Mistakes of YAML's syntax in our words: what stands there when it is right. Never anything of the text, which may hold keys.
import type { ErrorCode } from "yaml";

/** Where the library has one code for several mistakes, the beginning of its message tells them apart. */
const BY_MESSAGE: readonly (readonly [string, string])[] = [
  ['Missing closing "quote', 'a closing " for the text that begins here'],
  ["Missing closing 'quote", "a closing ' for the text that begins here"],
  ["Comments must be separated", "a blank before #"],
  ["Implicit map keys need to be followed", "a colon after the key, and a blank after the colon"],
  ["Implicit keys need to be on a single line", "a key and its colon on one line"],
  ["Missing space after :", "a blank after the colon"],
  ["Missing , or :", "a comma or colon between the parts"],
  ["Missing , between", "a comma between the parts"],
  ["Sequence item without -", "a - before each item of the list"],
  ["Flow map", "a closing } for the map that begins above, not less indented than it"],
  ["Flow sequence", "a closing ] for the list that begins above, not less indented than it"],
  ["Unexpected , in", "a value before the comma"],
  ["Unexpected empty item", "a value before the comma"],
  ["Unexpected flow-map-end", "no } without its {"],
  ["Unexpected flow-seq-end", "no ] without its ["],
  ["Missing directives-end", "--- after a line that begins with %, or no such line"],
  ["Block collection cannot start on same line", "a line end after ---"],
];

const BY_CODE: Readonly<Partial<Record<ErrorCode, string>>> = {
  ALIAS_PROPS: "a reference (*name) with nothing before it",
  BAD_ALIAS: "a name directly after & or *, and quotes around text that begins with them",
  BAD_DIRECTIVE: "no line that begins with %",
  BAD_DQ_ESCAPE: "two backslashes for one, or single quotes: what follows this one is no escape",
  BAD_INDENT: "the indentation of the lines that belong together",
  BAD_PROP_ORDER: "an anchor (&name) directly before its value",
  BAD_SCALAR_START: "quotes around text that begins with this character",
  BLOCK_AS_IMPLICIT_KEY: 'one key a line, and quotes around text with ": " in it',
  BLOCK_IN_FLOW: "no indented map or list within { } or [ ]",
  KEY_OVER_1024_CHARS: "a key of at most 1024 characters",
  MISSING_CHAR: "a blank or sign that YAML needs here",
  MULTILINE_IMPLICIT_KEY: "a key and its colon on one line",
  MULTIPLE_ANCHORS: "one anchor (&name) before a value",
  MULTIPLE_DOCS: "one document, without a further --- line",
  RESOURCE_EXHAUSTION: "fewer maps and lists within each other",
  TAB_AS_INDENT: "blanks for indentation, not tabs",
  UNEXPECTED_TOKEN: "a key with a colon, a value, or a list item, each on a line of its own",
};

export function describeFlaw(code: ErrorCode, message: string): string {
  const known = BY_MESSAGE.find(([beginning]) => message.startsWith(beginning));
  return known?.[1] ?? BY_CODE[code] ?? "valid YAML";
}

/** True for quoted text without its end. */
export const isUnclosed = (message: string): boolean => message.startsWith("Missing closing");
