// What a configuration file says, with the place of every word of it. Own format and dialects read this tree alike.

/** Where something stands. `path` is as in messages: `providers.openai.api_keys[1].weight`; empty for the whole file. */
export interface Place {
  readonly file: string;
  /** Both from 1; 0 for what stands in no text. */
  readonly line: number;
  readonly column: number;
  readonly path: string;
}

export type Node = MapNode | ListNode | TextNode | NumberNode | BooleanNode | NullNode;

export interface MapNode {
  readonly kind: "map";
  readonly at: Place;
  readonly entries: readonly Entry[];
}

export interface Entry {
  readonly key: string;
  readonly keyAt: Place;
  readonly value: Node;
}

export interface ListNode {
  readonly kind: "list";
  readonly at: Place;
  readonly items: readonly Node[];
}

export interface TextNode {
  readonly kind: "text";
  readonly at: Place;
  /** References to variables expanded. */
  readonly text: string;
  /** As written, when `text` came from variables: what may be shown of it. */
  readonly written?: string;
  /** A reference in it could not be expanded, which was told: nothing more is to be said of it. */
  readonly isBroken?: true;
}

export interface NumberNode {
  readonly kind: "number";
  readonly at: Place;
  readonly value: number;
  /** As written: `012`, `1e3`. */
  readonly text: string;
}

export interface BooleanNode {
  readonly kind: "boolean";
  readonly at: Place;
  readonly value: boolean;
}

/** `null`, `~`, or nothing at all after the colon. */
export interface NullNode {
  readonly kind: "null";
  readonly at: Place;
}

/** `weir.yaml:3:9 server.port` */
export function describePlace({ file, line, column, path }: Place): string {
  const spot = line === 0 ? "" : `:${line}:${column}`;
  return `${file}${spot}${path === "" ? "" : ` ${path}`}`;
}

/** The place that describePlace wrote; undefined for what is no place in a file, such as a variable's name. */
export function readPlace(text: string): Place | undefined {
  const [, file, line, column, path = ""] = /^(.+?):(\d+):(\d+)(?: (.*))?$/s.exec(text) ?? [];
  return file === undefined ? undefined : { file, line: Number(line), column: Number(column), path };
}

/** The value of `key` in a map; undefined for other kinds, missing keys and null. */
export function valueAt(node: Node | undefined, key: string): Node | undefined {
  if (node?.kind !== "map") return undefined;
  const value = node.entries.find((entry) => entry.key === key)?.value;
  return value?.kind === "null" ? undefined : value;
}
