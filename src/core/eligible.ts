// Whether a slot may take a request now, and if not, why and until when.
import { coversModel, type Family } from "./backend.ts";
import type { LimitKind, LimitSet } from "./limit.ts";
import { isResting, type Rest, type RestCause } from "./rest.ts";
import type { Slot } from "./seams.ts";
import type { Route } from "./route.ts";
import { sentModel } from "./sent-model.ts";
import { fitsTags, type TagRule } from "./tags.ts";

export interface Wanted {
  readonly family: Family;
  /** Absent for requests that need none. */
  readonly model?: string;
  /** Name of the route, where it is a pattern; see sentModel. */
  readonly pattern?: string | undefined;
  /** What the request's tags leave; absent: everything. */
  readonly tagRule?: TagRule | undefined;
  /** True when the model was found in an engine's list: then only engines that list it count. */
  readonly listed: boolean;
  readonly nowMs: number;
  /** What the request will probably use, for limits. */
  readonly estimatedTokens: number;
  /** True when so many slots rest for their health that the rest must be wrong; see ignoresHealth. */
  readonly ignoreHealth: boolean;
  /** True when every key was refused this model: then the marks are tried anyway. */
  readonly ignoreMarks: boolean;
}

export type Hindrance =
  | { readonly kind: "family" }
  | { readonly kind: "model" }
  | { readonly kind: "tags" }
  | { readonly kind: "refused_model"; readonly untilMs: number }
  | {
      readonly kind: "limit";
      readonly limit: LimitKind;
      readonly of: "key" | "backend";
      readonly untilMs: number;
    }
  | { readonly kind: "rest"; readonly cause: RestCause; readonly detail: string; readonly untilMs: number };

const FAMILY: Hindrance = { kind: "family" };
const MODEL: Hindrance = { kind: "model" };
const TAGS: Hindrance = { kind: "tags" };
/** A trial or a request under way is expected to be settled within this. */
const UNDER_WAY_MS = 1000;

/** Why the slot may not take the request; undefined when it may. */
export function hindrance(slot: Slot, wanted: Wanted): Hindrance | undefined {
  const { backend, state, keyState } = slot;
  if (backend.endpoints[wanted.family] === undefined) return FAMILY;
  if (wanted.tagRule !== undefined && !fitsTags(backend, wanted.tagRule)) return TAGS;
  if (wanted.model !== undefined) {
    if (!coversModel(backend.models, wanted.model)) return MODEL;
    const { refusedModels } = keyState;
    const served = wanted.listed ? slot.served : undefined;
    // Of a thousand keys hardly one has been refused a model, and hosted ones list nothing: no name is looked up then.
    if (served !== undefined || refusedModels.size > 0) {
      const sent = sentModel(backend, wanted.model, wanted.pattern);
      if (served !== undefined && !served.has(sent)) return MODEL;
      const untilMs = refusedModels.get(sent);
      if (untilMs !== undefined && untilMs > wanted.nowMs && !wanted.ignoreMarks)
        return { kind: "refused_model", untilMs };
    }
  }
  if (isResting(keyState.rest, wanted.nowMs)) return resting(keyState.rest, wanted.nowMs);
  if (isResting(state.rest, wanted.nowMs) && !wanted.ignoreHealth) return resting(state.rest, wanted.nowMs);
  return limited(slot, wanted);
}

function limited({ state, keyState }: Slot, wanted: Wanted): Hindrance | undefined {
  return refusal(keyState.limits, "key", wanted) ?? refusal(state.limits, "backend", wanted);
}

function refusal(limits: LimitSet | undefined, of: "key" | "backend", wanted: Wanted): Hindrance | undefined {
  const refused = limits?.check(wanted.nowMs, wanted.estimatedTokens);
  if (refused === undefined) return undefined;
  // Concurrency is free as soon as some request ends, which nobody can foretell.
  const untilMs = refused.refusedBy === "concurrency" ? wanted.nowMs + UNDER_WAY_MS : refused.freeAt;
  return { kind: "limit", limit: refused.refusedBy, of, untilMs };
}

function resting(rest: Rest | undefined, nowMs: number): Hindrance | undefined {
  if (rest === undefined) return undefined;
  const untilMs = Math.max(rest.untilMs, rest.onTrial ? nowMs + UNDER_WAY_MS : 0);
  return { kind: "rest", cause: rest.cause, detail: rest.detail, untilMs };
}

/** Every slot that may get something new: drained ones hold nobody up and help nobody. */
const membersOf = (route: Route): readonly Slot[] => route.levels.flatMap((level) => level.slots);

/**
 * True when more than half of a route rests for its health. Then the fault is more likely shared, or ours, and a try is
 * better than a sure refusal (Envoy calls it panic). Keys' causes are never ignored: those fail for sure.
 */
export function ignoresHealth(route: Route, nowMs: number): boolean {
  let resting = 0;
  let members = 0;
  // This is asked for every attempt, so it makes no list.
  for (const level of route.levels) {
    members += level.slots.length;
    for (const slot of level.slots) if (isResting(slot.state.rest, nowMs)) resting += 1;
  }
  return resting * 2 > members;
}

/** Milliseconds until some slot of the route may be used: 0 when one may be now, undefined when none is known to return. */
export function soonestReturn(route: Route, wanted: Wanted): number | undefined {
  return membersOf(route).some((slot) => hindrance(slot, wanted) === undefined)
    ? 0
    : explainNone(route, wanted).soonestMs;
}

/** What stands in the way of a whole route: the summary that a refusal tells. */
export interface NoneUsable {
  readonly kind: "unserved" | "limited" | "quota" | "revoked" | "down";
  /** Milliseconds until the first candidate returns; absent when that is not known. */
  readonly soonestMs?: number;
}

/** Called when no slot of the route is usable. The cause of the soonest to return decides what the caller is told. */
export function explainNone(route: Route, wanted: Wanted): NoneUsable {
  let soonest: { readonly cause: RestCause; readonly untilMs: number } | undefined;
  for (const slot of membersOf(route)) {
    const found = hindrance(slot, wanted);
    if (found?.kind !== "rest" && found?.kind !== "limit") continue;
    const cause = found.kind === "limit" ? "rate_limit" : found.cause;
    if (soonest === undefined || found.untilMs < soonest.untilMs) soonest = { cause, untilMs: found.untilMs };
  }
  if (soonest === undefined) return { kind: "unserved" };
  const soonestMs = Math.max(0, soonest.untilMs - wanted.nowMs);
  switch (soonest.cause) {
    case "rate_limit":
      return { kind: "limited", soonestMs };
    case "quota":
      return { kind: "quota", soonestMs };
    case "revoked":
      return { kind: "revoked", soonestMs };
    case "failures":
    case "down":
      return { kind: "down", soonestMs };
  }
}
