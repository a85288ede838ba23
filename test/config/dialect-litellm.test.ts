import { describe, expect, test } from "bun:test";
import { Secret } from "../../src/core/credential.ts";
import { optionOf, providersOf, readForeign, routeOf, targetsOf } from "./dialect-draft.ts";

/** One row with these further parameters (flow style) in the group `m`. */
const row = (params: string, rest = ""): string =>
  `  - { model_name: m, litellm_params: { model: openai/gpt-x, api_key: sk-1, ${params} }${rest} }\n`;

const rowed = (params: string, rest = "") => readForeign(`model_list:\n${row(params, rest)}`);

const settled = (section: string, settings: string) =>
  readForeign(`model_list:\n${row("")}${section}: ${settings}\n`);

const target = (params: string, rest = "") => routeOf(rowed(params, rest), "m").targets[0];

/** The header `a` that a row adds, out of its seal. */
const sent = (params: string): string | undefined => {
  const header = target(params)?.headers?.["a"];
  return header instanceof Secret ? header.reveal() : header;
};

const warningsOf = ({ warnings }: { readonly warnings: readonly string[] }) => warnings;

describe("a parameter of a row that LiteLLM follows", () => {
  test.each([
    ["rpm: 60", { limits: { requestsPerMinute: 60 } }],
    ["tpm: 1000", { limits: { tokensPerMinute: 1000 } }],
    ["max_parallel_requests: 4", { limits: { concurrency: 4 } }],
    ["weight: 3", { weight: 3 }],
    ['weight: "3"', { weight: 3 }],
    ["order: 2", { priority: 2 }],
    ['tags: ["free", paid]', { tags: ["free", "paid"] }],
    ["timeout: 30", { timeouts: { firstByteMs: 30_000, streamFirstByteMs: 30_000 } }],
    ["timeout: 30, stream_timeout: 2.5", { timeouts: { firstByteMs: 30_000, streamFirstByteMs: 2500 } }],
    ["stream_timeout: 2", { timeouts: { streamFirstByteMs: 2000 } }],
    ["cooldown_time: 7", { cooldown: { firstMs: 7000, maxMs: 7000 } }],
    ["cooldown_time: 0", { cooldown: { threshold: Infinity } }],
    [
      "input_cost_per_token: 0.0000001, output_cost_per_token: 2e-7",
      { price: { inputPerToken: 1e-7, outputPerToken: 2e-7 } },
    ],
    ["organization: org-1", { headers: { "openai-organization": "org-1" } }],
    ["api_base: https://x.example/v1", { address: { origin: "https://x.example", path: "/v1" } }],
    ["base_url: https://x.example/v2/", { address: { origin: "https://x.example", path: "/v2" } }],
  ])("%s is on its target", (params, expected) => {
    const read = rowed(params);
    expect(read.problems).toEqual([]);
    expect(routeOf(read, "m").targets[0]).toMatchObject(expected);
  });

  test("num_retries is the group's, the largest of its rows'", () => {
    const rows = row("num_retries: 1") + row("num_retries: 4").replace("sk-1", "sk-2");
    expect(routeOf(readForeign(`model_list:\n${rows}`), "m").retry).toEqual({ max: 4 });
  });

  test("grouped digits are a number and yes is true, as PyYAML reads them", () => {
    const read = readForeign(
      `model_list:\n${row("tpm: 80_000, rpm: 1_000, timeout: 1_0.5")}router_settings: { disable_cooldowns: yes }\nlitellm_settings: { drop_params: off }\n`,
    );
    expect(read.problems).toEqual([]);
    expect(routeOf(read, "m").targets[0]).toMatchObject({
      limits: { tokensPerMinute: 80_000, requestsPerMinute: 1000 },
      timeouts: { firstByteMs: 10_500 },
    });
    expect(read.warnings).toContainEqual(expect.stringContaining("disable_cooldowns turns off rests"));
    expect(read.warnings).not.toContainEqual(expect.stringContaining("drop_params"));
  });

  test("rpm may stand beside litellm_params, too", () => {
    expect(target("", ", rpm: 5")).toMatchObject({ limits: { requestsPerMinute: 5 } });
  });

  test("model_info.id is a hidden name for that row alone, with the row's own state", () => {
    const read = readForeign(
      `model_list:\n${row("rpm: 5, order: 2", ", model_info: { id: one, mode: chat, max_input_tokens: 10 }")}${row("").replace("sk-1", "sk-2")}`,
    );
    expect(warningsOf(read)).toHaveLength(1);
    const route = routeOf(read, "one");
    expect(route.isHidden).toBe(true);
    expect(route.targets).toHaveLength(1);
    const { priority: _, weight: __, ...own } = routeOf(read, "m").targets[0] ?? {};
    expect(route.targets[0]).toEqual({ ...own, sharedWith: "m" } as never);
  });
});

describe("a setting that LiteLLM follows", () => {
  test.each([
    ["router_settings", "{ num_retries: 5 }", "retry.max", "5"],
    ["router_settings", "{ retry_after: 2 }", "retry.backoff", "2s"],
    ["router_settings", "{ timeout: 30 }", "timeouts.first_byte", "30s"],
    ["router_settings", "{ timeout: 30 }", "timeouts.stream_first_byte", "30s"],
    ["router_settings", "{ stream_timeout: 9 }", "timeouts.stream_first_byte", "9s"],
    ["router_settings", "{ timeout: 6000 }", "timeouts.total", "6000s"],
    ["router_settings", "{ allowed_fails: 0 }", "cooldown.threshold", "1"],
    [
      "router_settings",
      "{ allowed_fails_policy: { InternalServerErrorAllowedFails: 4 } }",
      "cooldown.threshold",
      "5",
    ],
    ["router_settings", "{ cooldown_time: 30 }", "cooldown.first", "30s"],
    ["router_settings", "{ cooldown_time: 30 }", "cooldown.max", "30s"],
    ["router_settings", "{ default_fallbacks: [a, b] }", "default_fallbacks", "a,b"],
    ["litellm_settings", "{ num_retries: 1 }", "retry.max", "1"],
    ["litellm_settings", "{ request_timeout: 20 }", "timeouts.first_byte", "20s"],
    ["litellm_settings", "{ allowed_fails: 2 }", "cooldown.threshold", "3"],
    ["litellm_settings", "{ cooldown_time: 9 }", "cooldown.first", "9s"],
    ["litellm_settings", "{ default_fallbacks: [a] }", "default_fallbacks", "a"],
    ["general_settings", "{ master_key: sk-m }", "access_keys", "sk-m"],
    ["general_settings", "{ master_key: sk-m }", "admin.key", "sk-m"],
  ] as const)("%s %s is the option %s", (section, settings, option, text) => {
    const read = settled(section, settings);
    expect(read.problems).toEqual([]);
    expect(warningsOf(read)).toEqual([]);
    expect(optionOf(read, option)).toStartWith(`${text} @ f.yaml:3:`);
  });

  test.each([
    ["simple-shuffle", "simple-shuffle"],
    ["least-busy", "least-connections"],
    ["usage-based-routing", "usage-based"],
    ["usage-based-routing-v2", "usage-based"],
    ["latency-based-routing", "latency-based"],
    ["cost-based-routing", "lowest-cost"],
    ["round-robin", "smooth-weighted-round-robin"],
    ["weighted", "smooth-weighted-round-robin"],
    ["latency", "latency-based"],
    ["no-such-strategy", "no-such-strategy"],
  ])("routing_strategy %s is the strategy %s", (name, strategy) => {
    expect(optionOf(settled("router_settings", `{ routing_strategy: ${name} }`), "strategy")).toBe(
      `${strategy} @ f.yaml:3:38 router_settings.routing_strategy`,
    );
  });

  test("has LiteLLM's default where it is absent", () => {
    expect(optionOf(rowed(""), "strategy")).toBe("simple-shuffle @ f.yaml:1:1 (LiteLLM's default)");
    expect(optionOf(rowed(""), "retry.max")).toBe("2 @ f.yaml:1:1 (LiteLLM's default)");
  });

  test("stands in router_settings before litellm_settings", () => {
    const read = readForeign(
      `model_list:\n${row("")}router_settings: { num_retries: 4, fallbacks: [{ m: [a] }] }\n` +
        `litellm_settings: { num_retries: 1, fallbacks: [{ m: [b] }] }\n`,
    );
    expect(optionOf(read, "retry.max")).toStartWith("4 @");
    expect(read.draft.fallbacks).toMatchObject([{ model: "m", models: ["a"] }]);
    expect(warningsOf(read)).toEqual([
      "f.yaml:4:48 litellm_settings.fallbacks is ignored: router_settings.fallbacks stands in its place",
    ]);
  });

  test.each([
    ["fallbacks", "general"],
    ["context_window_fallbacks", "contextWindow"],
    ["content_policy_fallbacks", "contentPolicy"],
  ] as const)("%s are lists by model", (key, kind) => {
    for (const section of ["router_settings", "litellm_settings"]) {
      const read = settled(section, `{ ${key}: [{ m: [a, b] }, { "*": [c] }] }`);
      expect(read.draft.fallbacks).toMatchObject([
        { kind, model: "m", models: ["a", "b"] },
        { kind, model: "*", models: ["c"] },
      ]);
    }
  });

  test("max_fallbacks bounds them, within weir's own bound", () => {
    expect(settled("router_settings", "{ max_fallbacks: 2 }").draft.mostFallbacks).toBe(2);
    const more = settled("router_settings", "{ max_fallbacks: 9 }");
    expect(more.draft.mostFallbacks).toBe(5);
    expect(warningsOf(more)).toHaveLength(1);
  });

  test("model_group_alias has two forms, and stands before a group of its name", () => {
    const read = readForeign(
      `model_list:\n${row("")}${row("").replace("model_name: m", "model_name: n")}` +
        "router_settings: { model_group_alias: { a: m, b: { model: m, hidden: true }, n: m } }\n",
    );
    expect(read.draft.aliases.map(({ name, spec }) => [name, spec.model, spec.hidden])).toEqual([
      ["a", "m", false],
      ["b", "m", true],
      ["n", "m", false],
    ]);
    expect(read.draft.routes.map(({ name }) => name)).toEqual(["m"]);
    expect(warningsOf(read)).toHaveLength(1);
  });

  test("an alias of a group's own name changes nothing", () => {
    const read = settled("router_settings", "{ model_group_alias: { m: m } }");
    expect(read.draft.aliases).toEqual([]);
    expect(read.draft.routes.map(({ name }) => name)).toEqual(["m"]);
    expect(warningsOf(read)).toEqual([]);
  });

  test("retry_policy is every group's, model_group_retry_policy that group's own", () => {
    const policy =
      "{ TimeoutErrorRetries: 1, RateLimitErrorRetries: 3, AuthenticationErrorRetries: 0, BadRequestErrorRetries: 2, InternalServerErrorRetries: 4, ContentPolicyViolationErrorRetries: 5 }";
    expect(routeOf(settled("router_settings", `{ retry_policy: ${policy} }`), "m").retry).toEqual({
      timeouts: 1,
      rateLimits: 3,
      authentication: 0,
      badRequests: 2,
      serverErrors: 4,
      contentPolicy: 5,
    });
    const own = `{ retry_policy: ${policy}, model_group_retry_policy: { m: { TimeoutErrorRetries: 9 } } }`;
    expect(routeOf(settled("router_settings", own), "m").retry).toEqual({ timeouts: 9 });
  });

  test("enable_tag_filtering tells requests apart by tags", () => {
    expect(routeOf(settled("router_settings", "{ enable_tag_filtering: true }"), "m").tagged).toBe("any");
    const all = "{ enable_tag_filtering: true, tag_filtering_match_any: false }";
    expect(routeOf(settled("router_settings", all), "m").tagged).toBe("all");
    expect(
      routeOf(settled("router_settings", "{ enable_tag_filtering: false }"), "m").tagged,
    ).toBeUndefined();
  });

  test("lowest_latency_buffer is the strategy's, and ttl is said to be none", () => {
    const read = settled(
      "router_settings",
      "{ routing_strategy_args: { ttl: 60, lowest_latency_buffer: 0.5 } }",
    );
    expect(routeOf(read, "m").strategyOptions).toEqual({ latencyBuffer: 0.5 });
    expect(warningsOf(read)).toHaveLength(1);
  });

  test("default_max_parallel_requests is for rows without their own", () => {
    const read = readForeign(
      `model_list:\n${row("")}${row("max_parallel_requests: 2").replace("sk-1", "sk-2")}router_settings: { default_max_parallel_requests: 7 }\n`,
    );
    expect(routeOf(read, "m").targets.map(({ limits }) => limits?.concurrency)).toEqual([7, 2]);
  });

  test("disable_cooldowns rests nothing for failures", () => {
    const read = settled("router_settings", "{ disable_cooldowns: true }");
    expect(read.draft.providers[0]?.cooldown).toEqual({ threshold: Infinity });
    expect(settled("router_settings", "{ cooldown_time: 0 }").draft.providers[0]?.cooldown).toEqual({
      threshold: Infinity,
    });
  });

  test("enforce_model_rate_limits is what weir does anyway, which is said without it", () => {
    const limited = `model_list:\n${row("rpm: 5")}`;
    expect(warningsOf(readForeign(limited))).toEqual([
      expect.stringMatching(/^f\.yaml:2:81 model_list\[0\]\.litellm_params\.rpm is kept to/),
    ]);
    const enforced = `${limited}router_settings: { optional_pre_call_checks: [enforce_model_rate_limits] }\n`;
    expect(warningsOf(readForeign(enforced))).toEqual([]);
  });

  test("prompt_caching keeps conversations together", () => {
    const read = settled("router_settings", "{ optional_pre_call_checks: [prompt_caching] }");
    expect(routeOf(read, "m").affinity).toEqual({ kind: "session" });
  });

  test("completion_model stands in where a request names none", () => {
    expect(settled("general_settings", "{ completion_model: m }").draft.modelless).toBe("m");
  });

  test("health_check_interval is for engines", () => {
    const read = readForeign(
      "model_list: [{ model_name: e, litellm_params: { model: hosted_vllm/e, api_base: http://10.0.0.1:8000/v1 } }]\n" +
        "general_settings: { background_health_checks: true, health_check_interval: 20, enable_health_check_routing: true }\n",
    );
    expect(read.draft.providers[0]?.health).toEqual({ intervalMs: 20_000 });
    expect(warningsOf(read)).toHaveLength(1);
  });

  test("master_key may come from LITELLM_MASTER_KEY alone", () => {
    const read = readForeign(`model_list:\n${row("")}`, { env: { LITELLM_MASTER_KEY: "sk-m" } });
    expect(optionOf(read, "access_keys")).toBe("sk-m @ LITELLM_MASTER_KEY");
    expect(optionOf(read, "admin.key")).toBe("sk-m @ LITELLM_MASTER_KEY");
  });
});

describe("a key without meaning here", () => {
  test.each([
    ["litellm_settings", "drop_params", "true"],
    ["litellm_settings", "callbacks", "[otel]"],
    ["litellm_settings", "success_callback", "[langfuse]"],
    ["litellm_settings", "failure_callback", "[sentry]"],
    ["litellm_settings", "cache", "true"],
    ["litellm_settings", "cache_params", "{ type: redis }"],
    ["litellm_settings", "set_verbose", "True"],
    ["litellm_settings", "max_budget", "100"],
    ["litellm_settings", "a_key_of_tomorrow", "1"],
    ["router_settings", "redis_host", "localhost"],
    ["router_settings", "redis_password", "os.environ/NOT_SET"],
    ["router_settings", "client_ttl", "60"],
    ["router_settings", "ignore_invalid_deployments", "true"],
    ["router_settings", "enable_pre_call_checks", "true"],
    ["router_settings", "a_key_of_tomorrow", "x"],
    ["general_settings", "alerting", "[slack]"],
    ["general_settings", "database_url", "postgres://x"],
    ["general_settings", "database_connection_pool_limit", "9"],
    ["general_settings", "spend_report_frequency", "1d"],
    ["general_settings", "store_model_in_db", "true"],
    ["general_settings", "custom_auth", "a.b"],
    ["general_settings", "a_key_of_tomorrow", "x"],
  ])("%s.%s warns once, with its place", (section, key, value) => {
    const read = settled(section, `{ ${key}: ${value} }`);
    expect(read.problems).toEqual([]);
    expect(warningsOf(read)).toEqual([
      expect.stringMatching(new RegExp(`^f\\.yaml:3:\\d+ ${section}\\.${key} is `)),
    ]);
  });

  test.each(["temperature: 0.5", "max_retries: 3", "drop_params: true", "max_budget: 5"])(
    "the parameter %s warns once, however many rows have it",
    (params) => {
      const rows = [1, 2, 3].map((number) => row(params).replace("sk-1", `sk-${number}`)).join("");
      const read = readForeign(`model_list:\n${rows}`);
      expect(read.problems).toEqual([]);
      expect(warningsOf(read)).toHaveLength(1);
      expect(warningsOf(read)[0]).toStartWith("f.yaml:2:76 model_list[0].litellm_params.");
    },
  );

  test("a whole section without meaning warns once", () => {
    expect(warningsOf(settled("guardrails", "[{ guardrail_name: x }]"))).toHaveLength(1);
    expect(warningsOf(settled("some_section", "{ a: 1 }"))).toHaveLength(1);
  });

  test("asks for nothing when it is off, and then nothing is said", () => {
    expect(
      warningsOf(settled("litellm_settings", "{ drop_params: false, cache: null, callbacks: [] }")),
    ).toEqual([]);
  });
});

describe("a row that weir cannot serve", () => {
  test.each([
    ["bedrock/anthropic.claude-3", "needs requests translated"],
    ["vertex_ai/gemini-2.5-pro", "needs requests translated"],
    ["sagemaker/x", "needs requests translated"],
    ["cohere/command-r", "needs requests translated"],
    ["azure/my-deployment", "api_base beside azure-openai"],
    ["hosted_vllm/llama", "api_base beside vllm"],
    ["lm_studio/x", "api_base beside it"],
    ["no-such-provider/x", "provider/model with one of openai"],
    ["my-own-model", "provider/model with one of openai"],
    ["*", "provider/model with one of openai"],
  ])("%s is refused where it stands", (model, expected) => {
    const read = readForeign(
      `model_list:\n  - model_name: m\n    litellm_params:\n      model: "${model}"\n      api_key: sk-1\n`,
    );
    expect(read.problems).toEqual([expect.stringContaining(expected)]);
    expect(read.problems[0]).toStartWith("cannot read f.yaml:4:14 model_list[0].litellm_params.model: ");
    expect(read.draft.routes).toEqual([]);
  });

  test("for tokens of an identity service is refused", () => {
    const read = rowed("azure_ad_token: x");
    expect(read.problems).toEqual([expect.stringContaining("api_key in its place")]);
  });

  test("without model_name, litellm_params or model is told", () => {
    for (const text of [
      "{ litellm_params: { model: openai/x } }",
      "{ model_name: m }",
      "{ model_name: m, litellm_params: { api_key: k } }",
    ])
      expect(readForeign(`model_list: [${text}]`).problems).toHaveLength(1);
  });
});

describe("a reference", () => {
  test.each(["os.environ/KEY", "${KEY}"])("%s is replaced by the variable", (reference) => {
    const text = `model_list:\n${row("").replace("sk-1", `"${reference}"`)}`;
    expect(providersOf(readForeign(text, { env: { KEY: "sk-from-env" } }))).toEqual([
      "openai (openai): sk-from-env*1",
    ]);
    const unset = readForeign(text);
    expect(unset.problems).toEqual([
      expect.stringMatching(/f\.yaml:2:70 model_list\[0\]\.litellm_params\.api_key.*KEY/),
    ]);
  });

  test("os.environ/ counts at the start of a value alone", () => {
    expect(sent("extra_headers: { A: see-os.environ/KEY }")).toBe("see-os.environ/KEY");
  });

  test("may be to a variable that the file itself sets", () => {
    const text = `environment_variables: { KEY: sk-own }\nmodel_list:\n${row("").replace("sk-1", "os.environ/KEY")}`;
    expect(providersOf(readForeign(text, { env: { KEY: "sk-env" } }))).toEqual(["openai (openai): sk-own*1"]);
  });

  test("to a credential of credential_list gives the row its key and address", () => {
    const text =
      "credential_list: [{ credential_name: c, credential_values: { api_key: sk-c, api_base: https://c.example/v1 } }]\n" +
      "model_list: [{ model_name: m, litellm_params: { model: openai/x, litellm_credential_name: c } }]\n";
    expect(providersOf(readForeign(text))).toEqual([
      "openai-c.example (openai https://c.example/v1): sk-c*1",
    ]);
  });

  test("to a file adds its rows, and what it says of other sections stands in place of ours", () => {
    const read = readForeign(
      `include: [more.yaml]\nmodel_list:\n${row("")}router_settings: { num_retries: 1 }\n`,
      {
        file: "dir/f.yaml",
        files: {
          "dir/more.yaml": `model_list:\n${row("").replace("sk-1", "sk-2")}router_settings: { num_retries: 7 }\n`,
        },
      },
    );
    expect(targetsOf(read, "m")).toEqual(["openai sk-1 gpt-x", "openai sk-2 gpt-x"]);
    expect(optionOf(read, "retry.max")).toBe("7 @ dir/more.yaml:3:33 router_settings.num_retries");
    expect(read.watched).toEqual(["dir/more.yaml"]);
  });

  test("to files in a circle ends", () => {
    const read = readForeign("include: [a.yaml]\nmodel_list: []\n", {
      files: { "a.yaml": "include: [f.yaml, a.yaml]\n" },
    });
    expect(read.problems).toEqual([]);
  });

  test("to a file that is not there is a problem", () => {
    expect(readForeign("include: [gone.yaml]\nmodel_list: []\n").problems).toEqual([
      'cannot read f.yaml:1:11 include[0]: expected a readable file, found "gone.yaml" (no such file)',
    ]);
  });
});
