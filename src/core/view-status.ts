// Makes the StatusView: what the pool is, what was counted, and what the process says of itself, as of one moment.
import type { PoolSnapshot } from "./pool.ts";
import { REQUEST_OUTCOMES } from "./request-outcome.ts";
import { findServing, isUsable } from "./standing.ts";
import type {
  FailureStatus,
  InstanceStatus,
  ProcessStatus,
  ProviderStatus,
  ReloadStatus,
  StatusView,
  TotalStatus,
} from "./status.ts";
import type { Failure, Tally } from "./tally.ts";
import { FINISHED } from "./tally-requests.ts";
import { PER_MINUTE } from "./tally-row.ts";
import { viewBackends, viewKeyLimits, viewKeys } from "./view-backends.ts";
import { type Rows, viewModels, viewProviders } from "./view-models.ts";
import { type Moment, shareOf, wallAt } from "./view-rows.ts";

/** What neither the pool nor the tally knows. */
export interface Surroundings {
  readonly version: string;
  /** Monotonic milliseconds. */
  readonly startedMs: number;
  readonly readiness: { readonly ready: boolean; readonly reason?: string };
  readonly draining: boolean;
  readonly droppedLogLines: number;
  readonly process: ProcessStatus;
  /** Requests. */
  readonly inFlight: number;
  readonly queued: number;
}

export function viewStatus(
  snapshot: PoolSnapshot,
  tally: Tally,
  { moment, around }: { readonly moment: Moment; readonly around: Surroundings },
): StatusView {
  const terms = { serving: findServing(snapshot), keyLimits: viewKeyLimits(snapshot, moment), moment };
  const backends = viewBackends(snapshot, tally, terms);
  const keys = viewKeys(snapshot, tally, terms);
  const rows = { backends, keys, secretKeys: secretKeysOf(snapshot) };
  const usable = new Set(backends.filter(isUsable).map(({ id }) => id));
  const providers = viewProviders(snapshot, tally, { rows, moment });
  return {
    instance: viewInstance(snapshot, tally, { moment, around }),
    totals: viewTotals(tally, { moment, around, rows, providers }),
    providers,
    models: viewModels(snapshot, tally, { usable, moment }),
    backends,
    keys,
    failures: tally.failures.map((failure) => viewFailure(failure, moment)),
  };
}

const secretKeysOf = ({ slots }: PoolSnapshot): ReadonlySet<string> =>
  new Set(
    slots.flatMap(({ backend: { credential } }) => (credential.secret === undefined ? [] : credential.id)),
  );

interface Seen {
  readonly moment: Moment;
  readonly around: Surroundings;
}

function viewInstance(snapshot: PoolSnapshot, { reloads }: Tally, { moment, around }: Seen): InstanceStatus {
  return {
    version: around.version,
    startedAtMs: Math.round(moment.wallMs - (moment.nowMs - around.startedMs)),
    atMs: Math.round(moment.wallMs),
    uptimeMs: Math.round(moment.nowMs - around.startedMs),
    ready: around.readiness.ready,
    notReadyReason: around.readiness.reason ?? null,
    draining: around.draining,
    strategy: [...new Set(snapshot.providers.map(({ route }) => route.strategy.name))].join(", "),
    poolVersion: snapshot.version,
    reload: viewReload(reloads.last, moment),
    reloadsApplied: reloads.applied,
    reloadsRejected: reloads.rejected,
    droppedLogLines: around.droppedLogLines,
    process: around.process,
  };
}

function viewReload(last: Tally["reloads"]["last"], moment: Moment): ReloadStatus | null {
  if (last === undefined) return null;
  const atMs = wallAt(moment, last.atMs) ?? 0;
  return { atMs, ok: last.problems.length === 0, problems: last.problems };
}

interface Parts extends Seen {
  readonly rows: Rows;
  readonly providers: readonly ProviderStatus[];
}

function viewTotals(
  { requests, total, retries }: Tally,
  { moment, around, rows, providers }: Parts,
): TotalStatus {
  const { nowMs } = moment;
  const count = (outcome: (typeof REQUEST_OUTCOMES)[number]): number => requests.outcomes.get(outcome) ?? 0;
  const [succeeded, failed, refused] = [count("succeeded"), count("failed"), count("refused")];
  const ratios = providers.flatMap(({ balanceRatio }) => balanceRatio ?? []);
  const { backends, secretKeys } = rows;
  const keys = rows.keys.filter(({ id }) => secretKeys.has(id));
  return {
    requests: REQUEST_OUTCOMES.reduce((sum, outcome) => sum + count(outcome), 0),
    succeeded,
    rejected: count("rejected"),
    refused,
    failed,
    abandoned: count("abandoned"),
    successShare: shareOf(succeeded, succeeded + failed + refused),
    recentSuccessShare: shareOf(
      requests.finished.sum(FINISHED.succeeded, nowMs),
      requests.finished.sum(FINISHED.judged, nowMs),
    ),
    attempts: total.attempts,
    retries: [...retries.values()].reduce((sum, each) => sum + each, 0),
    fallbacks: requests.fallbacks,
    inFlight: around.inFlight,
    queued: around.queued,
    finishedPerMinute: requests.finished.sum(FINISHED.all, nowMs),
    sentPerMinute: total.minute.sum(PER_MINUTE.sent, nowMs),
    completedPerMinute: total.minute.sum(PER_MINUTE.succeeded, nowMs),
    failedPerMinute: total.minute.sum(PER_MINUTE.failed, nowMs),
    tokensPerMinute: total.minute.sum(PER_MINUTE.tokens, nowMs),
    inputTokens: total.inputTokens,
    outputTokens: total.outputTokens,
    firstByte: requests.firstByte.percentiles(nowMs),
    duration: requests.duration.percentiles(nowMs),
    overhead: requests.overhead.percentiles(nowMs),
    keysTotal: keys.length,
    keysUsable: keys.filter(isUsable).length,
    keysResting: keys.filter(({ state }) => state === "resting").length,
    backendsTotal: backends.length,
    backendsUsable: backends.filter(isUsable).length,
    backendsDown: backends.filter(({ state }) => state === "down").length,
    backendsDrained: backends.filter(({ state }) => state === "drained").length,
    balanceRatio: ratios.length === 0 ? null : Math.min(...ratios),
  };
}

function viewFailure({ atMs, durationMs, ...rest }: Failure, moment: Moment): FailureStatus {
  return { ...rest, atMs: wallAt(moment, atMs) ?? 0, durationMs: Math.round(durationMs * 10) / 10 };
}
