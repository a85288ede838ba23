// Which other model a request goes on with when its own cannot serve it.

export interface FallbackPolicy {
  /** By model; each list is tried in order. */
  readonly general: ReadonlyMap<string, readonly string[]>;
  /** For prompts that are too long for the model. */
  readonly contextWindow: ReadonlyMap<string, readonly string[]>;
  /** For prompts that the model's provider refuses for their content. */
  readonly contentPolicy: ReadonlyMap<string, readonly string[]>;
  /** For models that have no list of their own. */
  readonly whenNone: readonly string[];
  /** How many models a request goes on with; never more than MOST_FALLBACKS. */
  readonly most?: number;
}

export const NO_FALLBACKS: FallbackPolicy = {
  general: new Map(),
  contextWindow: new Map(),
  contentPolicy: new Map(),
  whenNone: [],
};

export type FallbackCause = "general" | "context_window" | "content_policy";

/** LiteLLM's max_fallbacks: a chain of lists that lead to one another ends here. */
const MOST_FALLBACKS = 5;

/** The next model to try after those `visited`, the first of which the client asked for; undefined: none. */
export function nextFallback(
  policy: FallbackPolicy,
  cause: FallbackCause,
  visited: readonly string[],
): string | undefined {
  if (visited.length > Math.min(policy.most ?? MOST_FALLBACKS, MOST_FALLBACKS)) return undefined;
  // The newest model's own list goes first, then what earlier lists have left.
  for (const model of visited.toReversed()) {
    const next = listFor(policy, cause, model).find((name) => !visited.includes(name));
    if (next !== undefined) return next;
  }
  return undefined;
}

/** The special lists stand before the general ones, which serve when they are missing. */
function listFor(policy: FallbackPolicy, cause: FallbackCause, model: string): readonly string[] {
  const withoutPrefix = model.slice(model.indexOf("/") + 1);
  const find = (lists: ReadonlyMap<string, readonly string[]>) =>
    lists.get(model) ?? lists.get(withoutPrefix) ?? lists.get("*");
  switch (cause) {
    case "context_window":
      return find(policy.contextWindow) ?? [];
    case "content_policy":
      return find(policy.contentPolicy) ?? [];
    case "general":
      return find(policy.general) ?? policy.whenNone;
  }
}
