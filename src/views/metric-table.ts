// Every metric that `/metrics` gives: name, kind, labels and meaning. The README's table is printed from it.

export interface MetricRow {
  readonly type: "counter" | "gauge" | "histogram";
  readonly labels: readonly string[];
  readonly help: string;
}

const counter = (help: string, ...labels: readonly string[]): MetricRow => ({
  type: "counter",
  labels,
  help,
});
const gauge = (help: string, ...labels: readonly string[]): MetricRow => ({ type: "gauge", labels, help });
const histogram = (help: string, ...labels: readonly string[]): MetricRow => ({
  type: "histogram",
  labels,
  help,
});

/**
 * Values of labels come from the configuration, from what backends list, or from fixed sets; never from requests.
 * `backend` and `key` are ids, `key` is no part of any key.
 */
export const METRICS = {
  weir_build_info: gauge("Always 1; the version is in the label.", "version"),
  weir_start_time_seconds: gauge("When weir started, in seconds since 1970."),
  weir_ready: gauge("1 when weir can serve, else 0."),
  weir_requests_total: counter(
    "Finished requests; outcome is succeeded, rejected (caller's mistake), refused (nobody could be asked), failed or abandoned.",
    "route",
    "backend",
    "outcome",
  ),
  weir_requests_in_flight: gauge("Requests being served."),
  weir_requests_queued: gauge("Requests that wait for a free slot."),
  weir_request_duration_seconds: histogram("From a request's arrival to the end of its answer.", "route"),
  weir_request_first_byte_seconds: histogram(
    "From a request's arrival to the first byte of its answer; for streams, to the first token.",
    "route",
  ),
  weir_request_queue_seconds: histogram("What requests waited for a slot or between attempts."),
  weir_request_overhead_seconds: histogram(
    "Weir's own time in a request: neither waiting, nor while a backend was asked.",
  ),
  weir_attempts_total: counter("Ended calls of backends by outcome.", "provider", "backend", "outcome"),
  weir_retries_total: counter("Attempts after the first, by what the one before came to.", "cause"),
  weir_fallbacks_total: counter("Requests that went on to another model."),
  weir_tokens_total: counter(
    "Tokens that answers told; direction is input or output.",
    "provider",
    "backend",
    "direction",
  ),
  weir_model_attempts_total: counter(
    "Ended attempts by route or known model; others count as other.",
    "model",
    "outcome",
  ),
  weir_model_tokens_total: counter("Tokens by route or known model.", "model", "direction"),
  weir_backend_in_flight: gauge("Calls in flight.", "provider", "backend"),
  weir_backend_state: gauge(
    "1 for the state that the backend is in: usable, untried, limited, resting, down or drained; 0 for the others.",
    "provider",
    "backend",
    "state",
  ),
  weir_backend_limit: gauge("Configured limits of a backend.", "backend", "limit"),
  weir_backend_limit_remaining: gauge("What remains of them.", "backend", "limit"),
  weir_backend_resting_seconds_total: counter("Time at rest, by cause.", "backend", "cause"),
  weir_key_info: gauge(
    "Always 1; the label shows the last characters of the key.",
    "provider",
    "key",
    "label",
  ),
  weir_key_state: gauge("As weir_backend_state, of a key.", "provider", "key", "state"),
  weir_key_limit: gauge("Limits of a key; source is configured or learned.", "key", "limit", "source"),
  weir_key_limit_remaining: gauge("What remains of them.", "key", "limit", "source"),
  weir_key_resting_seconds_total: counter("Time at rest, by cause.", "key", "cause"),
  weir_key_attempts_total: counter("Ended calls with a key by outcome.", "provider", "key", "outcome"),
  weir_provider_balance_ratio: gauge("Least by most used key of a provider, by weight.", "provider"),
  weir_engine_requests_running: gauge("What an engine says it works on.", "backend"),
  weir_engine_requests_waiting: gauge("What an engine says waits in it.", "backend"),
  weir_engine_cache_usage_ratio: gauge("How full an engine says its cache is, 0 to 1.", "backend"),
  weir_reloads_total: counter("Reloads of the configuration; result is applied or rejected.", "result"),
  weir_pool_version: gauge("Goes up with each reload and each discovery."),
  weir_event_loop_lag_seconds: gauge("The longest that a timer came late within the last seconds."),
  weir_resident_memory_bytes: gauge("Resident memory."),
  weir_held_body_bytes: gauge("Bytes of request bodies held."),
  weir_open_sockets: gauge("Open sockets, to clients and to backends."),
  weir_open_descriptors: gauge("Open file descriptors."),
  weir_descriptor_limit: gauge("As many descriptors may be open."),
  weir_log_dropped_lines_total: counter("Log lines that could not be written."),
} as const satisfies Readonly<Record<string, MetricRow>>;

export type MetricName = keyof typeof METRICS;
