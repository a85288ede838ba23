// The rows of backends and of keys in a StatusView.
import { NO_TIMES } from "./histogram.ts";
import { learnedLimitsOf, limitsOf } from "./limit-status.ts";
import { familiesOf, type PoolSnapshot } from "./pool.ts";
import type { Slot } from "./seams.ts";
import { backendStanding, keyStanding } from "./standing.ts";
import type { BackendStatus, KeyStatus, LimitStatus } from "./status.ts";
import type { Tally } from "./tally.ts";
import { type Moment, readEngine, readStanding, readTraffic, shareOf } from "./view-rows.ts";

export interface RowTerms {
  /** Backends that some route sends to. */
  readonly serving: ReadonlySet<string>;
  /** By id of the key. */
  readonly keyLimits: ReadonlyMap<string, readonly LimitStatus[]>;
  readonly moment: Moment;
}

/** Once for a key and all its backends. */
export function viewKeyLimits(
  { slots }: PoolSnapshot,
  moment: Moment,
): ReadonlyMap<string, readonly LimitStatus[]> {
  const found = new Map<string, readonly LimitStatus[]>();
  for (const { keyState } of slots) {
    if (found.has(keyState.id)) continue;
    const learned = learnedLimitsOf(keyState, moment);
    const own = limitsOf(keyState.limits, "key", moment);
    found.set(keyState.id, learned.length === 0 ? own : [...own, ...learned]);
  }
  return found;
}

export function viewBackends(
  snapshot: PoolSnapshot,
  tally: Tally,
  { serving, keyLimits, moment }: RowTerms,
): readonly BackendStatus[] {
  const { nowMs } = moment;
  const routes = routesByBackend(snapshot);
  return snapshot.slots.map((slot): BackendStatus => {
    const { backend, state, keyState } = slot;
    const row = tally.backends.get(backend.id);
    const ofKey = keyLimits.get(keyState.id) ?? [];
    return {
      id: backend.id,
      provider: backend.provider,
      kind: backend.kind,
      families: familiesOf(backend),
      model: modelTextOf(slot),
      routes: routes.get(backend.id) ?? [],
      address: backend.origin,
      keyId: backend.credential.id,
      keyLabel: backend.credential.label,
      weight: backend.weight,
      priority: backend.priority,
      ...readStanding(backendStanding(slot, serving.has(backend.id), nowMs), row, moment),
      ...readTraffic(row, moment),
      pending: row?.pending ?? 0,
      limits: state.limits === undefined ? ofKey : [...limitsOf(state.limits, "backend", moment), ...ofKey],
      engine: readEngine(slot, nowMs),
    };
  });
}

/** Lists are cut here: an engine with a hundred adapters has a row too. */
const MOST_NAMES = 20;

function modelTextOf({ backend, served }: Slot): string {
  if (backend.upstreamModel !== undefined) return backend.upstreamModel;
  const names = backend.models.length > 0 ? backend.models : [...(served ?? [])];
  if (names.length === 0) return "*";
  const shown = names.slice(0, MOST_NAMES).join(", ");
  return names.length > MOST_NAMES ? `${shown}, and ${names.length - MOST_NAMES} more` : shown;
}

function routesByBackend({ routes, patterns }: PoolSnapshot): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>();
  for (const { name, slots } of [...routes.values(), ...patterns])
    for (const { backend } of slots) {
      const list = names.get(backend.id);
      if (list === undefined) names.set(backend.id, [name]);
      else if (list.length < MOST_NAMES) list.push(name);
    }
  return names;
}

export function viewKeys(
  snapshot: PoolSnapshot,
  tally: Tally,
  { serving, keyLimits, moment }: RowTerms,
): readonly KeyStatus[] {
  const byKey = new Map<string, Slot[]>();
  for (const slot of snapshot.slots) {
    const { id } = slot.backend.credential;
    const slots = byKey.get(id);
    if (slots === undefined) byKey.set(id, [slot]);
    else slots.push(slot);
  }
  return [...byKey].flatMap(([id, slots]): readonly KeyStatus[] => {
    const [first] = slots;
    if (first === undefined) return [];
    const { backend, keyState } = first;
    const row = tally.keys.get(id);
    const facts = {
      isServing: slots.some((slot) => serving.has(slot.backend.id)),
      isUsed: slots.some((slot) => slot.state.attempts > 0),
    };
    return [
      {
        id,
        provider: backend.provider,
        label: backend.credential.label,
        backends: slots.length,
        weight: Math.max(...slots.map((slot) => slot.backend.weight)),
        ...readStanding(keyStanding(keyState, facts, moment.nowMs), row, moment),
        ...readTraffic(row, moment),
        share: shareOf(row?.attempts ?? 0, tally.providers.get(backend.provider)?.attempts ?? 0),
        duration: row?.duration.percentiles(moment.nowMs) ?? NO_TIMES,
        limits: keyLimits.get(id) ?? [],
      },
    ];
  });
}
