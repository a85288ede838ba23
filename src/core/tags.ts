// Which backends of a tagged route a request's tags leave to choose from. LiteLLM's rule for `enable_tag_filtering`.
import type { Backend } from "./backend.ts";
import type { Route } from "./route.ts";

/** Leaves the backends that have any, or all, of these tags. */
export interface TagRule {
  readonly tags: readonly string[];
  readonly match: "any" | "all";
}

/** Marks the backends for requests that no other fits. */
const DEFAULT: TagRule = { tags: ["default"], match: "any" };

/**
 * The tagged backends that fit, else those marked `default`. Without such, a request without tags may use all
 * (undefined), and one with tags may use none.
 */
export function readTagRule(
  { tagged, levels }: Route,
  tags: readonly string[],
): TagRule | undefined | "none" {
  if (tagged === undefined) return undefined;
  const isMet = (rule: TagRule): boolean =>
    levels.some((level) => level.slots.some(({ backend }) => fitsTags(backend, rule)));
  const own: TagRule = { tags, match: tagged.match };
  if (tags.length > 0 && isMet(own)) return own;
  if (isMet(DEFAULT)) return DEFAULT;
  return tags.length === 0 ? undefined : "none";
}

export function fitsTags({ tags: has = [] }: Backend, { tags, match }: TagRule): boolean {
  return match === "any" ? tags.some((tag) => has.includes(tag)) : tags.every((tag) => has.includes(tag));
}
