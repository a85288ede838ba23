// The name by which a backend is asked for a model: the client's, the backend's own, or its own filled with what the
// route's pattern captured.
import type { Backend } from "./backend.ts";

/** `pattern`: the name of the route, where it is one with `*`; elsewhere the whole model counts as captured. */
export function sentModel<Model extends string | undefined>(
  { upstreamModel }: Backend,
  model: Model,
  pattern: string | undefined,
): Model | string {
  if (upstreamModel === undefined) return model;
  if (!upstreamModel.includes("*")) return upstreamModel;
  if (model === undefined) return model;
  return fill(upstreamModel, capture(pattern ?? "*", model) ?? [model], model);
}

/** With more captured than there are places the client's name goes as it is; places left over stay as they are. */
function fill(template: string, captured: readonly string[], model: string): string {
  const pieces = template.split("*");
  if (captured.length >= pieces.length) return model;
  return pieces
    .map((piece, at) => (at === pieces.length - 1 ? piece : piece + (captured[at] ?? "*")))
    .join("");
}

/**
 * What each `*` of the pattern stands for, an earlier one for as much as it can: the captures of `(.*)` in LiteLLM's
 * wildcards. Looking from the right for each piece finds the same without a regular expression's backtracking.
 * Undefined when the pattern does not cover the name.
 */
function capture(pattern: string, name: string): readonly string[] | undefined {
  const pieces = pattern.split("*");
  const head = pieces.shift() ?? "";
  const tail = pieces.pop() ?? "";
  let end = name.length - tail.length;
  if (end < head.length || !name.startsWith(head) || !name.endsWith(tail)) return undefined;
  const captured: string[] = [];
  for (const piece of pieces.toReversed()) {
    const at = name.lastIndexOf(piece, end - piece.length);
    if (at < head.length || at + piece.length > end) return undefined;
    captured.push(name.slice(at + piece.length, end));
    end = at;
  }
  captured.push(name.slice(head.length, end));
  return captured.toReversed();
}
