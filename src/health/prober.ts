// Asks every engine for its models, again and again: whether it is up, and what it serves.
import type { Emit } from "../core/event.ts";
import type { HealthSettings } from "../core/health.ts";
import { type Pool, withModels } from "../core/pool.ts";
import type { Ask } from "../core/question.ts";
import type { Random } from "../core/seams.ts";
import { type BackendState, noteProbe, type Probe } from "../core/backend-state.ts";
import { probe, type Verdict } from "./probe.ts";
import { type After, repeat } from "./repeat.ts";
import { MOST_AT_ONCE } from "./settings.ts";
import { probeTargets, statesById, statesOf, type Target, watchSettings } from "./targets.ts";

export interface ProberTerms {
  readonly pool: Pool;
  readonly ask: Ask;
  readonly emit: Emit;
  readonly now: () => number;
  readonly random: Random;
  readonly after: After;
  readonly settings: HealthSettings;
  /** Some engine came up, went down or has other models. */
  readonly onChange: () => void;
}

export interface Prober {
  /** Takes over the engines of the current pool; new ones are asked at once. */
  readonly refresh: () => void;
  /** True once each engine of the start has had its first verdict, or the time-out of a probe has passed. */
  readonly isFirstRoundOver: () => boolean;
  readonly stop: () => Promise<void>;
}

/** Verdicts that come together change the pool together: each change builds a snapshot of everything. */
const GATHER_MS = 20;
/** For a busy event loop. */
const SLACK_MS = 1000;

export function startProber(terms: ProberTerms): Prober {
  const { pool, ask, emit, now, random, after, settings, onChange } = terms;
  const settingsOf = ({ health }: Target): HealthSettings => ({ ...settings, ...health });
  const findChanged = watchSettings();
  const found = new Map<string, readonly string[]>();
  /** Refusals of keys that were told, by backend. */
  const refusals = new Map<string, number>();
  let targets = 0;
  let longestTimeoutMs = 0;
  let members: ReadonlySet<string> = new Set();
  let roundOver = false;
  let cancelGather: (() => void) | undefined;
  let cancelRound = doNothing;

  const run = async (target: Target, signal: AbortSignal): Promise<number> => {
    const startedMs = now();
    const own = settingsOf(target);
    const { timeoutMs, threshold } = own;
    const verdict = await probe(target.backend, { ask, route: target.route, timeoutMs, signal });
    if (signal.aborted) return 0;
    const states = statesOf(pool.current, target);
    const pauseMs = Math.max(0, startedMs + intervalAfter(verdict, states, own) - now());
    // Others may stand before it in the queue, each for a whole time-out.
    const queuedMs = longestTimeoutMs * Math.ceil(targets / MOST_AT_ONCE);
    const nowMs = now();
    const good = verdict.kind === "up";
    const detail = good ? "" : `probe: ${verdict.reason}`;
    const noted: Probe = { good, detail, nowMs, threshold, dueMs: nowMs + pauseMs + queuedMs + SLACK_MS };
    for (const state of states) tell(target, state.id, noteProbe(state, noted), verdict);
    if (verdict.kind === "up") {
      const { models } = verdict;
      if (models !== undefined) for (const { id } of states) found.set(id, models);
    }
    cancelGather ??= after(GATHER_MS, gather);
    return pauseMs;
  };

  /**
   * From start to start, so that a time-out does not lengthen it. After its first good probe, and after a fault, an
   * engine's next one is at a random place in the interval, so that they do not all fall together.
   */
  const intervalAfter = (verdict: Verdict, states: readonly BackendState[], own: HealthSettings): number => {
    if (verdict.kind !== "up") return own.fastIntervalMs;
    const isSteady = states.every(({ health }) => health.standing === "up" && health.failures === 0);
    return isSteady ? own.intervalMs : own.intervalMs * (1 - random());
  };

  const tell = (
    { backend }: Target,
    id: string,
    change: "came_up" | "went_down" | undefined,
    verdict: Verdict,
  ): void => {
    const about = { backend: id, address: backend.origin };
    if (change === "came_up") emit({ kind: "engine_up", ...about });
    if (verdict.kind === "failed") {
      if (change === "went_down") emit({ kind: "engine_down", ...about, reason: verdict.reason });
      return;
    }
    const { refusedWith: status } = verdict;
    if (status === undefined) refusals.delete(id);
    else if (refusals.get(id) !== status) {
      refusals.set(id, status);
      emit({ kind: "engine_key_refused", ...about, key: backend.credential.label, status });
    }
  };

  const gather = (): void => {
    cancelGather = undefined;
    const { discovered } = pool.current;
    const changed = [...found].filter(([id, models]) => !sameList(discovered.get(id), models));
    found.clear();
    if (changed.length > 0) pool.replace((previous) => withModels(previous, new Map(changed)));
    onChange();
    if (!roundOver && standings().every((standing) => standing !== "unknown")) endRound();
  };

  const standings = () => {
    const states = statesById(pool.current);
    return [...probeTargets(pool.current).values()].map(
      ({ ids }) => states.get(ids[0] ?? "")?.health.standing ?? "unknown",
    );
  };

  const endRound = (): void => {
    roundOver = true;
    cancelRound();
    const all = standings();
    if (all.length === 0) return;
    emit({
      kind: "engines_probed",
      up: all.filter((standing) => standing === "up").length,
      engines: all.length,
    });
  };

  const rounds = repeat<Target>({ run, mostAtOnce: MOST_AT_ONCE, after });
  const refresh = (): void => {
    const current = probeTargets(pool.current);
    targets = current.size;
    longestTimeoutMs = Math.max(0, ...[...current.values()].map((target) => settingsOf(target).timeoutMs));
    const joined = [...current.values()].filter((target) => target.ids.some((id) => !members.has(id)));
    rounds.reconcile(current, new Set([...joined.map(({ key }) => key), ...findChanged(current)]));
    members = new Set([...current.values()].flatMap(({ ids }) => ids));
    for (const id of refusals.keys()) if (!members.has(id)) refusals.delete(id);
  };

  refresh();
  if (targets === 0) roundOver = true;
  else cancelRound = after(longestTimeoutMs + GATHER_MS, endRound);
  return {
    refresh,
    isFirstRoundOver: () => roundOver,
    async stop() {
      cancelRound();
      cancelGather?.();
      await rounds.stop();
    },
  };
}

const sameList = (before: readonly string[] | undefined, after: readonly string[]): boolean =>
  before !== undefined && before.length === after.length && before.every((model, at) => model === after[at]);

function doNothing(): void {}
