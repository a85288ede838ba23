// Picks the slot for the next attempt: level by level, by the route's strategy, among what is usable.
import { pickByAffinity } from "./affinity.ts";
import { hindrance, ignoresHealth, type Wanted } from "./eligible.ts";
import type { Route } from "./route.ts";
import type { Random, Slot } from "./seams.ts";

export interface Request {
  readonly wanted: Omit<Wanted, "ignoreHealth" | "ignoreMarks">;
  /** Backends that this request has used up. */
  readonly tried: ReadonlySet<string>;
  readonly random: Random;
  /** Names the conversation, on routes that keep each on one backend. */
  readonly affinity?: string;
}

/** Undefined when no slot may be used. */
export function chooseSlot(route: Route, request: Request): Slot | undefined {
  if (route.affinity?.kind === "account") return firstUsable(route, request);
  // A refused model is a preference, not a verdict: with nobody else left, the marked keys are asked again.
  return chooseAmong(route, request, false) ?? chooseAmong(route, request, true);
}

function chooseAmong(route: Route, request: Request, ignoreMarks: boolean): Slot | undefined {
  const { tried, random, affinity } = request;
  const wanted = weigh(route, request, ignoreMarks);
  const isFirst = tried.size === 0;
  const isUsable = (slot: Slot) =>
    (isFirst || !tried.has(slot.backend.id)) && hindrance(slot, wanted) === undefined;
  const choice = { nowMs: wanted.nowMs, random, model: wanted.model, isUsable };
  for (const level of route.levels) {
    const at =
      affinity === undefined ? route.strategy.pick(level, choice) : pickByAffinity(level, choice, affinity);
    const slot = level.slots[at];
    if (slot !== undefined) return slot;
  }
  return undefined;
}

/** The first usable slot in the order of the configuration, for objects that live in one account. */
export function firstUsable(route: Route, request: Request): Slot | undefined {
  const wanted = weigh(route, request, true);
  const undrained = new Set(route.levels.flatMap((level) => level.slots));
  return route.slots.find(
    (slot) =>
      undrained.has(slot) && !request.tried.has(slot.backend.id) && hindrance(slot, wanted) === undefined,
  );
}

/** True when a slot is left that this request has not used up. */
export function hasUntried(route: Route, request: Request): boolean {
  const wanted = weigh(route, request, false);
  return route.levels.some((level) =>
    level.slots.some((slot) => !request.tried.has(slot.backend.id) && hindrance(slot, wanted) === undefined),
  );
}

/** Whether health counts is asked only where a slot rests for it: a healthy route is not walked for every attempt. */
export function weigh(route: Route, { wanted }: Request, ignoreMarks: boolean): Wanted {
  let ignores: boolean | undefined;
  return {
    ...wanted,
    ignoreMarks,
    get ignoreHealth() {
      ignores ??= ignoresHealth(route, wanted.nowMs);
      return ignores;
    },
  };
}
