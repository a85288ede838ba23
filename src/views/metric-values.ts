// The values of every metric, from the status view and the tally: nothing is counted a second time.
import type { TimeBuckets } from "../core/histogram.ts";
import type { BackendStatus, KeyStatus, LimitStatus, StateWord, StatusView } from "../core/status.ts";
import type { Tally } from "../core/tally.ts";
import type { Row } from "../core/tally-row.ts";
import type { MetricName } from "./metric-table.ts";

export interface MetricValue {
  readonly labels: Labels;
  /** Those that many values have: one object for all of them, which the library turns into text once. */
  readonly sharedLabels?: Labels;
  readonly value: number;
  /** Of histograms: the name with its suffix. */
  readonly metricName?: string;
}

export type MetricValues = Readonly<Record<MetricName, readonly MetricValue[]>>;

type Labels = Readonly<Record<string, string>>;

const STATES = (["usable", "untried", "limited", "resting", "down", "drained"] satisfies StateWord[]).map(
  (state) => ({ state }),
);

export function readMetrics(view: StatusView, tally: Tally): MetricValues {
  const { instance, totals, providers } = view;
  const { requests, retries, reloads } = tally;
  const { process } = instance;
  const backends = view.backends.map((status) => {
    const { id, provider } = status;
    const row = tally.backends.get(id);
    return { status, row, owned: { provider, backend: id }, alone: { backend: id } };
  });
  const keys = view.keys.map((status) => {
    const { id, provider } = status;
    return { status, row: tally.keys.get(id), owned: { provider, key: id }, alone: { key: id } };
  });
  const engines = backends.flatMap(({ status: { engine }, alone }) =>
    engine === null ? [] : [{ engine, alone }],
  );
  return {
    weir_build_info: [{ labels: { version: instance.version }, value: 1 }],
    weir_start_time_seconds: one(instance.startedAtMs / 1000),
    weir_ready: one(instance.ready ? 1 : 0),
    weir_requests_total: requestCounts(tally),
    weir_requests_in_flight: one(totals.inFlight),
    weir_requests_queued: one(totals.queued),
    weir_request_duration_seconds: [...tally.routes].flatMap(([route, { durations }]) =>
      bucketsOf("weir_request_duration_seconds", durations, { route }),
    ),
    weir_request_first_byte_seconds: [...tally.routes].flatMap(([route, { firstBytes }]) =>
      bucketsOf("weir_request_first_byte_seconds", firstBytes, { route }),
    ),
    weir_request_queue_seconds: bucketsOf("weir_request_queue_seconds", requests.queueWaits, NO_LABELS),
    weir_request_overhead_seconds: bucketsOf("weir_request_overhead_seconds", requests.overheads, NO_LABELS),
    weir_attempts_total: backends.flatMap(({ row, owned }) => outcomeCounts(row, owned)),
    weir_retries_total: [...retries].map(([cause, value]) => ({ labels: { cause }, value })),
    weir_fallbacks_total: one(totals.fallbacks),
    weir_tokens_total: backends.flatMap(({ row, owned }) => tokenCounts(row, owned)),
    weir_model_attempts_total: [...tally.models].flatMap(([model, row]) => outcomeCounts(row, { model })),
    weir_model_tokens_total: [...tally.models].flatMap(([model, row]) => tokenCounts(row, { model })),
    weir_backend_in_flight: backends.map(({ status, owned }) => valueOf(status.inFlight, owned)),
    weir_backend_state: backends.flatMap(({ status, owned }) => states(status.state, owned)),
    weir_backend_limit: backends.flatMap(({ status, alone }) => ownLimits(status, "limit", alone)),
    weir_backend_limit_remaining: backends.flatMap(({ status, alone }) =>
      ownLimits(status, "remaining", alone),
    ),
    weir_backend_resting_seconds_total: backends.flatMap(({ status, alone }) =>
      rests(status.restedSeconds, alone),
    ),
    weir_key_info: keys.map(({ status: { label }, owned }) => valueOf(1, owned, { label })),
    weir_key_state: keys.flatMap(({ status, owned }) => states(status.state, owned)),
    weir_key_limit: keys.flatMap(({ status, alone }) => keyLimits(status, "limit", alone)),
    weir_key_limit_remaining: keys.flatMap(({ status, alone }) => keyLimits(status, "remaining", alone)),
    weir_key_resting_seconds_total: keys.flatMap(({ status, alone }) => rests(status.restedSeconds, alone)),
    weir_key_attempts_total: keys.flatMap(({ row, owned }) => outcomeCounts(row, owned)),
    weir_provider_balance_ratio: providers.flatMap(({ name, balanceRatio }) =>
      known(balanceRatio, { provider: name }),
    ),
    weir_engine_requests_running: engines.map(({ engine, alone }) => valueOf(engine.running, alone)),
    weir_engine_requests_waiting: engines.map(({ engine, alone }) => valueOf(engine.waiting, alone)),
    weir_engine_cache_usage_ratio: engines.flatMap(({ engine, alone }) => known(engine.cacheShare, alone)),
    weir_reloads_total: [
      { labels: { result: "applied" }, value: reloads.applied },
      { labels: { result: "rejected" }, value: reloads.rejected },
    ],
    weir_pool_version: one(instance.poolVersion),
    weir_event_loop_lag_seconds: one(process.eventLoopLagMs / 1000),
    weir_resident_memory_bytes: one(process.rssBytes),
    weir_held_body_bytes: one(process.heldBodyBytes),
    weir_open_sockets: known(process.openConnections, NO_LABELS),
    weir_open_descriptors: known(process.openDescriptors, NO_LABELS),
    weir_descriptor_limit: known(process.descriptorLimit, NO_LABELS),
    weir_log_dropped_lines_total: one(instance.droppedLogLines),
  };
}

const NO_LABELS: Labels = {};

const valueOf = (value: number, sharedLabels: Labels, labels = NO_LABELS): MetricValue => ({
  labels,
  sharedLabels,
  value,
});

const one = (value: number): readonly MetricValue[] => [valueOf(value, NO_LABELS)];

const known = (value: number | null, sharedLabels: Labels, labels = NO_LABELS): readonly MetricValue[] =>
  value === null ? [] : [valueOf(value, sharedLabels, labels)];

function requestCounts({ routes }: Tally): readonly MetricValue[] {
  return [...routes].flatMap(([route, { outcomes }]) =>
    [...outcomes].flatMap(([backend, counts]) =>
      [...counts].map(([outcome, value]) => ({ labels: { route, backend, outcome }, value })),
    ),
  );
}

const outcomeCounts = (row: Row | undefined, shared: Labels): readonly MetricValue[] =>
  row === undefined ? [] : [...row.outcomes].map(([outcome, value]) => valueOf(value, shared, { outcome }));

const INPUT = { direction: "input" };
const OUTPUT = { direction: "output" };

const tokenCounts = (row: Row | undefined, shared: Labels): readonly MetricValue[] =>
  row === undefined
    ? []
    : [valueOf(row.inputTokens, shared, INPUT), valueOf(row.outputTokens, shared, OUTPUT)];

const states = (current: StateWord, shared: Labels): readonly MetricValue[] =>
  STATES.map((labels) => valueOf(labels.state === current ? 1 : 0, shared, labels));

const rests = (seconds: Readonly<Record<string, number>>, shared: Labels): readonly MetricValue[] =>
  Object.entries(seconds).map(([cause, value]) => valueOf(value, shared, { cause }));

function ownLimits(
  { limits }: BackendStatus,
  field: "limit" | "remaining",
  shared: Labels,
): readonly MetricValue[] {
  const own = limits.filter(({ of }) => of === "backend");
  return own.flatMap((limit) => known(limit[field], shared, { limit: limit.name }));
}

const sourceOf = ({ learned }: LimitStatus): string => (learned ? "learned" : "configured");

const keyLimits = (
  { limits }: KeyStatus,
  field: "limit" | "remaining",
  shared: Labels,
): readonly MetricValue[] =>
  limits.flatMap((limit) => known(limit[field], shared, { limit: limit.name, source: sourceOf(limit) }));

/** Prometheus adds buckets up: each counts what is at most its bound. */
function bucketsOf(
  name: MetricName,
  { boundsMs, counts, sumMs }: TimeBuckets,
  sharedLabels: Labels,
): readonly MetricValue[] {
  let below = 0;
  const buckets = [...boundsMs, Number.POSITIVE_INFINITY].map((boundMs, at): MetricValue => {
    below += counts[at] ?? 0;
    const le = Number.isFinite(boundMs) ? String(boundMs / 1000) : "+Inf";
    return { labels: { le }, sharedLabels, value: below, metricName: `${name}_bucket` };
  });
  return [
    ...buckets,
    { labels: NO_LABELS, sharedLabels, value: sumMs / 1000, metricName: `${name}_sum` },
    { labels: NO_LABELS, sharedLabels, value: below, metricName: `${name}_count` },
  ];
}
