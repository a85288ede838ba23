// Puts variables into the texts of a file: `${NAME}`, or `${NAME:-default}` for one that is unset or empty.
import { looksSecret } from "./masked.ts";
import type { Notes } from "./problem.ts";
import { describePlace, type Node, type TextNode } from "./tree.ts";
import { MOST_CHARACTERS } from "./tree-limits.ts";
import type { Variables } from "./variables.ts";

export type Expansion =
  | { readonly kind: "expanded"; readonly text: string; readonly isReferring: boolean }
  /** Names that are not set and have no default. */
  | { readonly kind: "unset"; readonly names: readonly string[] }
  | { readonly kind: "flaw"; readonly expected: string };

/** `$${` stands for `${` itself. What a variable holds is taken as it is. */
const PART = /\$\$\{|\$\{([^}]*)\}?/g;
const REFERENCE = /^\$\{([A-Za-z_]\w*)(?::-([^}]*))?\}$/;

export function expandText(text: string, variables: Variables): Expansion {
  if (!text.includes("${")) return { kind: "expanded", text, isReferring: false };
  const unset: string[] = [];
  let flaw: string | undefined;
  const expanded = text.replaceAll(PART, (part) => {
    if (part === "$${") return "${";
    const [whole, name = "", fallback] = REFERENCE.exec(part) ?? [];
    if (whole === undefined)
      flaw = "a reference such as ${NAME} or ${NAME:-default}; $${ stands for ${ itself";
    else if (fallback?.includes("${") === true) flaw = "a default without a further ${ in it";
    const value = variables.get(name)?.text;
    if (fallback !== undefined) return value === undefined || value === "" ? fallback : value;
    if (whole !== undefined && value === undefined) unset.push(name);
    return value ?? "";
  });
  if (flaw !== undefined) return { kind: "flaw", expected: flaw };
  if (unset.length > 0) return { kind: "unset", names: [...new Set(unset)] };
  return { kind: "expanded", text: expanded, isReferring: true };
}

/**
 * The tree with every text value expanded; keys of maps stay as they are. Unset names and broken references are told,
 * and their nodes are marked, so that nothing more is said of them.
 */
export function expandTree(root: Node, variables: Variables, notes: Notes): Node {
  let room = MOST_CHARACTERS * 2;
  const textOf = (node: TextNode): TextNode => {
    const expansion = expandText(node.text, variables);
    if (expansion.kind === "expanded") {
      if (!expansion.isReferring) return node;
      room -= expansion.text.length;
      if (room >= 0) return { ...node, text: expansion.text, written: node.text };
      tell(node, { expected: "less text from variables than fits into two files" }, notes);
      return { ...node, text: "", written: node.text, isBroken: true };
    }
    const problem =
      expansion.kind === "flaw" ? { expected: expansion.expected } : describeUnset(expansion.names);
    tell(node, problem, notes);
    return { ...node, isBroken: true };
  };
  const nodeOf = (node: Node): Node => {
    if (node.kind === "text") return textOf(node);
    if (node.kind === "list") return { ...node, items: node.items.map(nodeOf) };
    if (node.kind !== "map") return node;
    return { ...node, entries: node.entries.map((entry) => ({ ...entry, value: nodeOf(entry.value) })) };
  };
  return nodeOf(root);
}

/** Names are as users wrote them, who may have put a key into the braces. */
function describeUnset(names: readonly string[]): { readonly expected: string; readonly found: string } {
  const shown = names.filter((name) => !looksSecret(name));
  const [first = "NAME"] = shown;
  const which = shown.length === names.length ? shown.join(" and ") : "the variables that are named";
  const expected = `a value for ${which} in the environment, or a default such as \${${first}:-default}`;
  return { expected, found: "it unset" };
}

function tell(
  { at }: TextNode,
  problem: { readonly expected: string; readonly found?: string },
  notes: Notes,
): void {
  notes.problems.push({ kind: "configuration", where: describePlace(at), ...problem });
}
