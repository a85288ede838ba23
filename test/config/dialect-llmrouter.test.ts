import { describe, expect, test } from "bun:test";
import {
  optionOf,
  providersOf,
  readForeign,
  routeOf,
  type Surroundings,
  targetsOf,
} from "./dialect-draft.ts";

const row = (name: string, base: string, params = "") =>
  `  - { model_name: ${name}, litellm_params: { model: openai/x, api_base: "${base}", ${params} } }\n`;

const A = "http://10.0.0.1:8000/v1";
const B = "http://10.0.0.2:8000/v1";

const MAIN = "routing: { strategy: least-waiting }\n";

const main = (files: Readonly<Record<string, string>>, text = MAIN, further: Surroundings = {}) =>
  readForeign(text, { file: "dir/config.yaml", files, ...further });

const list = (...rows: readonly string[]) => `model_list:\n${rows.join("")}`;

describe("LLMRouter's folder", () => {
  test("is beside the main file, and a file's name begins with its source, in any case", () => {
    const read = main({
      "dir/configs/OpenAI-main.yml": list(row("a", "https://api.openai.com/v1", "api_key: sk-1")),
      "dir/configs/self_deployed_1.yaml": list(row("b", A)),
      "dir/configs/SELF_DEPLOYED_2.YAML": list(row("b", B)),
      "dir/configs/notes.txt": "not: read",
    });
    expect(read.problems).toEqual([]);
    expect(read.warnings).toEqual([]);
    expect(providersOf(read)).toEqual(["openai (openai): sk-1*1", `self_deployed (vllm ${B} ${A}): `]);
    expect(read.watched).toEqual([
      "dir/configs/OpenAI-main.yml",
      "dir/configs/SELF_DEPLOYED_2.YAML",
      "dir/configs/self_deployed_1.yaml",
    ]);
  });

  test("has another name when the file says so, and missing it is a problem", () => {
    const text = `${MAIN}backends: { config_dir: nodes }\n`;
    expect(targetsOf(main({ "dir/nodes/openai.yaml": list(row("a", A)) }, text), "a")).toHaveLength(1);
    expect(main({}, text).problems).toEqual([
      'cannot read dir/config.yaml:2:25 backends.config_dir: expected a readable folder of backend files, found "dir/nodes" (no such file)',
    ]);
  });

  test("tells what is wrong with each file at its own place", () => {
    const read = main({
      "dir/configs/openai_a.yaml": "model_list:\n  - model_name: a\n   litellm_params: {}\n",
      "dir/configs/openai_b.yaml": list(row("b", "not a url")),
    });
    expect(read.problems.map((problem) => problem.split(":").slice(0, 2).join(":"))).toEqual([
      "cannot read dir/configs/openai_a.yaml:3",
      "cannot read dir/configs/openai_b.yaml:2",
    ]);
  });

  test("is read of the enabled sources alone, and the flag stands before the file", () => {
    const files = {
      "dir/configs/openai.yaml": list(row("a", A)),
      "dir/configs/self_deployed.yaml": list(row("b", B)),
    };
    const text = `${MAIN}backends: { enabled_sources: [openai] }\n`;
    expect(main(files, text).draft.routes.map(({ name }) => name)).toEqual(["a"]);
    const byFlag = main(files, text, { enabledSources: ["self_deployed", "self_deploy"] });
    expect(byFlag.draft.routes.map(({ name }) => name)).toEqual(["b"]);
    expect(byFlag.warnings).toEqual([expect.stringContaining('"self_deploy" is ignored')]);
  });

  test("warns of files whose names belong to no source, and of sources that nobody has", () => {
    const files = {
      "dir/configs/openai.yaml": list(row("a", A)),
      "dir/configs/azure.yaml": list(row("b", B)),
    };
    const read = main(files, `${MAIN}backends: { enabled_sources: [openai, azure] }\n`);
    expect(read.draft.routes.map(({ name }) => name)).toEqual(["a"]);
    expect(read.warnings).toHaveLength(2);
  });
});

describe("LLMRouter's rows", () => {
  const rows = (...each: readonly string[]) => main({ "dir/configs/openai.yaml": list(...each) });

  test("of one address with different keys are different backends", () => {
    const read = rows(row("a", A, "api_key: sk-1"), row("a", A, "api_key: sk-2"));
    expect(targetsOf(read, "a")).toEqual([
      `openai-10.0.0.1-8000 sk-1 ${A} =*1`,
      `openai-10.0.0.1-8000 sk-2 ${A} =*1`,
    ]);
  });

  test("that stand twice count once, which is said", () => {
    const read = rows(row("a", A, "api_key: sk-1"), row("a", A, "api_key: sk-1, weight: 5"));
    expect(targetsOf(read, "a")).toEqual([`openai-10.0.0.1-8000 sk-1 ${A} =*1`]);
    expect(read.warnings).toHaveLength(1);
  });

  test("of weight 0 are equal when all are, and drained beside others, which is said", () => {
    const all = rows(row("a", A, "weight: 0"), row("a", B, "weight: 0"));
    expect(routeOf(all, "a").targets.map(({ weight }) => weight)).toEqual([0, 0]);
    expect(all.warnings).toEqual([]);
    const one = rows(row("a", A, "weight: 0"), row("a", B, ""));
    expect(routeOf(one, "a").targets.map(({ weight }) => weight)).toEqual([0, 1]);
    expect(one.warnings).toHaveLength(1);
    expect(rows(row("a", A, "weight: -1")).problems).toHaveLength(1);
  });

  test("have no limit with null, and are left out with 0, as nothing could use them", () => {
    const read = rows(
      row("a", A, "rpm_limit: null"),
      row("a", B, "rpm_limit: 0"),
      row("b", B, "rpm_limit: 120"),
    );
    expect(targetsOf(read, "a")).toHaveLength(1);
    expect(routeOf(read, "a").targets[0]?.limits).toBeUndefined();
    expect(routeOf(read, "b").targets[0]?.limits).toEqual({ requestsPerMinute: 120 });
    expect(read.warnings).toHaveLength(1);
  });

  test("send the model as the client wrote it, whatever litellm_params.model says", () => {
    expect(routeOf(rows(row("a", A)), "a").targets[0]).not.toHaveProperty("model");
  });

  test("by themselves are known by source_type and rpm_limit, and go by the row's own source", () => {
    const read = readForeign(
      list(row("a", A, "source_type: self_deployed"), row("b", B, "source_type: openai, api_key: k")),
    );
    expect(read.dialect).toBe("LLMRouter");
    expect(read.draft.providers.map(({ name, base }) => [name, base.kind])).toEqual([
      ["self_deployed", "engine"],
      ["openai-10.0.0.2-8000", "hosted"],
    ]);
    expect(readForeign(list(row("a", A))).dialect).toBe("LiteLLM");
    expect(readForeign(`${list(row("a", A, "rpm_limit: 5"))}litellm_settings: {}\n`).dialect).toBe("LiteLLM");
  });
});

describe("LLMRouter's settings", () => {
  const settings = (text: string, further: Surroundings = {}) =>
    main({ "dir/configs/openai.yaml": list(row("a", A)) }, `${MAIN}${text}`, further);

  test.each([
    ["routing_: {}", "strategy", "least-waiting"],
    ["http_client: { request_timeout: 20 }", "timeouts.total", "20s"],
    ["http_client: { request_timeout: 20 }", "timeouts.first_byte", "20s"],
    ["http_client: { request_timeout: 20 }", "timeouts.stream_first_byte", "20s"],
    ["http_client: { connect_timeout: 3 }", "timeouts.connect", "3s"],
    ["retry: { base_delay_ms: 100 }", "retry.backoff", "100ms"],
    ["retry: { max_delay_ms: 900 }", "retry.max_backoff", "900ms"],
    ["log: { level: debug }", "log.level", "debug"],
    ["log: { dir: logs }", "log.dir", "logs"],
    ["log: { max_size_mb: 5 }", "log.max_size", "5MiB"],
    ["log: { max_backups: 4 }", "log.max_files", "4"],
    ["log: { max_age_days: 2 }", "log.max_age", "2d"],
    ["server: { port: 8000 }", "server.port", "8000"],
    ["dashboard: { web_port: 81 }", "dashboard.port", "81"],
    ["dashboard: { enabled: false }", "dashboard.enabled", "false"],
  ] as const)("%s is the option %s", (text, option, expected) => {
    expect(optionOf(settings(text), option)).toStartWith(`${expected} @ dir/config.yaml:`);
  });

  test("has the defaults of LLMRouter's code", () => {
    const read = main(
      { "dir/configs/openai.yaml": list(row("a", A)) },
      "backends: { config_dir: configs }\n",
    );
    expect(optionOf(read, "strategy")).toStartWith("simple-shuffle @");
    expect(optionOf(read, "retry.max")).toStartWith("3 @");
    expect(optionOf(read, "timeouts.total")).toStartWith("3600s @");
    expect(optionOf(read, "server.host")).toBeUndefined();
  });

  test.each([
    ["http_client: { max_idle_conns: 5 }", 1],
    ["http_client: { max_conns_per_host: 5 }", 1],
    ["http_client: { max_conns_per_host: 0 }", 0],
    ["health_check: { max_concurrency: 5 }", 1],
    ["health_check: { prune_unhealthy_on_start: true }", 1],
    ["health_check: { prune_unhealthy_on_start: false }", 0],
    ["retry: { jitter_factor: 0.2, failure_threshold: 3 }", 2],
    ["dashboard: { refresh_interval: 2 }", 1],
    ["dashbord: { enabled: true }", 1],
    ["log: { leve: info }", 1],
  ])("%s is said %d times", (text, times) => {
    const read = settings(text);
    expect(read.problems).toEqual([]);
    expect(read.warnings).toHaveLength(times);
  });

  test("opens a public address, unless clients must send a token", () => {
    const open = settings("server: { host: 0.0.0.0 }");
    expect(optionOf(open, "server.open")).toBe("true @ dir/config.yaml:2:17 server.host");
    const kept = settings("server: { host: 0.0.0.0 }", { env: { WEIR_ACCESS_KEYS: "t" } });
    expect(optionOf(kept, "server.open")).toBeUndefined();
    expect(kept.warnings).toEqual([]);
    expect(settings("server: { host: 127.0.0.1 }").warnings).toEqual([]);
  });

  test("traces into a file of the folder that LLM_ROUTER_TRACE names", () => {
    expect(optionOf(settings("", { env: { LLM_ROUTER_TRACE: "/tmp/traces/" } }), "trace")).toBe(
      "/tmp/traces/trace.jsonl @ LLM_ROUTER_TRACE",
    );
  });

  test("has a webhook when it is enabled and has a URL, in WeCom's form", () => {
    const hook =
      "webhook: { enabled: true, url: https://hooks.example/k, cooldown_seconds: 1, batch_interval: 2, report_interval_active: 3, report_interval_idle: 4 }";
    const [webhook] = settings(hook).draft.webhooks ?? [];
    expect(webhook).toMatchObject({
      format: "wecom",
      cooldownMs: 1000,
      batchMs: 2000,
      reportMs: 3000,
      reportIdleMs: 4000,
    });
    expect(webhook?.url.reveal()).toBe("https://hooks.example/k");
    expect(settings(hook.replace("enabled: true", "enabled: false")).draft.webhooks).toBeUndefined();
    expect(settings("webhook: { enabled: true, url: nonsense-k1 }").problems).toEqual([
      expect.not.stringContaining("nonsense-k1"),
    ]);
  });
});
