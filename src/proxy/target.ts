// Where a request may go: its route in the freshest snapshot, or why it has none.
import type { Request as Choice } from "../core/choose.ts";
import type { PoolSnapshot } from "../core/pool.ts";
import type { Route } from "../core/route.ts";
import { type Refusal, refuseTags, refuseUnknownModel } from "../core/refusal.ts";
import { resolveModel, resolveProvider } from "../core/resolve.ts";
import { readTagRule, type TagRule } from "../core/tags.ts";
import type { Call } from "./call.ts";

export interface Target {
  readonly kind: "target";
  readonly route: Route;
  /** The model as the route knows it; absent where the operation needs none. */
  readonly model?: string;
  readonly listed: boolean;
  /** On a tagged route: which of its backends the request's tags leave. */
  readonly tagRule?: TagRule;
}

export interface NoTarget {
  readonly kind: "refused";
  readonly refusal: Refusal;
}

/** `providerName`: the client's wish, for requests that no model routes. */
export function findTarget(
  snapshot: PoolSnapshot,
  { operation, request }: Call,
  { model, providerName }: { readonly model: string | undefined; readonly providerName: string | undefined },
): Target | NoTarget {
  if (model !== undefined) {
    const found = resolveModel(snapshot, operation.family, model);
    if (found.kind === "unknown") return { kind: "refused", refusal: refuseUnknownModel(model, found.near) };
    const { route } = found;
    const target = { kind: "target", route, model: found.model, listed: found.by === "discovery" } as const;
    return route.tagged === undefined ? target : withTags(target, tagsOf(request.headers));
  }
  const provider = resolveProvider(snapshot, operation.family, providerName);
  if (provider !== undefined) return { kind: "target", route: provider.route, listed: false };
  const message =
    providerName === undefined
      ? `no provider speaks the API of this path (${operation.family})`
      : `no provider named "${providerName}" speaks the API of this path (${operation.family})`;
  return { kind: "refused", refusal: { status: 404, code: "no_provider", message } };
}

/** LiteLLM's name for the header, and weir's own. */
const TAG_HEADERS = ["x-litellm-tags", "x-weir-tags"];

function tagsOf(headers: Headers): readonly string[] {
  const written = TAG_HEADERS.flatMap((name) => headers.get(name)?.split(",") ?? []);
  return written.map((tag) => tag.trim()).filter((tag) => tag !== "");
}

function withTags(target: Target, tags: readonly string[]): Target | NoTarget {
  const tagRule = readTagRule(target.route, tags);
  if (tagRule === "none") return { kind: "refused", refusal: refuseTags(target.route.name, tags) };
  return tagRule === undefined ? target : { ...target, tagRule };
}

/** What the request wants of a slot, at this moment. */
export function wantedFrom(target: Target, call: Call, { nowMs, tokens }: Moment): Choice["wanted"] {
  const { route, model, listed, tagRule } = target;
  return {
    family: call.operation.family,
    listed,
    nowMs,
    estimatedTokens: tokens,
    pattern: route.pattern,
    tagRule,
    ...(model === undefined ? {} : { model }),
  };
}

interface Moment {
  readonly nowMs: number;
  /** Estimated. */
  readonly tokens: number;
}
