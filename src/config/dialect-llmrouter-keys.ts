// The keys of LLMRouter's files: which ones weir follows, and what it says of the others.
import type { KeyRules } from "./dialect-fields.ts";

const said = (sentence: string) => ({ said: sentence });

export const UNKNOWN_KEY = "is not known to weir, and ignored";

const DEAD = said("has no effect, as in LLMRouter");

/** By section. */
export const SECTIONS: Readonly<Record<string, KeyRules>> = {
  server: [["host port", "used"]],
  routing: [["strategy num_retries", "used"]],
  http_client: [
    ["request_timeout connect_timeout", "used"],
    ["max_idle_conns idle_conn_timeout", said("is ignored: connections are kept as long as they are of use")],
    [
      "max_conns_per_host",
      said("is ignored: weir bounds no connections; limits.concurrency of its own format bounds an address"),
    ],
  ],
  health_check: [
    ["interval timeout failure_threshold", "used"],
    ["max_concurrency", said("is ignored: weir probes 20 at a time")],
    [
      "prune_unhealthy_on_start",
      said(
        "is not done: weir changes no file of yours, and a backend that is down gets no requests until it is back",
      ),
    ],
  ],
  retry: [
    ["base_delay_ms max_delay_ms", "used"],
    ["jitter_factor", said("is ignored: waits before a retry vary by 20 %")],
    ["failure_threshold", DEAD],
  ],
  webhook: [
    ["enabled url cooldown_seconds batch_interval report_interval_active report_interval_idle", "used"],
  ],
  monitor: [["collect_interval", "used"]],
  dashboard: [
    ["enabled web_port", "used"],
    ["refresh_interval", DEAD],
  ],
  log: [["level dir max_size_mb max_backups max_age_days", "used"]],
  backends: [["config_dir enabled_sources", "used"]],
};

export const TOP_KEYS: KeyRules = [[Object.keys(SECTIONS).join(" "), "used"]];

export const FILE_KEYS: KeyRules = [
  ["model_list", "used"],
  ["router_settings", said("is ignored: the main file says how to choose and how often to retry")],
];

export const ROW_KEYS: KeyRules = [["model_name litellm_params model_info", "used"]];

export const PARAMETER_KEYS: KeyRules = [
  // `model` and `supports_vision` decide nothing in LLMRouter either: bodies go on as they came.
  ["model api_base api_key weight rpm_limit source_type supports_vision", "used"],
];
