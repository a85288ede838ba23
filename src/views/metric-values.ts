// The values of every metric, from the status view and the tally: nothing is counted a second time.
import type { TimeBuckets } from "../core/histogram.ts";
import type { LimitStatus, StateWord, StatusView } from "../core/status.ts";
import type { Tally } from "../core/tally.ts";
import type { Row } from "../core/tally-row.ts";
import type { MetricName } from "./metric-table.ts";

export interface MetricValue {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Of histograms: the name with its suffix. */
  readonly metricName?: string;
}

export type MetricValues = Readonly<Record<MetricName, readonly MetricValue[]>>;

const STATES: readonly StateWord[] = ["usable", "untried", "limited", "resting", "down", "drained"];

export function readMetrics(view: StatusView, tally: Tally): MetricValues {
  const { instance, totals, backends, keys, providers } = view;
  const { requests, retries, reloads } = tally;
  const { process } = instance;
  const engines = backends.flatMap(({ id, engine }) => (engine === null ? [] : [{ backend: id, engine }]));
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
    weir_request_queue_seconds: bucketsOf("weir_request_queue_seconds", requests.queueWaits, {}),
    weir_request_overhead_seconds: bucketsOf("weir_request_overhead_seconds", requests.overheads, {}),
    weir_attempts_total: backends.flatMap(({ provider, id }) =>
      outcomeCounts(tally.backends.get(id), { provider, backend: id }),
    ),
    weir_retries_total: [...retries].map(([cause, value]) => ({ labels: { cause }, value })),
    weir_fallbacks_total: one(totals.fallbacks),
    weir_tokens_total: backends.flatMap(({ provider, id }) =>
      tokenCounts(tally.backends.get(id), { provider, backend: id }),
    ),
    weir_model_attempts_total: [...tally.models].flatMap(([model, row]) => outcomeCounts(row, { model })),
    weir_model_tokens_total: [...tally.models].flatMap(([model, row]) => tokenCounts(row, { model })),
    weir_backend_in_flight: backends.map(({ provider, id, inFlight }) => ({
      labels: { provider, backend: id },
      value: inFlight,
    })),
    weir_backend_state: backends.flatMap(({ provider, id, state }) =>
      states(state, { provider, backend: id }),
    ),
    weir_backend_limit: ownLimits(view, "limit"),
    weir_backend_limit_remaining: ownLimits(view, "remaining"),
    weir_backend_resting_seconds_total: backends.flatMap(({ id, restedSeconds }) =>
      rests(restedSeconds, { backend: id }),
    ),
    weir_key_info: keys.map(({ provider, id, label }) => ({
      labels: { provider, key: id, label },
      value: 1,
    })),
    weir_key_state: keys.flatMap(({ provider, id, state }) => states(state, { provider, key: id })),
    weir_key_limit: keyLimits(view, "limit"),
    weir_key_limit_remaining: keyLimits(view, "remaining"),
    weir_key_resting_seconds_total: keys.flatMap(({ id, restedSeconds }) =>
      rests(restedSeconds, { key: id }),
    ),
    weir_key_attempts_total: keys.flatMap(({ provider, id }) =>
      outcomeCounts(tally.keys.get(id), { provider, key: id }),
    ),
    weir_provider_balance_ratio: providers.flatMap(({ name, balanceRatio }) =>
      known(balanceRatio, { provider: name }),
    ),
    weir_engine_requests_running: engines.map(({ backend, engine }) => ({
      labels: { backend },
      value: engine.running,
    })),
    weir_engine_requests_waiting: engines.map(({ backend, engine }) => ({
      labels: { backend },
      value: engine.waiting,
    })),
    weir_engine_cache_usage_ratio: engines.flatMap(({ backend, engine }) =>
      known(engine.cacheShare, { backend }),
    ),
    weir_reloads_total: [
      { labels: { result: "applied" }, value: reloads.applied },
      { labels: { result: "rejected" }, value: reloads.rejected },
    ],
    weir_pool_version: one(instance.poolVersion),
    weir_event_loop_lag_seconds: one(process.eventLoopLagMs / 1000),
    weir_resident_memory_bytes: one(process.rssBytes),
    weir_held_body_bytes: one(process.heldBodyBytes),
    weir_open_sockets: known(process.openConnections, {}),
    weir_open_descriptors: known(process.openDescriptors, {}),
    weir_descriptor_limit: known(process.descriptorLimit, {}),
    weir_log_dropped_lines_total: one(instance.droppedLogLines),
  };
}

type Labels = MetricValue["labels"];

const one = (value: number): readonly MetricValue[] => [{ labels: {}, value }];

const known = (value: number | null, labels: Labels): readonly MetricValue[] =>
  value === null ? [] : [{ labels, value }];

function requestCounts({ routes }: Tally): readonly MetricValue[] {
  return [...routes].flatMap(([route, { outcomes }]) =>
    [...outcomes].flatMap(([backend, counts]) =>
      [...counts].map(([outcome, value]) => ({ labels: { route, backend, outcome }, value })),
    ),
  );
}

const outcomeCounts = (row: Row | undefined, labels: Labels): readonly MetricValue[] =>
  [...(row?.outcomes ?? [])].map(([outcome, value]) => ({ labels: { ...labels, outcome }, value }));

function tokenCounts(row: Row | undefined, labels: Labels): readonly MetricValue[] {
  if (row === undefined) return [];
  return [
    { labels: { ...labels, direction: "input" }, value: row.inputTokens },
    { labels: { ...labels, direction: "output" }, value: row.outputTokens },
  ];
}

const states = (current: StateWord, labels: Labels): readonly MetricValue[] =>
  STATES.map((state) => ({ labels: { ...labels, state }, value: state === current ? 1 : 0 }));

const rests = (seconds: Readonly<Record<string, number>>, labels: Labels): readonly MetricValue[] =>
  Object.entries(seconds).map(([cause, value]) => ({ labels: { ...labels, cause }, value }));

function ownLimits({ backends }: StatusView, field: "limit" | "remaining"): readonly MetricValue[] {
  return backends.flatMap(({ id, limits }) =>
    limits
      .filter(({ of }) => of === "backend")
      .flatMap((limit) => known(limit[field], { backend: id, limit: limit.name })),
  );
}

const sourceOf = ({ learned }: LimitStatus): string => (learned ? "learned" : "configured");

function keyLimits({ keys }: StatusView, field: "limit" | "remaining"): readonly MetricValue[] {
  return keys.flatMap(({ id, limits }) =>
    limits.flatMap((limit) => known(limit[field], { key: id, limit: limit.name, source: sourceOf(limit) })),
  );
}

/** Prometheus adds buckets up: each counts what is at most its bound. */
function bucketsOf(
  name: MetricName,
  { boundsMs, counts, sumMs }: TimeBuckets,
  labels: Labels,
): readonly MetricValue[] {
  let below = 0;
  const buckets = [...boundsMs, Number.POSITIVE_INFINITY].map((boundMs, at): MetricValue => {
    below += counts[at] ?? 0;
    const le = Number.isFinite(boundMs) ? String(boundMs / 1000) : "+Inf";
    return { labels: { ...labels, le }, value: below, metricName: `${name}_bucket` };
  });
  return [
    ...buckets,
    { labels, value: sumMs / 1000, metricName: `${name}_sum` },
    { labels, value: below, metricName: `${name}_count` },
  ];
}
