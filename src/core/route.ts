// What a client's model name leads to: candidates by priority with their weights, and the strategy that picks among them.
import type { RouteTimeouts } from "./backend.ts";
import { createTokenMean, type TokenMean } from "./estimate.ts";
import type { Affinity, RouteSpec, Share } from "./pool-spec.ts";
import type { RouteRetry } from "./route-retry.ts";
import type { Level, Slot, Strategy } from "./seams.ts";
import { createStrategy, type CustomStrategies, isMadeOf } from "./strategy.ts";

export interface Route {
  readonly name: string;
  readonly strategy: Strategy;
  /** By priority, lowest first; drained slots are in none. */
  readonly levels: readonly Level[];
  /** Every slot of the route, drained ones included. */
  readonly slots: readonly Slot[];
  readonly affinity?: Affinity;
  readonly timeouts?: RouteTimeouts;
  /** The name, where it is a pattern. */
  readonly pattern?: string;
  /** See RouteSpec. */
  readonly isLast?: boolean;
  readonly hidden?: boolean;
  readonly retry?: RouteRetry;
  readonly tagged?: RouteSpec["tagged"];
  /** Kept across reloads by name. */
  readonly tokenMean: TokenMean;
}

export interface RouteParts {
  readonly byId: ReadonlyMap<string, Slot>;
  readonly custom: CustomStrategies | undefined;
}

/** A route over the slots that there are; an unchanged one keeps its strategy with what that remembers. */
export function joinRoute(spec: RouteSpec, { byId, custom }: RouteParts, before: Route | undefined): Route {
  const slots = spec.backendIds.flatMap((id) => byId.get(id) ?? []);
  const levels = levelsOf(slots, spec.shares);
  const terms = { options: spec.strategyOptions, custom };
  const unchanged =
    before !== undefined &&
    isMadeOf(before.strategy, spec.strategy, terms) &&
    sameShape(before.levels, levels);
  return {
    name: spec.name,
    strategy: unchanged ? before.strategy : createStrategy(spec.strategy, terms),
    levels,
    slots,
    tokenMean: before?.tokenMean ?? createTokenMean(),
    ...(spec.affinity === undefined ? {} : { affinity: spec.affinity }),
    ...(spec.timeouts === undefined ? {} : { timeouts: spec.timeouts }),
    ...(spec.name.includes("*") ? { pattern: spec.name } : {}),
    ...(spec.isLast === undefined ? {} : { isLast: spec.isLast }),
    ...(spec.hidden === undefined ? {} : { hidden: spec.hidden }),
    ...(spec.retry === undefined ? {} : { retry: spec.retry }),
    ...(spec.tagged === undefined ? {} : { tagged: spec.tagged }),
  };
}

/** Slots by priority. Weight 0 is drained, but when all of a route are 0 they count as equal. */
export function levelsOf(slots: readonly Slot[], shares?: ReadonlyMap<string, Share>): readonly Level[] {
  const shareOf = ({ backend }: Slot): Share => shares?.get(backend.id) ?? backend;
  const allDrained = slots.every((slot) => shareOf(slot).weight === 0);
  const usable = slots.filter((slot) => allDrained || shareOf(slot).weight > 0);
  const priorities = [...new Set(usable.map((slot) => shareOf(slot).priority))].sort((a, b) => a - b);
  return priorities.map((priority) => {
    const members = usable.filter((slot) => shareOf(slot).priority === priority);
    return {
      priority,
      slots: members,
      weights: members.map((slot) => (allDrained ? 1 : shareOf(slot).weight)),
    };
  });
}

/** True when a strategy's cursor over the one levels still makes sense over the other. */
function sameShape(before: readonly Level[], after: readonly Level[]): boolean {
  return shapeOf(before) === shapeOf(after);
}

function shapeOf(levels: readonly Level[]): string {
  return JSON.stringify(
    levels.map(({ slots, weights }) => slots.map((slot, at) => [slot.backend.id, weights[at]])),
  );
}
