import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Secret } from "../../src/core/credential.ts";
import type { Affinity } from "../../src/core/pool-spec.ts";
import type { DraftKey, DraftProvider } from "../../src/config/draft.ts";
import { draftOf, type OwnSetting, problemsOf, readOwn } from "./own-format.ts";

const SAMPLE = readFileSync(join(import.meta.dir, "../fixtures/own-format.yaml"), "utf8");
const WEBHOOK_URL = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k";
const SAMPLE_SETTING: OwnSetting = {
  env: {
    TEAM_TOKEN: "team-token-1",
    OPENAI_API_KEYS: "sk-a, sk-b*2",
    BIG_KEY: "sk-big",
    AZURE_KEY: "az-1",
    WECOM_URL: WEBHOOK_URL,
  },
  files: { "/run/secrets/openai": "# ours\nsk-f1\nsk-f2*4\n" },
};

const secretOf = ({ secret, weight }: DraftKey) => `${secret.reveal()}*${weight}`;
const keysOf = ({ keys }: DraftProvider) => keys.map(secretOf);
const providerOf = (text: string, setting?: OwnSetting): DraftProvider => {
  const [provider] = draftOf(text, setting).providers;
  if (provider === undefined) throw new Error("no provider");
  return provider;
};

describe("the whole own format", () => {
  const draft = draftOf(SAMPLE, SAMPLE_SETTING);
  const option = (key: string) => [...draft.options].find(([each]) => each === key)?.[1];

  test("gives every option as its text, with its place", () => {
    expect(option("server.port")).toEqual({ text: "8080", where: "weir.yaml:2:34 server.port" });
    expect(option("server.open")).toMatchObject({ text: "false" });
    expect(option("server.allowed_hosts")).toMatchObject({ text: "" });
    expect(option("access_keys")).toEqual({ text: "team-token-1", where: "weir.yaml:3:14 access_keys" });
    expect(option("admin.key")).toMatchObject({ text: "" });
    expect(option("admin.state_file")).toMatchObject({ text: "./upstreams.json" });
    expect(option("retry.budget")).toMatchObject({ text: "20%" });
    expect(option("timeouts.total")).toMatchObject({ text: "3600s" });
    expect(option("buffers.request")).toMatchObject({ text: "32MiB" });
    expect(option("default_fallbacks")).toMatchObject({ text: "" });
    expect(option("dashboard.enabled")).toMatchObject({ text: "true" });
    expect(option("webhooks")).toBeUndefined();
    expect(draft.options.size).toBe(42);
  });

  test("gives a known provider its keys, with what is said of each", () => {
    const [openai] = draft.providers;
    expect(openai).toMatchObject({
      name: "openai",
      base: { name: "openai", origin: "https://api.openai.com" },
      addresses: [],
      limits: { requestsPerMinute: 60, tokensPerMinute: 100_000, requestsPerDay: 10_000, concurrency: 20 },
      quotaGroup: "org-a",
      isOffered: true,
    });
    expect(keysOf(openai!)).toEqual(["sk-a*1", "sk-b*2", "sk-big*3", "sk-f1*1", "sk-f2*4"]);
    expect(openai!.keys[2]).toMatchObject({ limits: { requestsPerMinute: 500 }, models: ["gpt-4*"] });
  });

  test("gives Azure its version, and engines their addresses and probes", () => {
    const [, azure, gpu] = draft.providers;
    expect(azure).toMatchObject({
      name: "azure-eu",
      base: { name: "azure-openai" },
      addresses: [{ origin: "https://x.openai.azure.com", path: "", weight: 1 }],
      azureVersion: { kind: "dated", query: "api-version=2024-10-21" },
    });
    expect(keysOf(azure!)).toEqual(["az-1*1"]);
    expect(gpu).toMatchObject({
      name: "gpu",
      base: { name: "vllm", kind: "engine" },
      addresses: [
        { origin: "http://10.0.0.1:8000", path: "/v1", weight: 1 },
        { origin: "http://10.0.0.2:8000", path: "/v1", weight: 2 },
      ],
      keys: [],
      limits: { concurrency: 256 },
      health: {
        intervalMs: 30_000,
        fastIntervalMs: 5000,
        timeoutMs: 10_000,
        threshold: 3,
        metricsIntervalMs: 3000,
      },
    });
  });

  test("gives routes their targets, and aliases what they stand for", () => {
    const [gpt, qwen] = draft.routes;
    expect(gpt).toMatchObject({
      name: "gpt-4o",
      strategy: { text: "smooth-weighted-round-robin", where: "weir.yaml:25:15 routes.gpt-4o.strategy" },
      targets: [
        { provider: "openai" },
        { provider: "azure-eu", model: "my-gpt4o-deployment", weight: 1, priority: 2 },
      ],
      timeouts: { streamFirstByteMs: 60_000 },
    });
    expect(gpt!.targets[0]).not.toHaveProperty("weight");
    expect(qwen).toMatchObject({
      name: "qwen/*",
      targets: [{ provider: "gpu" }],
      affinity: { kind: "session" },
    });
    expect(draft.aliases).toMatchObject([{ name: "chat", spec: { model: "gpt-4o", hidden: true } }]);
    expect(draft.fallbacks).toMatchObject([{ kind: "general", model: "gpt-4o", models: ["qwen/qwen3-32b"] }]);
  });

  test("gives webhooks with their times", () => {
    const [webhook] = draft.webhooks ?? [];
    expect(webhook).toMatchObject({
      format: "wecom",
      events: ["failure", "recovery", "key", "reload"],
      batchMs: 60_000,
      cooldownMs: 300_000,
      reportMs: 3_600_000,
    });
    expect(webhook?.url.reveal()).toBe(WEBHOOK_URL);
  });

  test("has its key file watched", () => {
    expect(readOwn(SAMPLE, SAMPLE_SETTING)).toMatchObject({
      watched: ["/run/secrets/openai"],
      warnings: [],
    });
  });

  test("reads JSON as it reads YAML", () => {
    const json = JSON.stringify({
      $schema: "./s.json",
      providers: { groq: { api_key: "g" } },
      server: { port: 1 },
    });
    expect(draftOf(json)).toMatchObject({ providers: [{ name: "groq" }] });
  });

  test("takes a section whose keys are all comments for an empty one", () => {
    expect(draftOf("server:\n  # port: 1\nproviders:\nroutes:\nfallbacks:\n")).toMatchObject({
      providers: [],
      routes: [],
    });
  });
});

const MISTAKES = `server:
  port: 70000
  hots: localhost
log: { max_age: 7 }
providers:
  openai:
    api_key: "\${NOT_SET}"
    limits: { rpm: -1 }
  gpu:
    type: vlm
    base_url: 10.0.0.1:8000
  nameless:
    api_key: x
routes:
  gpt-4o:
    strategy: least-usd
    targets: openai
retry: 3
server: {}
`;

test("a file with a dozen mistakes has a dozen problems, in their order, each at its line and column", () => {
  expect(problemsOf(MISTAKES)).toEqual([
    '2:9 server.port: expected 0 to 65535, found "70000"',
    '3:3 server.hots: expected a known key (did you mean host?), found "hots"',
    '4:17 log.max_age: expected a duration with its unit (ms, s, m, h, d), such as 90s, found "7"',
    "7:14 providers.openai.api_key: expected a value for NOT_SET in the environment, or a default such as ${NOT_SET:-default}, found it unset",
    '8:20 providers.openai.limits.rpm: expected 1 to 1000000000000, found "-1"',
    expect.stringMatching(
      /^10:11 providers\.gpu\.type: expected one of openai, .* \(did you mean vllm\?\), found "vlm"$/,
    ),
    '11:15 providers.gpu.base_url: expected a URL that begins with http:// or https://, found "10.0.0.1:8000"',
    '12:3 providers.nameless: expected a type in it, or the name of a known provider, found "nameless"',
    expect.stringMatching(
      /^16:15 routes\.gpt-4o\.strategy: expected a strategy: .* \(did you mean least-used\?\), found "least-usd"$/,
    ),
    '17:14 routes.gpt-4o.targets: expected a list of targets, found "openai"',
    '18:8 retry: expected a map with keys such as max, budget, backoff, found "3"',
    '19:1 server: expected every key once (it stands in line 1 too), found "server"',
  ]);
});

describe("what is wrong in the own format", () => {
  const one = (text: string, setting?: OwnSetting) => {
    const problems = problemsOf(text, setting);
    expect(problems).toHaveLength(1);
    return problems[0];
  };

  test.each([
    ["[]", "1:1: expected keys such as providers, routes, server, found a list"],
    ["weir", '1:1: expected keys such as providers, routes, server, found "weir"'],
    ["provider: {}", '1:1 provider: expected a known key (did you mean providers?), found "provider"'],
    ["server: { port: '8080' }", '1:17 server.port: expected a number, without quotes, found "8080"'],
    ["server: { port: 08080 }", '1:17 server.port: expected a number without a leading zero, found "08080"'],
    ["server: { port: 1e3 }", '1:17 server.port: expected 0 to 65535, found "1e3"'],
    ["server: { port: 8080.5 }", '1:17 server.port: expected 0 to 65535, found "8080.5"'],
    ["server: { port: }", "1:17 server.port: expected a number, found nothing"],
    ["server: { port: [1] }", "1:17 server.port: expected a number, found a list"],
    ["server: { open: on }", '1:17 server.open: expected true or false, found "on"'],
    ["server: { open: 1 }", '1:17 server.open: expected true or false, found "1"'],
    [
      "server: { host: true }",
      "1:17 server.host: expected a text (true and false are a switch; quotes make them text), found true",
    ],
    ["server: { allowed_hosts: [a, {b: 1}] }", "1:30 server.allowed_hosts[1]: expected a text, found a map"],
    [
      "server: { allowed_hosts: [ok, 'a b'] }",
      '1:31 server.allowed_hosts[1]: expected a host name, and a port if it matters, found "a b"',
    ],
    [
      "timeouts: { idle: 30 }",
      '1:19 timeouts.idle: expected a duration with its unit (ms, s, m, h, d), such as 90s, found "30"',
    ],
    ["timeouts: { idle: 0s }", '1:19 timeouts.idle: expected a duration from 1ms to 24d, found "0s"'],
    [
      "buffers: { request: 32 }",
      '1:21 buffers.request: expected a size with its unit (B, KB, MB, GB, KiB, MiB, GiB), such as 32MiB, found "32"',
    ],
    ["retry: { budget: 0.2 }", '1:18 retry.budget: expected 0% to 100%, with the sign, found "0.2"'],
    [
      "log: { level: inf }",
      '1:15 log.level: expected one of debug, info, warn, error (did you mean info?), found "inf"',
    ],
    [
      "access_keys: ['a b']",
      "1:15 access_keys[0]: expected a token without blanks, in plain ASCII, found ***",
    ],
    ["access_keys: ['']", "1:15 access_keys[0]: expected a value (an empty list is []), found nothing"],
    ["access_keys:", "1:13 access_keys: expected a list, found nothing"],
    [
      "access_keys: ['$TEAM']",
      "1:15 access_keys[0]: expected braces around the name of a variable: ${NAME}, found ***",
    ],
    [
      "admin: { key: os.environ/ADMIN }",
      "1:15 admin.key: expected braces around the name of a variable: ${NAME}, found ***",
    ],
    [
      "providers: { openai: { api_key: os.environ/OPENAI_API_KEY } }",
      "1:33 providers.openai.api_key: expected braces around the name of a variable: ${NAME}, found ***",
    ],
    [
      "providers: { openai: { api_key: k, limits: { tpm: 80_000 } } }",
      '1:51 providers.openai.limits.tpm: expected a number in digits alone, found "80_000"',
    ],
    ["port: 80", '1:1 port: expected server.port or dashboard.port in its place, found "port"'],
    ["openai: { api_key: k }", '1:1 openai: expected providers.openai in its place, found "openai"'],
    [
      "providers: { openai: { api_key: k, rpm: 60 } }",
      '1:36 providers.openai.rpm: expected limits.rpm in its place, found "rpm"',
    ],
    ["default_fallbacks: { a: b }", "1:20 default_fallbacks: expected a list, found a map"],
  ])("%s is told as %s", (text, problem) => {
    expect(one(text)).toBe(problem);
  });

  test.each([
    [
      "OpenAI: { api_key: k }, openai: { api_key: k }",
      "a name of its own (line 1 has it too, case does not matter)",
    ],
    [
      "a/b: { type: openai, api_key: k }",
      "a name of letters, digits, dots, - and _ that begins with a letter",
    ],
    ["openai: {}", "api_key, api_keys or api_keys_file in it"],
    ["openai: { api_keys: [] }", "at least one key in its list"],
    ["openai: { api_key: }", "a text"],
    ["openai: { api_keys: {} }", 'the key "key" in it'],
    ["openai: { api_key: k, api_kez: k }", "a known key (did you mean api_key?)"],
    ["openai: { api_key: 'a b' }", "a key without blanks in it"],
    ["openai: { api_key: $KEY }", "braces around the name of a variable: ${NAME}"],
    ["openai: { api_key: k*x }", "a weight of 0 or more after the star"],
    ["openai: { api_key: true }", "a text (true and false are a switch; quotes make them text)"],
    ["openai: { api_keys: [{ weight: 2 }] }", 'the key "key" in it'],
    ["openai: { api_keys: [{ key: k, weight: -1 }] }", "a weight of 0 or more"],
    ["openai: { api_keys: [{ key: k, weight: '2' }] }", "a weight of 0 or more"],
    ["openai: { api_keys: [{ key: k, wieght: 2 }] }", "a known key (did you mean weight?)"],
    ["openai: { api_keys_file: /none }", "a readable file"],
    ["openai: { api_key: k, api_version: v1 }", "no api_version here: only azure has one"],
    [
      "openai: { api_key: k, health_check: {} }",
      "no health_check here: only engines (vllm, sglang, ollama, llamacpp) have one",
    ],
    ["openai: { api_key: k, base_url: 'https://u:p@h' }", "a URL without user and password"],
    [
      "openai: { api_key: k, base_url: 'https://h/v1/chat/completions' }",
      "the base, without /chat/completions, which weir adds",
    ],
    ["openai: { api_key: k, limits: { rpm: 0 } }", "1 to 1000000000000"],
    ["openai: { api_key: k, limits: { rmp: 1 } }", "a known key (did you mean rpm?)"],
    ["openai: { api_key: k, terminal_event: none }", "one of required, optional"],
    ["openai: { api_key: k, headers: { host: a } }", "a header that is not the connection's own"],
    ["openai: { api_key: k, headers: { 'a b': c } }", "the name of a header"],
    ['openai: { api_key: k, headers: { a: "b\\nc" } }', "one line of plain characters (Latin-1)"],
    ["azure: { api_key: k }", "base_url or base_urls in it: azure-openai has no address of its own"],
    ["azure: { base_url: 'https://x.test' }", "api_key, api_keys or api_keys_file in it"],
    [
      "azure: { base_url: 'https://x.test', api_key: k, api_version: 2024 }",
      "a dated version such as 2024-10-21, or v1",
    ],
    ["vllm: {}", "base_url or base_urls in it: vllm has no address of its own"],
    ["vllm: { base_urls: [{ weight: 2 }] }", 'the key "url" in it'],
    [
      "vllm: { base_url: 'http://h', health_check: { interval: 30 } }",
      "a duration with its unit (ms, s, m, h, d), such as 90s",
    ],
    ["vllm: { base_url: 'http://h', health_check: { threshold: 0 } }", "1 to 1000"],
    ["mistrall: { api_key: k }", "a type in it, or the name of a known provider (did you mean mistral?)"],
  ])("the provider %s is told as: expected %s", (provider, expected) => {
    expect(one(`providers: { ${provider} }`)).toContain(`: expected ${expected}`);
  });

  test.each([
    ["r: {}", "targets or alias in it"],
    ["r: { targets: [] }", "at least one of targets in the list"],
    ["r: { targets: [{ model: m }] }", 'the key "provider" in it'],
    ["r: { targets: [{ provider: a, priority: 1.5 }] }", "0 to 1000000"],
    ["r: { targets: [{ provider: a, price: { input: 1 } }] }", 'the key "output" in it'],
    ["r: { targets: [{ provider: a, price: { input: -1, output: 1 } }] }", "a price of 0 or more"],
    [
      "r: { targets: [a], affinity: sesion }",
      "none, session, account or header:NAME (did you mean session?)",
    ],
    ["r: { targets: [a], affinity: 'header:' }", "none, session, account or header:NAME"],
    ["r: { targets: [a], timeouts: { ilde: 1s } }", "a known key (did you mean idle?)"],
    ["r: { targets: [a], hidden: maybe }", "true or false"],
    ["r: { alias: a, targets: [b] }", "no targets beside alias: the model it names has them"],
    ["r: { alias: a, strategy: random }", "no strategy beside alias: the model it names has them"],
    ["r: a", "a map with keys such as targets, strategy, affinity"],
  ])("the route %s is told as: expected %s", (route, expected) => {
    expect(one(`routes: { ${route} }`)).toContain(`: expected ${expected}`);
  });

  test.each([
    ["[{ format: slack }]", 'the key "url" in it'],
    ["[{ url: 'ftp://h' }]", "an http:// or https:// URL without user and password"],
    ["[{ url: 'https://h', events: [faliure] }]", "(did you mean failure?)"],
    ["[{ url: 'https://h', batch: 60 }]", "a duration with its unit (ms, s, m, h, d), such as 90s"],
    ["https://h", "a list of webhooks"],
  ])("the webhooks %s are told as: expected %s", (webhooks, expected) => {
    expect(one(`webhooks: ${webhooks}`)).toContain(expected);
  });

  test("is told of an unset variable once, and never of what stands in its place", () => {
    const names = [
      "server: { port: '${X}' }",
      "access_keys: ['${X}']",
      "providers: { openai: { api_key: '${X}' } }",
    ];
    const more = ["routes: { r: { targets: ['${X}'] } }", "webhooks: ['${X}']", "log: { level: '${X}' }"];
    for (const text of [...names, ...more])
      expect(one(text)).toContain("expected a value for X in the environment");
  });

  test("is a key that a variable leaves empty", () => {
    const setting = { env: { X: "", Y: " , " } };
    const found = "expected a key, found nothing";
    expect(one("providers: { openai: { api_key: '${X}' } }", setting)).toContain(found);
    expect(one("providers: { openai: { api_keys: ['${Z:-}', k] } }", setting)).toContain(found);
    expect(one("providers: { openai: { api_keys: [{ key: '${Y}' }] } }", setting)).toContain(
      "expected a key",
    );
    expect(one("access_keys: ['${X}']", setting)).toContain("expected a value");
  });

  test("in one provider hides nothing of the others, nor makes references to it wrong", () => {
    const { draft, problems } = readOwn(
      "providers: { a: { type: nope }, openai: { api_key: k, limits: 3 } }\nroutes: { r: { targets: [a, openai] } }",
    );
    expect(problems).toHaveLength(2);
    expect(draft?.providers.map(({ name }) => name)).toEqual(["a", "openai"]);
    expect(draft?.routes).toHaveLength(1);
  });

  test("is told at most a hundred times", () => {
    const lines = Array.from({ length: 2000 }, (_, at) => `  key${at}: 1`);
    expect(problemsOf(`server:\n${lines.join("\n")}`)).toHaveLength(100);
  });
});

describe("keys in the own format", () => {
  const keys = (text: string, setting?: OwnSetting) =>
    keysOf(providerOf(`providers: { openai: { ${text} } }`, setting));

  test.each([
    ["api_key: k", ["k*1"]],
    ["api_keys: k", ["k*1"]],
    ["api_key: 0123456", ["0123456*1"]],
    ["api_key: 1e5", ["1e5*1"]],
    ["api_key: 0x1F", ["0x1F*1"]],
    ["api_key: 123456789012345678901234567890", ["123456789012345678901234567890*1"]],
    ["api_keys: [a, b]", ["a*1", "b*1"]],
    ["api_keys: 'a, b*2,,a'", ["a*1", "b*2"]],
    ["api_keys: { key: a, weight: 2 }", ["a*2"]],
    ["api_keys: [{ key: 'a,b*2', weight: 3 }]", ["a*3", "b*6"]],
    ["api_keys: [{ key: a, weight: 0.5 }, { key: b, weight: 0 }]", ["a*0.5", "b*0"]],
    ["api_key: a, api_keys: [b]", ["a*1", "b*1"]],
    ["api_key: ' a '", ["a*1"]],
    ["api_key: no", ["no*1"]],
  ])("%s are read", (text, expected) => {
    expect(keys(text)).toEqual(expected);
  });

  test("may come with their weight from variables", () => {
    const setting = { env: { POOL: "a,b*3", W: "2" } };
    expect(keys("api_keys: [{ key: '${POOL}', weight: '${W}' }]", setting)).toEqual(["a*2", "b*6"]);
  });

  test("count once, and the second place is said", () => {
    const { draft, warnings } = readOwn(
      "providers:\n  openai:\n    api_keys:\n      - a\n      - { key: a, weight: 5 }\n",
    );
    expect(draft?.providers.flatMap(keysOf)).toEqual(["a*1"]);
    expect(warnings).toEqual([
      "weir.yaml:5:9 providers.openai.api_keys[1] holds a key that stands at weir.yaml:4:9 providers.openai.api_keys[0] already; what is said here of it is ignored",
    ]);
  });
});

describe("a provider in the own format", () => {
  test("of a known name takes its row, whatever the spelling", () => {
    expect(
      providerOf("providers: { Azure_OpenAI: { api_key: k, base_url: 'https://x.test' } }"),
    ).toMatchObject({
      name: "azure_openai",
      base: { name: "azure-openai" },
      azureVersion: { kind: "v1" },
    });
  });

  test("of another name takes the row of its type, and the names of its models only at the provider's own address", () => {
    const own = providerOf("providers: { second: { type: openai, api_key: k } }");
    expect(own.base.owns).toContain("gpt-*");
    const elsewhere = providerOf("providers: { second: { type: openai, base_url: 'http://h' } }");
    expect(elsewhere.base).toMatchObject({ main: "openai", owns: [] });
    expect(elsewhere.keys).toEqual([]);
  });

  test("has the type that is written, also under a known name", () => {
    expect(providerOf("providers: { openai: { type: vllm, base_url: 'http://h' } }").base.name).toBe("vllm");
  });

  test("has each address once, and weights from both spellings", () => {
    const text =
      "providers: { vllm: { base_urls: ['http://a:1*2', { url: 'http://b', weight: 0.5 }, 'http://a:1/'] } }";
    expect(providerOf(text).addresses.map(({ origin, weight }) => [origin, weight])).toEqual([
      ["http://a:1", 2],
      ["http://b", 0.5],
    ]);
  });

  test("has its headers by their names in lower case", () => {
    const text = "providers: { openai: { api_key: k, headers: { User-Agent: search, x-title: 1 } } }";
    expect(providerOf(text).headers).toEqual({ "user-agent": "search", "x-title": "1" });
  });

  test("has headers that may let somebody in as secrets", () => {
    const text = "providers: { openai: { api_key: k, headers: { X-Gateway: Bearer canary-77 } } }";
    const header = providerOf(text).headers?.["x-gateway"];
    expect(Bun.inspect(header)).toBe("***");
    expect(header instanceof Secret && header.reveal()).toBe("Bearer canary-77");
  });

  test("that leaves out the last event says so", () => {
    const text = "providers: { openai: { api_key: k, terminal_event: Optional } }";
    expect(providerOf(text).terminalEvent).toBe("optional");
  });

  test("of Anthropic's protocol without a version in its path is warned of", () => {
    const { warnings } = readOwn(
      "providers: { anthropic: { api_key: k, base_url: 'https://gw.test/anthropic' } }",
    );
    expect(warnings[0]).toContain("write https://gw.test/anthropic/v1 if that is meant");
  });
});

test("a target's price is for a million tokens", () => {
  const [route] = draftOf(
    "routes: { r: { targets: [{ provider: P, price: { input: 2.5, output: 10 } }] } }",
  ).routes;
  expect(route?.targets).toMatchObject([
    { provider: "p", price: { inputPerToken: 0.000_002_5, outputPerToken: 0.000_01 } },
  ]);
});

test.each<[string, Affinity | undefined]>([
  ["header:X-User", { kind: "header", name: "x-user" }],
  ["Session", { kind: "session" }],
  ["account", { kind: "account" }],
  ["none", undefined],
])("the affinity %s is read", (text, affinity) => {
  const [route] = draftOf(`routes: { r: { targets: [p], affinity: "${text}" } }`).routes;
  expect(route?.affinity).toEqual(affinity);
});
