// Where a request may go: its route in the freshest snapshot, or why it has none.
import type { Request as Choice } from "../core/choose.ts";
import type { Operation } from "../core/operation.ts";
import type { PoolSnapshot, Route } from "../core/pool.ts";
import { type Refusal, refuseUnknownModel } from "../core/refusal.ts";
import { resolveModel, resolveProvider } from "../core/resolve.ts";
import type { Call } from "./call.ts";

export interface Target {
  readonly kind: "target";
  readonly route: Route;
  /** The model as the route knows it; absent where the operation needs none. */
  readonly model?: string;
  readonly listed: boolean;
}

export interface NoTarget {
  readonly kind: "refused";
  readonly refusal: Refusal;
}

/** `providerName`: the client's wish, for requests that no model routes. */
export function findTarget(
  snapshot: PoolSnapshot,
  operation: Operation,
  { model, providerName }: { readonly model: string | undefined; readonly providerName: string | undefined },
): Target | NoTarget {
  if (model !== undefined) {
    const found = resolveModel(snapshot, operation.family, model);
    if (found.kind === "unknown") return { kind: "refused", refusal: refuseUnknownModel(model, found.near) };
    return { kind: "target", route: found.route, model: found.model, listed: found.by === "discovery" };
  }
  const provider = resolveProvider(snapshot, operation.family, providerName);
  if (provider !== undefined) return { kind: "target", route: provider.route, listed: false };
  const message =
    providerName === undefined
      ? `no provider speaks the API of this path (${operation.family})`
      : `no provider named "${providerName}" speaks the API of this path (${operation.family})`;
  return { kind: "refused", refusal: { status: 404, code: "no_provider", message } };
}

/** What the request wants of a slot, at this moment. */
export function wantedFrom(target: Target, call: Call, { nowMs, tokens }: Moment): Choice["wanted"] {
  const model = target.model === undefined ? {} : { model: target.model };
  return { family: call.operation.family, listed: target.listed, nowMs, estimatedTokens: tokens, ...model };
}

interface Moment {
  readonly nowMs: number;
  /** Estimated. */
  readonly tokens: number;
}
