// A tree as plain JSON, and back from a path in it to the place: for readers that know bodies and no files.
import type { Node, Place } from "./tree.ts";

export function plainOf(node: Node): unknown {
  switch (node.kind) {
    case "map":
      return Object.fromEntries(node.entries.map(({ key, value }) => [key, plainOf(value)]));
    case "list":
      return node.items.map(plainOf);
    case "text":
      // Its flaw is told already, and readers that expand nothing would tell it again.
      return node.isBroken === true ? "unset" : node.text;
    case "number":
    case "boolean":
      return node.value;
    case "null":
      return null;
  }
}

const SEGMENT = /\[(\d+)\]|([^.[\]]+)/g;

/** The nearest place to `targets[0].port` below a node: a field that is missing is at the map where it should be. */
export function placeIn(root: Node, path: string): Place {
  let node: Node | undefined = root;
  let { at } = root;
  for (const [, index, key] of path.matchAll(SEGMENT)) {
    const entry: { readonly keyAt: Place; readonly value: Node } | undefined =
      node?.kind === "map" ? node.entries.find((each) => each.key === key) : undefined;
    node = node?.kind === "list" && index !== undefined ? node.items[Number(index)] : entry?.value;
    if (node === undefined) break;
    at = node.at;
  }
  return at;
}
