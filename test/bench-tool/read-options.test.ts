import { describe, expect, test } from "bun:test";
import { headersOf } from "../../src/bench/headers.ts";
import { benchHelp, BENCH_OPTIONS } from "../../src/bench/options.ts";
import { type BenchRequest, readOptions } from "../../src/bench/read-options.ts";

function read(args: readonly string[], env: Readonly<Record<string, string>> = {}): BenchRequest {
  const found = readOptions(args, env);
  if (found.kind !== "request") throw new Error(JSON.stringify(found));
  return found.request;
}

function problemsOf(args: readonly string[], env: Readonly<Record<string, string>> = {}): readonly string[] {
  const found = readOptions(args, env);
  return found.kind === "problems" ? found.problems : [];
}

const URL_ARGS = ["--url", "http://127.0.0.1:8080"] as const;
const planOf = (...args: readonly string[]) => read([...URL_ARGS, ...args]).plan;

describe("the flags of LLMRouter's script", () => {
  test("mean what they mean there, long and short", () => {
    const expected = {
      url: "http://localhost:8000/v1/chat/completions",
      load: { kind: "closed", concurrency: 4096, rampUpMs: 4096 },
      workers: 4,
      calls: 100_000,
      durationMs: 60_000,
      timeoutMs: 600_000,
      models: [{ model: "Qwen3-235B-A22B-Instruct-2507-FP8", weight: 1 }],
    };
    const model = "Qwen3-235B-A22B-Instruct-2507-FP8";
    const short = [
      "-u",
      "http://localhost:8000",
      "-c",
      "4096",
      "-w",
      "4",
      "-n",
      "100000",
      "-d",
      "60",
      "-t",
      "600",
      "-m",
      model,
    ];
    const long = [
      "--url",
      "http://localhost:8000",
      "--concurrency",
      "4096",
      "--workers",
      "4",
      "--requests",
      "100000",
      "--duration",
      "60",
      "--timeout",
      "600",
      "--model",
      model,
    ];
    for (const args of [short, long]) {
      expect(read([...args, "--no-visual"]).plan).toMatchObject(expected);
      expect(read([...args, "--no-visual"]).isVisual).toBe(false);
      expect(read(args).isVisual).toBe(true);
    }
  });

  test("may be written together with their value, and long ones with one dash", () => {
    expect(planOf("-c50", "-w2")).toMatchObject({ load: { concurrency: 50 }, workers: 2 });
    for (const args of [
      ["-concurrency", "50", "--workers=2"],
      ["-concurrency=50", "-w=2"],
    ])
      expect(planOf(...args)).toMatchObject({ load: { concurrency: 50 }, workers: 2 });
  });
});

describe("the plan", () => {
  test("is bounded when nothing is said", () => {
    expect(planOf()).toEqual({
      url: "http://127.0.0.1:8080/v1/chat/completions",
      api: "chat",
      isStream: false,
      models: [],
      apiKeys: [],
      headers: [],
      promptTokens: undefined,
      promptsFile: undefined,
      maxTokens: { kind: "fixed", value: 256 },
      load: { kind: "closed", concurrency: 10, rampUpMs: 10 },
      calls: undefined,
      durationMs: 30_000,
      warmUpMs: 0,
      timeoutMs: 600_000,
      drainMs: 30_000,
      workers: 1,
    });
    expect(planOf("-n", "5").durationMs).toBeUndefined();
  });

  test("of a rate is an open loop", () => {
    expect(planOf("--rate", "12.5").load).toEqual({
      kind: "open",
      perSecond: 12.5,
      arrivals: "poisson",
      mostInFlight: 10_000,
    });
    expect(planOf("--rate", "500", "--arrivals", "even", "-c", "20").load).toEqual({
      kind: "open",
      perSecond: 500,
      arrivals: "even",
      mostInFlight: 20,
    });
  });

  test.each([
    ["http://h:1", "http://h:1/v1/chat/completions", "chat"],
    ["h:1", "http://h:1/v1/chat/completions", "chat"],
    ["http://h:1/v1/", "http://h:1/v1/chat/completions", "chat"],
    ["http://h:1/openai/v1", "http://h:1/openai/v1/chat/completions", "chat"],
    ["http://h:1/v1/chat/completions", "http://h:1/v1/chat/completions", "chat"],
    ["http://h:1/v1/completions", "http://h:1/v1/completions", "completions"],
    ["https://h/v1/messages", "https://h/v1/messages", "messages"],
    ["http://h/v1/responses?x=1", "http://h/v1/responses?x=1", "responses"],
    ["http://h/v1/embeddings", "http://h/v1/embeddings", "embeddings"],
  ])("sends to %s as %s", (url, full, api) => {
    expect(read(["-u", url]).plan).toMatchObject({ url: full, api });
  });

  test("takes the api by name", () => {
    expect(planOf("--api", "messages")).toMatchObject({
      url: "http://127.0.0.1:8080/v1/messages",
      api: "messages",
    });
  });

  test("takes times with units and bare seconds", () => {
    expect(
      planOf("-d", "5m", "--warmup", "500ms", "--drain", "0", "-t", "1.5", "--ramp-up", "2s"),
    ).toMatchObject({
      durationMs: 300_000,
      warmUpMs: 500,
      drainMs: 0,
      timeoutMs: 1500,
      load: { rampUpMs: 2000 },
    });
  });

  test("takes several models with weights and several keys", () => {
    expect(planOf("-m", "a*3,b", "-m", "c*0.5").models).toEqual([
      { model: "a", weight: 3 },
      { model: "b", weight: 1 },
      { model: "c", weight: 0.5 },
    ]);
    expect(planOf("--api-key", "k1,k2", "--api-key", "k3").apiKeys).toEqual(["k1", "k2", "k3"]);
  });

  test("takes keys from the environment, weir's own name first", () => {
    expect(read(URL_ARGS, { OPENAI_API_KEY: "k1" }).plan.apiKeys).toEqual(["k1"]);
    expect(read(URL_ARGS, { OPENAI_API_KEY: "k1", WEIR_API_KEY: "k2, k3" }).plan.apiKeys).toEqual([
      "k2",
      "k3",
    ]);
    expect(read([...URL_ARGS, "--api-key", "k4"], { WEIR_API_KEY: "k2" }).plan.apiKeys).toEqual(["k4"]);
  });

  test("takes the key of the provider whose family is measured, and of no other", () => {
    const args = [...URL_ARGS, "--api", "messages"];
    expect(read(args, { OPENAI_API_KEY: "k1", ANTHROPIC_API_KEY: "k2" }).plan.apiKeys).toEqual(["k2"]);
    expect(read(args, { OPENAI_API_KEY: "k1" }).plan.apiKeys).toEqual([]);
  });

  test("sends the header that was given in place of the environment's key", () => {
    const args = [...URL_ARGS, "--header", "Authorization: Bearer mine"];
    const { plan } = read(args, { OPENAI_API_KEY: "k1" });
    expect(
      headersOf(plan)
        .flat()
        .filter(([name]) => /^authorization$/i.test(name)),
    ).toEqual([["Authorization", "Bearer mine"]]);
  });

  test("takes sizes as numbers, ranges and percentiles", () => {
    expect(planOf("--prompt-tokens", "100-2000", "--max-tokens", "50/400")).toMatchObject({
      promptTokens: { kind: "even", low: 100, high: 2000 },
      maxTokens: { kind: "lognormal", p50: 50, p99: 400 },
    });
  });
});

describe("the command line", () => {
  test.each([
    [[], "cannot find --url"],
    [["-u", "ftp://h"], "cannot read --url"],
    [["-u", "http://user:secret@h"], "cannot read --url"],
    [
      [...URL_ARGS, "-c", "0"],
      'cannot read --concurrency: expected a whole number from 1 to 1000000, found "0"',
    ],
    [
      [...URL_ARGS, "-c", "many"],
      'cannot read --concurrency: expected a whole number from 1 to 1000000, found "many"',
    ],
    [[...URL_ARGS, "-n"], "cannot read --requests: expected a value after it, found nothing"],
    [[...URL_ARGS, "-d", "soon"], "cannot read --duration: expected a time"],
    [[...URL_ARGS, "-d", "0"], "cannot read --duration: expected a time"],
    [[...URL_ARGS, "--rate", "0"], "cannot read --rate"],
    [[...URL_ARGS, "--rate", "5", "--arrivals", "odd"], "cannot read --arrivals"],
    [[...URL_ARGS, "--arrivals", "even"], "cannot use --arrivals without --rate"],
    [[...URL_ARGS, "--rate", "5", "--ramp-up", "1s"], "cannot use --ramp-up with --rate"],
    [
      [...URL_ARGS, "--durations", "5"],
      "cannot read --durations: expected an option of weir bench; did you mean --duration?",
    ],
    [[...URL_ARGS, "--stream=yes"], "cannot read --stream: expected nothing after it"],
    [[...URL_ARGS, "extra"], 'expected no further argument, found "extra"'],
    [[...URL_ARGS, "-m", "a*0"], "cannot read --model"],
    [[...URL_ARGS, "--prompt-tokens", "9-3"], "cannot read --prompt-tokens: expected a number"],
    [[...URL_ARGS, "--api", "rerank"], "cannot read --api: expected one of chat, completions"],
    [[...URL_ARGS, "--api", "embeddings", "--stream"], "cannot use --stream: embeddings has no streams"],
    [[...URL_ARGS, "--prompts", "x", "--prompt-tokens", "5"], "cannot use --prompt-tokens with --prompts"],
    [[...URL_ARGS, "--header", "Content-Length: 5"], "cannot read --header"],
    [[...URL_ARGS, "--header", "authorization: x", "--api-key", "k"], "cannot use --api-key with --header"],
    [[...URL_ARGS, "--header", "a: b\r\nc: d"], "cannot read --header"],
  ])("%j is refused", (args, problem) => {
    const problems = problemsOf(args);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
  });

  test("tells everything that is wrong at once, and never a key", () => {
    const problems = problemsOf(["-c", "x", "-w", "y", "--api-key", "sk-secret key"]);
    expect(problems).toHaveLength(4);
    expect(problems.join("\n")).not.toContain("secret");
  });

  test("asks for help in either way, and the help names every option", () => {
    expect(readOptions(["-h"], {}).kind).toBe("help");
    expect(readOptions(["--help"], {}).kind).toBe("help");
    for (const { name } of BENCH_OPTIONS) expect(benchHelp()).toContain(`--${name}`);
  });
});
