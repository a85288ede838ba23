// Whether a backend or a key can be used now, as one word and one line of text: for everything that displays it.
import { describeRest } from "./hindrance-text.ts";
import type { LimitSet } from "./limit.ts";
import type { PoolSnapshot } from "./pool.ts";
import { isResting, needsTrial, type Rest } from "./rest.ts";
import type { Slot } from "./seams.ts";
import { describeSpan } from "./span.ts";
import type { StateWord } from "./status.ts";

export interface StandingNow {
  readonly state: StateWord;
  readonly reason: string;
  readonly cause: Rest["cause"] | null;
  /** Monotonic milliseconds; null when nobody knows. */
  readonly untilMs: number | null;
}

/** Backends that some route sends to. Weight 0 and rows behind no route get nothing new. */
export function findServing({ routes, patterns, providers }: PoolSnapshot): ReadonlySet<string> {
  const offered = providers
    .filter(({ spec }) => spec.isOffered !== false || spec.colonPrefix === true)
    .map(({ route }) => route);
  const ids = new Set<string>();
  for (const { levels } of [...routes.values(), ...patterns, ...offered])
    for (const { slots } of levels) for (const { backend } of slots) ids.add(backend.id);
  return ids;
}

/** `isServing`: some route sends to it. */
export function backendStanding({ state, keyState }: Slot, isServing: boolean, nowMs: number): StandingNow {
  if (!isServing) return DRAINED;
  const hindered =
    resting(keyState.rest, nowMs) ??
    resting(state.rest, nowMs) ??
    limited(keyState.limits, "key", nowMs) ??
    limited(state.limits, "backend", nowMs);
  return hindered ?? (state.attempts === 0 ? UNTRIED : (due(keyState.rest) ?? due(state.rest) ?? USABLE));
}

export interface KeyFacts {
  readonly isServing: boolean;
  readonly isUsed: boolean;
}

export function keyStanding(
  { rest, limits }: Slot["keyState"],
  { isServing, isUsed }: KeyFacts,
  nowMs: number,
): StandingNow {
  if (!isServing) return DRAINED;
  return resting(rest, nowMs) ?? limited(limits, "key", nowMs) ?? (isUsed ? (due(rest) ?? USABLE) : UNTRIED);
}

/** It can take a request now. */
export const isUsable = ({ state }: { readonly state: StateWord }): boolean =>
  state === "usable" || state === "untried";

const USABLE: StandingNow = { state: "usable", reason: "", cause: null, untilMs: null };
const UNTRIED: StandingNow = { ...USABLE, state: "untried" };
const DRAINED: StandingNow = { ...USABLE, state: "drained", reason: "gets nothing new: weight 0" };

/** Some rests are over only when the next request has proved it. */
function due(rest: Rest | undefined): StandingNow | undefined {
  if (rest === undefined || !needsTrial(rest.cause)) return undefined;
  return { ...USABLE, reason: `is tried again after: ${rest.detail}` };
}

function resting(rest: Rest | undefined, nowMs: number): StandingNow | undefined {
  if (rest === undefined || !isResting(rest, nowMs)) return undefined;
  const { cause, detail, onTrial, untilMs } = rest;
  // Its end is only when the next probe is due.
  if (cause === "down") return { state: "down", reason: `down: ${detail}`, cause, untilMs: null };
  return {
    state: "resting",
    reason: onTrial ? `one request tries it: ${detail}` : describeRest(rest, nowMs),
    cause,
    untilMs: onTrial ? null : untilMs,
  };
}

function limited(
  limits: LimitSet | undefined,
  of: "key" | "backend",
  nowMs: number,
): StandingNow | undefined {
  const refused = limits?.check(nowMs, 1);
  if (refused === undefined) return undefined;
  const { refusedBy, freeAt } = refused;
  const reason = `${refusedBy} limit of the ${of} is reached`;
  if (refusedBy === "concurrency") return { state: "limited", reason, cause: null, untilMs: null };
  const untilMs = Number.isFinite(freeAt) ? freeAt : null;
  const free = untilMs === null ? "" : `, free in ${describeSpan(untilMs - nowMs)}`;
  return { state: "limited", reason: reason + free, cause: null, untilMs };
}
