import { rootCertificates } from "node:tls";
import { describe, expect, test } from "bun:test";
import type { Option } from "../../src/config/option.ts";
import { OPTIONS } from "../../src/config/options.ts";
import { defaultOf, resolveOptions } from "../../src/config/resolve-options.ts";
import { configOf, K1, load, loadGood, problemsOf } from "./load-env.ts";

const options: readonly Option[] = OPTIONS;
const isUnique = (names: readonly string[]) => new Set(names).size === names.length;

describe("the table of options", () => {
  test("has every key, variable and flag once", () => {
    expect(isUnique(options.map(({ key }) => key))).toBe(true);
    expect(isUnique(options.flatMap(({ variables }) => variables))).toBe(true);
    expect(isUnique(options.flatMap(({ flag }) => flag?.name ?? []))).toBe(true);
  });

  test("has keys, variables and flags of one form", () => {
    for (const { key, variables, flag } of options) {
      expect(key).toMatch(/^[a-z_]+(\.[a-z_]+)?$/);
      expect(variables.length).toBeGreaterThan(0);
      for (const name of variables) expect(name).toMatch(/^(WEIR_[A-Z_]+|PORT)$/);
      if (flag !== undefined) expect(flag.name).toMatch(/^[a-z-]+$/);
    }
  });

  test.each(options.map((option) => [option.key, option] as const))(
    "%s has a default that it reads itself",
    (_, option) => {
      expect(() => defaultOf(option)).not.toThrow();
    },
  );

  test.each(options.map((option) => [option.key, option] as const))(
    "%s is told in a sentence",
    (_, { sentence }) => {
      expect(sentence).toMatch(/^[A-Z].*\.$/);
    },
  );

  test("names the variables that the contract names", () => {
    const names = Object.fromEntries(options.map(({ key, variables }) => [key, variables.join(" ")]));
    expect(names).toMatchObject({
      "server.host": "WEIR_HOST",
      "server.port": "WEIR_PORT PORT",
      "server.open": "WEIR_OPEN",
      strategy: "WEIR_STRATEGY",
      access_keys: "WEIR_ACCESS_KEYS",
      "admin.key": "WEIR_ADMIN_KEY",
      "log.level": "WEIR_LOG_LEVEL",
      "log.format": "WEIR_LOG_FORMAT",
      "retry.max": "WEIR_RETRY_MAX",
      "timeouts.idle": "WEIR_TIMEOUTS_IDLE",
      "server.allowed_hosts": "WEIR_SERVER_ALLOWED_HOSTS",
    });
    expect(options.flatMap(({ flag }) => flag?.name ?? []).sort()).toEqual([
      "host",
      "log-level",
      "open",
      "port",
      "strategy",
      "trace",
    ]);
  });
});

const say = (text: string, where: string) => (option: Option) =>
  option.key === "server.port" ? { text, where } : undefined;
const silent = () => undefined;
const port = (layers: Parameters<typeof resolveOptions>[0]) => {
  const { values, options: resolved } = resolveOptions(layers);
  return [values["server.port"], resolved.find(({ key }) => key === "server.port")?.origin];
};

describe("precedence", () => {
  test("is flag, environment, file, default; the origin is kept", () => {
    const [flags, env, file] = [say("1", "--port"), say("2", "WEIR_PORT"), say("3", "weir.yaml:3:9")];
    expect(port({ flags, env, file })).toEqual([1, "--port"]);
    expect(port({ flags: silent, env, file })).toEqual([2, "WEIR_PORT"]);
    expect(port({ flags: silent, env: silent, file })).toEqual([3, "weir.yaml:3:9"]);
    expect(port({ flags: silent, env: silent })).toEqual([8080, "default"]);
  });

  test("lets a flag hide a bad variable, and WEIR_PORT a bad PORT", () => {
    const env = { OPENAI_API_KEYS: K1 };
    expect(configOf({ ...env, WEIR_PORT: "x" }, { argv: ["--port", "81"] }).server.port).toBe(81);
    expect(configOf({ ...env, PORT: "x", WEIR_PORT: "82" }).server.port).toBe(82);
    expect(configOf({ ...env, PORT: "83" }).server.port).toBe(83);
    expect(problemsOf({ ...env, PORT: "x" })).toEqual(['cannot read PORT: expected 0 to 65535, found "x"']);
  });

  test("takes a variable that is set to nothing as not set", () => {
    expect(configOf({ OPENAI_API_KEYS: K1, WEIR_PORT: " " }).server.port).toBe(8080);
  });

  test("does not take the WEIR_PORT that Kubernetes makes of a service for ours", () => {
    expect(configOf({ OPENAI_API_KEYS: K1, WEIR_PORT: "tcp://10.0.0.1:8080" }).server.port).toBe(8080);
  });
});

describe("values", () => {
  test("have final types and units", () => {
    const config = configOf({
      OPENAI_API_KEYS: K1,
      WEIR_HOST: "::1",
      WEIR_SERVER_ALLOWED_HOSTS: "gw.test",
      WEIR_SERVER_ALLOWED_ORIGINS: "https://app.test",
      WEIR_SERVER_RESPONSE_HEADERS: "litellm",
      WEIR_ACCESS_KEYS: "team-a, team-b",
      WEIR_ADMIN_KEY: "boss",
      WEIR_LOG_LEVEL: "debug",
      WEIR_LOG_FORMAT: "json",
      WEIR_LOG_DIR: "/var/log/weir",
      WEIR_LOG_MAX_SIZE: "1MB",
      WEIR_LOG_MAX_FILES: "3",
      WEIR_LOG_MAX_AGE: "1h",
      WEIR_TRACE: "trace.jsonl",
      WEIR_RETRY_MAX: "5",
      WEIR_RETRY_BUDGET: "50%",
      WEIR_TIMEOUTS_IDLE: "90s",
      WEIR_BUFFERS_REQUEST: "1MiB",
      WEIR_COOLDOWN_REVOKED: "1h",
      WEIR_SHUTDOWN_GRACE: "0s",
    });
    expect(config.server).toEqual({
      host: "::1",
      port: 8080,
      open: false,
      allowedHosts: ["gw.test"],
      allowedOrigins: ["https://app.test"],
      responseHeaders: "litellm",
    });
    expect(config.accessKeys.map((key) => key.reveal())).toEqual(["team-a", "team-b"]);
    expect(config.adminKey?.reveal()).toBe("boss");
    expect(config.log).toEqual({
      level: "debug",
      format: "json",
      dir: "/var/log/weir",
      maxBytes: 1e6,
      maxFiles: 3,
      maxAgeMs: 3_600_000,
      trace: "trace.jsonl",
    });
    expect(config.retry).toEqual({ max: 5, budget: 0.5, backoffMs: 500, maxBackoffMs: 5000 });
    expect(config.timeouts.idleMs).toBe(90_000);
    expect(config.buffers.requestBytes).toBe(1024 * 1024);
    expect(config.cooldown.revokedMs).toBe(3_600_000);
    expect(config.shutdown).toEqual({ delayMs: 1000, graceMs: 0 });
  });

  test("by default are those of the contract", () => {
    const { pool: _, ...config } = configOf({ OPENAI_API_KEYS: K1 });
    expect(config).toEqual({
      server: {
        host: "127.0.0.1",
        port: 8080,
        open: false,
        allowedHosts: [],
        allowedOrigins: [],
        responseHeaders: "weir",
      },
      accessKeys: [],
      stateFile: "./upstreams.json",
      dashboard: { enabled: true, port: 0, alsoOnServer: false },
      log: {
        level: "info",
        format: "auto",
        dir: "",
        maxBytes: 100 * 1024 ** 2,
        maxFiles: 10,
        maxAgeMs: 604_800_000,
        trace: "",
      },
      webhooks: [],
      retry: { max: 3, budget: 0.2, backoffMs: 500, maxBackoffMs: 5000 },
      cooldown: {
        threshold: 3,
        firstMs: 5000,
        maxMs: 60_000,
        revokedMs: 300_000,
        quotaMs: 3_600_000,
        jitter: 0.2,
      },
      timeouts: {
        connectMs: 10_000,
        firstByteMs: 600_000,
        streamFirstByteMs: 120_000,
        idleMs: 120_000,
        totalMs: 3_600_000,
      },
      queue: { maxWaitMs: 0, maxSize: 1000 },
      fallbacks: { general: new Map(), contextWindow: new Map(), contentPolicy: new Map(), whenNone: [] },
      buffers: { requestBytes: 32 * 1024 ** 2, allRequestsBytes: 256 * 1024 ** 2 },
      upstream: {},
      shutdown: { delayMs: 1000, graceMs: 25_000 },
      warnings: [],
      watched: [],
      files: [],
    });
  });

  test("a strategy is that of every provider's route", () => {
    const { pool } = configOf({ OPENAI_API_KEYS: K1, GROQ_API_KEY: K1, WEIR_STRATEGY: "LEAST_USED" });
    expect(pool.providerRoutes.map(({ name, strategy }) => [name, strategy])).toEqual([
      ["openai", "least-used"],
      ["groq", "least-used"],
    ]);
  });

  test("a body may not be larger than all bodies together", () => {
    expect(problemsOf({ OPENAI_API_KEYS: K1, WEIR_BUFFERS_REQUEST: "512MiB" })[0]).toStartWith(
      "cannot read WEIR_BUFFERS_REQUEST: expected at most buffers.all_requests",
    );
  });
});

describe("a public address", () => {
  const env = { OPENAI_API_KEYS: K1, WEIR_HOST: "0.0.0.0" };

  test("without access keys is refused, and the text says what to do", () => {
    const [problem = ""] = problemsOf(env);
    for (const part of ["WEIR_HOST", "0.0.0.0", "WEIR_ACCESS_KEYS", "--open", "WEIR_OPEN=1"])
      expect(problem).toContain(part);
    expect(load({ OPENAI_API_KEYS: K1 }, { argv: ["--host", "10.0.0.1"] })).toMatchObject({
      kind: "problems",
      problems: [{ kind: "configuration", where: "--host" }],
    });
  });

  test("is fine with access keys, or when it is meant to be open", () => {
    expect(problemsOf({ ...env, WEIR_ACCESS_KEYS: "team" })).toEqual([]);
    expect(problemsOf({ ...env, WEIR_OPEN: "1" })).toEqual([]);
    expect(problemsOf(env, { argv: ["--open"] })).toEqual([]);
    for (const host of ["localhost", "127.9.9.9", "::1", "[::1]"])
      expect(problemsOf({ ...env, WEIR_HOST: host })).toEqual([]);
  });
});

test("a company's certificate authorities are read from their file, which is watched", () => {
  const [first = "", second = ""] = rootCertificates;
  const pem = `# ours\n${first}\n${second}\n`;
  const env = { OPENAI_API_KEYS: K1, WEIR_UPSTREAM_CA_FILE: "corp.pem" };
  const config = configOf(env, { files: { "/etc/weir/corp.pem": pem }, cwd: "/etc/weir" });
  expect(config.upstream).toEqual({ ca: pem });
  expect(config.watched).toEqual(["/etc/weir/corp.pem"]);
  expect(problemsOf(env)).toEqual([
    'cannot read WEIR_UPSTREAM_CA_FILE: expected a readable file, found "corp.pem" (no such file)',
  ]);
  const flawIn = (text: string) => problemsOf(env, { files: { "corp.pem": text } })[0];
  const problem =
    'cannot read WEIR_UPSTREAM_CA_FILE: expected a PEM file of certificates, found "corp.pem", ';
  expect(flawIn("-----BEGIN PRIVATE KEY-----")).toBe(`${problem}which has no BEGIN CERTIFICATE with its END`);
  const broken = first.replace(/\n[^\n]+\n/, "\nAAAA\n");
  expect(flawIn(`${second}\n${broken}`)).toBe(`${problem}whose certificate 2 cannot be read`);
});

test("the resolved view lists every option once, with value and origin", () => {
  const { resolved } = loadGood(
    { OPENAI_API_KEYS: K1, WEIR_ADMIN_KEY: "a-long-admin-token-9876" },
    { argv: ["--port", "0"] },
  );
  expect(resolved.options.map(({ key }) => key)).toEqual(OPTIONS.map(({ key }) => key));
  expect(resolved.options).toContainEqual({ key: "server.port", shown: "0", origin: "--port" });
  expect(resolved.options).toContainEqual({ key: "admin.key", shown: "***9876", origin: "WEIR_ADMIN_KEY" });
  expect(resolved.options).toContainEqual({ key: "timeouts.idle", shown: "120s", origin: "default" });
});
