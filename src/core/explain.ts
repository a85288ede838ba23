// Who could serve a model now, in what order, and why everybody else cannot: the dry run behind `weir explain`. It asks
// the functions that requests are decided by, and changes nothing.
import type { Family } from "./backend.ts";
import { weigh } from "./choose.ts";
import { type Hindrance, hindrance, type Wanted } from "./eligible.ts";
import { estimateTokens } from "./estimate.ts";
import { type FallbackPolicy, nextFallback } from "./fallback.ts";
import { describeHindrance } from "./hindrance-text.ts";
import type { LimitUse } from "./limit.ts";
import type { PoolSnapshot } from "./pool.ts";
import type { Route } from "./route.ts";
import { type Resolution, resolveModel } from "./resolve.ts";
import type { Level, Slot } from "./seams.ts";
import { sentModel } from "./sent-model.ts";
import { backendStanding } from "./standing.ts";
import type { StateWord } from "./status.ts";
import { readTagRule } from "./tags.ts";

export interface Explanation {
  readonly model: string;
  readonly family: Family;
  /** Null when nothing leads anywhere. */
  readonly resolution: ExplainedResolution | null;
  /** Known names that are near, when there is no resolution. */
  readonly near: readonly string[];
  /** Who could be asked now, the likeliest first. */
  readonly candidates: readonly Candidate[];
  readonly excluded: readonly Excluded[];
  /** Models that a failed request goes on with, in order. */
  readonly fallbacks: readonly string[];
  /** What a request would meet now, in one sentence. */
  readonly verdict: string;
}

export interface ExplainedResolution {
  /** Which step of the naming rules found it. */
  readonly by: Resolution["by"];
  /** The model that an alias stands for; null when it is no alias. */
  readonly aliasOf: string | null;
  readonly route: string;
  readonly strategy: string;
  readonly affinity: string | null;
}

export interface ExplainedBackend {
  readonly backend: string;
  readonly provider: string;
  /** Base URL for this family; null when the backend does not speak it. */
  readonly address: string | null;
  /** Masked; null when none is needed. */
  readonly key: string | null;
  readonly sentModel: string;
  /** Of the backend, whoever asks for it. */
  readonly state: StateWord;
  readonly weight: number;
  /** Lower first. */
  readonly priority: number;
}

export interface Candidate extends ExplainedBackend {
  /** 0 to 1: its weight among the usable ones of its priority. */
  readonly share: number;
  readonly inFlight: number;
  readonly limits: readonly (LimitUse & { readonly of: "key" | "backend"; readonly remaining: number })[];
}

export interface Excluded extends ExplainedBackend {
  readonly kind: Hindrance["kind"] | "drained" | "lower_priority";
  readonly reason: string;
  /** Milliseconds until it is over by itself; null when nobody knows. */
  readonly forMs: number | null;
}

export interface Question {
  readonly family: Family;
  readonly model: string;
  /** Monotonic milliseconds. */
  readonly nowMs: number;
  readonly fallbacks: FallbackPolicy;
}

export function explainModel(snapshot: PoolSnapshot, question: Question): Explanation {
  const { family, model, fallbacks } = question;
  const found = resolveModel(snapshot, family, model);
  const base = { model, family, fallbacks: chainOf(model, fallbacks) };
  if (found.kind === "unknown") {
    const names = found.near.length === 0 ? "" : `; near names: ${found.near.join(", ")}`;
    const verdict = `404 model_not_found: nothing that is configured serves this name${names}`;
    return { ...base, resolution: null, near: found.near, candidates: [], excluded: [], verdict };
  }
  const { route } = found;
  const wanted = wantedOf(found, question);
  const view = { found, wanted, family };
  const levels = route.levels.map((level) => rankLevel(route, level, view));
  const first = levels.find(({ candidates }) => candidates.length > 0);
  const candidates = first?.candidates ?? [];
  const later = levels.flatMap((level) =>
    level === first ? [] : level.candidates.map((each) => waitingBehind(each, first)),
  );
  const excluded = [...levels.flatMap((level) => level.excluded), ...later, ...drainedOf(route, view)];
  const alias = snapshot.spec.aliases?.get(model);
  return {
    ...base,
    resolution: {
      by: found.by,
      aliasOf: found.by === "alias" ? (alias?.model ?? null) : null,
      route: route.name,
      strategy: route.strategy.name,
      affinity: describeAffinity(route),
    },
    near: [],
    candidates,
    excluded,
    verdict: verdictOf(route, candidates, excluded),
  };
}

/** As a request would go on, were every model to fail. */
function chainOf(model: string, policy: FallbackPolicy): readonly string[] {
  const visited = [model];
  for (;;) {
    const next = nextFallback(policy, "general", visited);
    if (next === undefined) return visited.slice(1);
    visited.push(next);
  }
}

interface View {
  readonly found: Resolution;
  readonly wanted: Wanted;
  readonly family: Family;
}

function wantedOf({ route, model, by }: Resolution, { family, nowMs }: Question): Wanted {
  const listed = by === "discovery";
  const estimatedTokens = estimateTokens(route.tokenMean, 0);
  // As a request without tags would be treated.
  const tagRule = readTagRule(route, []);
  const request = {
    wanted: {
      family,
      model,
      listed,
      nowMs,
      estimatedTokens,
      ...(route.name.includes("*") ? { pattern: route.name } : {}),
      ...(tagRule === undefined || tagRule === "none" ? {} : { tagRule }),
    },
    tried: new Set<string>(),
    random: () => 0,
  };
  return weigh(route, request, false);
}

interface RankedLevel {
  readonly candidates: readonly Candidate[];
  readonly excluded: readonly Excluded[];
}

function rankLevel(route: Route, level: Level, view: View): RankedLevel {
  const { nowMs } = view.wanted;
  const usable: { readonly at: number; readonly slot: Slot; readonly rank: number }[] = [];
  const excluded: Excluded[] = [];
  let sum = 0;
  for (const [at, slot] of level.slots.entries()) {
    const found = hindrance(slot, view.wanted);
    if (found === undefined) {
      const rank = route.strategy.rank?.(level, at, nowMs) ?? 0;
      usable.push({ at, slot, rank });
      sum += level.weights[at] ?? 1;
    } else {
      const { reason, untilMs } = describeHindrance(found, view.wanted);
      const forMs = untilMs === undefined ? null : Math.max(0, untilMs - nowMs);
      excluded.push({ ...describe(slot, route, view), kind: found.kind, reason, forMs });
    }
  }
  usable.sort((a, b) => a.rank - b.rank || a.slot.state.lastUsedMs - b.slot.state.lastUsedMs || a.at - b.at);
  const candidates = usable.map(({ at, slot }) => ({
    ...describe(slot, route, view),
    share: (level.weights[at] ?? 1) / sum,
    inFlight: slot.state.inFlight,
    limits: limitsOf(slot, nowMs),
  }));
  return { candidates, excluded };
}

function describe(slot: Slot, route: Route, { found, family, wanted }: View): ExplainedBackend {
  const { backend } = slot;
  const level = route.levels.find(({ slots }) => slots.includes(slot));
  const pattern = route.name.includes("*") ? route.name : undefined;
  return {
    backend: backend.id,
    provider: backend.provider,
    address: backend.endpoints[family]?.baseUrl ?? null,
    key: backend.credential.secret === undefined ? null : backend.credential.label,
    sentModel: sentModel(backend, found.model, pattern),
    state: backendStanding(slot, level !== undefined, wanted.nowMs).state,
    weight: level?.weights[level.slots.indexOf(slot)] ?? 0,
    priority: level?.priority ?? backend.priority,
  };
}

function limitsOf({ keyState, state }: Slot, nowMs: number): Candidate["limits"] {
  return [...usesOf("key", keyState.limits?.uses(nowMs)), ...usesOf("backend", state.limits?.uses(nowMs))];
}

const usesOf = (of: "key" | "backend", uses: readonly LimitUse[] = []): Candidate["limits"] =>
  uses.map((use) => ({ ...use, of, remaining: Math.max(0, use.limit - use.used) }));

function waitingBehind(candidate: Candidate, first: RankedLevel | undefined): Excluded {
  const { backend, provider, address, key, sentModel: sent, state, weight, priority } = candidate;
  const before = first?.candidates[0]?.priority ?? 0;
  return {
    backend,
    provider,
    address,
    key,
    sentModel: sent,
    state,
    weight,
    priority,
    kind: "lower_priority",
    reason: `priority ${priority}: used only when nobody of priority ${before} can be`,
    forMs: null,
  };
}

function drainedOf(route: Route, view: View): readonly Excluded[] {
  const members = new Set(route.levels.flatMap(({ slots }) => slots));
  return route.slots
    .filter((slot) => !members.has(slot))
    .map((slot) => ({
      ...describe(slot, route, view),
      kind: "drained",
      reason: "weight 0: drained, gets nothing new",
      forMs: null,
    }));
}

function describeAffinity({ affinity }: Route): string | null {
  if (affinity === undefined) return null;
  return affinity.kind === "header" ? `header:${affinity.name}` : affinity.kind;
}

function verdictOf(route: Route, candidates: readonly Candidate[], excluded: readonly Excluded[]): string {
  const [first] = candidates;
  if (first !== undefined) {
    const count = candidates.length === 1 ? "1 backend" : `${candidates.length} backends`;
    return `${count} can serve it now; ${route.strategy.name} would likely take ${first.backend}`;
  }
  if (excluded.length === 0) return "503: the route has no backend";
  const times = excluded.flatMap(({ forMs }) => forMs ?? []);
  const soonest =
    times.length === 0 ? "" : `; the first is back in ${Math.ceil(Math.min(...times) / 1000)} s`;
  return `nobody can serve it now${soonest}`;
}
