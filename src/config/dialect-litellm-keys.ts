// The keys of LiteLLM's config.yaml: which ones weir follows, and what it says of the others.
import type { KeyRules } from "./dialect-fields.ts";

const said = (sentence: string) => ({ said: sentence });

const BODIES = said("is ignored: weir sends bodies as clients write them");
const CALLBACKS = said("is ignored: weir has its own metrics, logs and webhooks");
const CACHE = said("is ignored: weir keeps no answers");
const MONEY = said("is ignored: weir counts no money and keeps no budgets");
const DATABASE = said("is ignored: weir needs no database");
const ONE_PROCESS = said("is ignored: weir counts within its one process and shares nothing over Redis");
const ALERTS = said(
  "is ignored: weir's own webhooks tell of failures (webhooks in weir's format, WEIR_WEBHOOKS)",
);
const LOGS = said("is ignored: weir logs no prompts, and --log-level says how much of the rest");
const ACCESS = said("is ignored: weir checks master_key and nothing else of its callers");
const PAGES = said("is ignored: weir has its own pages");

export const UNKNOWN_KEY = "is not known to weir, and ignored";
export const UNKNOWN_PARAMETER = "is not added to requests: weir sends bodies as clients write them";

const NO_TOKENS = {
  refused: "api_key in its place, as weir fetches no tokens from identity services",
} as const;

export const TOP_KEYS: KeyRules = [
  [
    "model_list litellm_settings router_settings general_settings environment_variables include credential_list",
    "used",
  ],
  ["guardrails prompts policies", said("is ignored: weir looks into no prompts and no answers")],
  ["mcp_* search_tools vector_store_registry", said("is ignored: weir pipes calls of models and no tools")],
  [
    "files_settings finetune_settings",
    said("is ignored: files go to the first provider of the OpenAI family"),
  ],
];

export const ROW_KEYS: KeyRules = [["model_name litellm_params model_info rpm tpm", "used"]];

export const PARAMETER_KEYS: KeyRules = [
  ["model api_base base_url api_key api_version organization extra_headers headers", "used"],
  [
    "timeout stream_timeout weight rpm tpm order tags max_parallel_requests cooldown_time num_retries",
    "used",
  ],
  ["input_cost_per_token output_cost_per_token custom_llm_provider litellm_credential_name", "used"],
  ["azure_ad_token* tenant_id client_id client_secret azure_username azure_password azure_scope", NO_TOKENS],
  ["tag_regex", said("is ignored: rows are told apart by tags alone")],
  ["max_retries", said("is ignored: num_retries says how often a request is tried again")],
  ["*budget* *cost* *pricing*", MONEY],
  ["use_in_pass_through use_litellm_proxy merge_reasoning_content_in_choices", BODIES],
  ["supports_* mock_*", said("is ignored: weir asks the provider itself")],
];

export const ROUTER_KEYS: KeyRules = [
  [
    "routing_strategy routing_strategy_args num_retries retry_after retry_policy model_group_retry_policy",
    "used",
  ],
  ["timeout stream_timeout allowed_fails allowed_fails_policy cooldown_time disable_cooldowns", "used"],
  ["fallbacks context_window_fallbacks content_policy_fallbacks default_fallbacks max_fallbacks", "used"],
  ["model_group_alias enable_tag_filtering tag_filtering_match_any default_max_parallel_requests", "used"],
  ["optional_pre_call_checks", "used"],
  [
    "enable_pre_call_checks",
    said(
      "is followed in part: order, rpm and tpm count, and a prompt that is too long is found out by its provider",
    ),
  ],
  ["redis_* cache_responses cache_kwargs caching_groups", ONE_PROCESS],
  ["client_ttl", said("is ignored: weir keeps no clients of providers' libraries")],
  ["ignore_invalid_deployments", said("is ignored: a row that cannot be read is always told")],
  ["alerting*", ALERTS],
  ["*budget*", MONEY],
  ["set_verbose debug_level", LOGS],
];

export const SETTINGS_KEYS: KeyRules = [
  ["num_retries request_timeout allowed_fails cooldown_time", "used"],
  ["fallbacks context_window_fallbacks content_policy_fallbacks default_fallbacks", "used"],
  ["drop_params modify_params additional_drop_params", BODIES],
  ["callbacks *_callback *_callbacks callback_settings langfuse_* s3_callback_params", CALLBACKS],
  ["cache cache_* enable_caching* redis_*", CACHE],
  [
    "set_verbose json_logs turn_off_message_logging redact_* log_raw_request_response suppress_debug_info",
    LOGS,
  ],
  [
    "*budget* *spend* *cost* max_user_* upperbound_* default_team_settings default_internal_user_params",
    MONEY,
  ],
  [
    "ssl_verify ssl_certificate",
    said("is ignored: certificates are always checked, and upstream.ca_file adds authorities"),
  ],
  ["forward_* add_function_to_prompt enable_json_schema_validation", BODIES],
];

export const GENERAL_KEYS: KeyRules = [
  [
    "master_key completion_model background_health_checks health_check_interval enable_health_check_routing",
    "used",
  ],
  ["health_check_*", said("is ignored: weir asks engines for their models and hosted providers for nothing")],
  ["alerting alert_* alerting_* spend_report_frequency", ALERTS],
  ["*budget* *spend*", MONEY],
  [
    "database_* allow_requests_on_db_unavailable store_* proxy_batch_* use_redis_* supported_db_objects",
    DATABASE,
  ],
  [
    "custom_* enable_jwt_auth litellm_jwtauth enable_oauth2_* allowed_* public_routes *_only_routes role_*",
    ACCESS,
  ],
  ["enforce_user_param key_management_* infer_model_from_keys use_*", ACCESS],
  ["ui_* disable_* docs_* enable_public_model_hub", PAGES],
  [
    "max_parallel_requests global_max_parallel_requests",
    said("is ignored: weir limits rows (max_parallel_requests in litellm_params), not callers"),
  ],
  ["max_request_size_mb", said("is ignored: buffers.request (WEIR_BUFFERS_REQUEST) bounds requests")],
  ["max_response_size_mb", said("is ignored: answers are piped, whatever their size")],
  ["forward_*", BODIES],
  ["pass_through_endpoints", said("is ignored: weir has the paths of its three families")],
];
