// Reads an engine's `/metrics` page: how many requests wait and run, how full its cache is, how many tokens went through.
// Never throws: what does not parse is stepped over, and a page without a known gauge is no reading.

export type EngineName = "vllm" | "sglang" | "llamacpp" | "unnamed";

export interface EngineReading {
  readonly engine: EngineName;
  readonly waiting: number;
  readonly running: number;
  /** 0 to 1; the mean where several data-parallel engines print theirs. */
  readonly cacheShare?: number;
  /** Counters since the engine's start. */
  readonly promptTokens?: number;
  readonly generationTokens?: number;
}

interface Names {
  readonly engine: EngineName;
  readonly waiting: string;
  readonly running: string;
  /** In order of preference. */
  readonly cache: readonly string[];
  readonly promptTokens: string;
  readonly generationTokens: string;
}

/**
 * Sources: vllm-project/vllm:vllm/v1/metrics/loggers.py (gpu_cache_usage_perc until 0.9, kv_cache_usage_perc since; some
 * releases print both); sgl-project/sglang:python/sglang/srt/metrics/collector.py; ggml-org/llama.cpp:tools/server
 * (with `--metrics`); the plain names are LLMRouter's last resort.
 */
const ENGINES: readonly Names[] = [
  {
    engine: "vllm",
    waiting: "vllm:num_requests_waiting",
    running: "vllm:num_requests_running",
    cache: ["vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"],
    promptTokens: "vllm:prompt_tokens_total",
    generationTokens: "vllm:generation_tokens_total",
  },
  {
    engine: "sglang",
    waiting: "sglang:num_queue_reqs",
    running: "sglang:num_running_reqs",
    cache: ["sglang:token_usage"],
    promptTokens: "sglang:prompt_tokens_total",
    generationTokens: "sglang:generation_tokens_total",
  },
  {
    engine: "llamacpp",
    waiting: "llamacpp:requests_deferred",
    running: "llamacpp:requests_processing",
    cache: ["llamacpp:kv_cache_usage_ratio"],
    promptTokens: "llamacpp:prompt_tokens_total",
    generationTokens: "llamacpp:tokens_predicted_total",
  },
  {
    engine: "unnamed",
    waiting: "num_requests_waiting",
    running: "num_requests_running",
    cache: ["kv_cache_usage_perc", "gpu_cache_usage_perc"],
    promptTokens: "prompt_tokens_total",
    generationTokens: "generation_tokens_total",
  },
];

const WANTED: ReadonlySet<string> = new Set(
  ENGINES.flatMap(({ waiting, running, cache, promptTokens, generationTokens }) => [
    waiting,
    running,
    ...cache,
    promptTokens,
    generationTokens,
  ]),
);

/** A page of vLLM has some hundred kilobytes; beyond these bounds it is not one, and the rest is not read. */
const LONGEST_PAGE = 8 * 1024 * 1024;
const MOST_LINES = 200_000;
const LONGEST_LINE = 16_384;

interface Total {
  readonly sum: number;
  readonly count: number;
}

/** Undefined when the page has no gauge of waiting or running requests. */
export function parseEngineMetrics(page: string): EngineReading | undefined {
  const totals = readTotals(page.length > LONGEST_PAGE ? page.slice(0, LONGEST_PAGE) : page);
  const names = ENGINES.find(({ waiting, running }) => totals.has(waiting) || totals.has(running));
  if (names === undefined) return undefined;
  const sum = (name: string): number | undefined => totals.get(name)?.sum;
  const cache = names.cache.flatMap((name) => totals.get(name) ?? [])[0];
  const promptTokens = sum(names.promptTokens);
  const generationTokens = sum(names.generationTokens);
  return {
    engine: names.engine,
    waiting: sum(names.waiting) ?? 0,
    running: sum(names.running) ?? 0,
    ...(cache === undefined ? {} : { cacheShare: shareOf(cache.sum / cache.count) }),
    ...(promptTokens === undefined ? {} : { promptTokens }),
    ...(generationTokens === undefined ? {} : { generationTokens }),
  };
}

/** The names say percent, the values are shares; some exporters took the name at its word. */
const shareOf = (value: number): number => Math.min(1, value > 1 ? value / 100 : value);

/** Of the wanted names alone, each summed over its label sets: data-parallel engines print one set each. */
function readTotals(page: string): ReadonlyMap<string, Total> {
  const totals = new Map<string, Total>();
  let start = 0;
  for (let lines = 0; start < page.length && lines < MOST_LINES; lines += 1) {
    const newline = page.indexOf("\n", start);
    const end = newline < 0 ? page.length : newline;
    if (end - start <= LONGEST_LINE) addSample(totals, page, { start, end });
    start = end + 1;
  }
  return totals;
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/** `name{label="value",…} number [timestamp]`, or without labels. */
function addSample(totals: Map<string, Total>, page: string, { start, end }: Span): void {
  let nameEnd = start;
  while (nameEnd < end && !isNameEnd(page.charCodeAt(nameEnd))) nameEnd += 1;
  const name = page.slice(start, nameEnd);
  if (!WANTED.has(name)) return;
  const rest = page.slice(nameEnd, end).trimStart();
  const labelled = rest.startsWith("{");
  const labelsEnd = labelled ? labelsEndOf(rest) : 0;
  if (labelsEnd < 0 || (labelled && isPart(rest.slice(0, labelsEnd)))) return;
  // A timestamp may follow the value, and an exemplar that.
  const [text = ""] = rest
    .slice(labelsEnd)
    .trim()
    .split(/[ \t\r]/, 1);
  const value = DECIMAL.test(text) ? Number(text) : Number.NaN;
  if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER)) return;
  const before = totals.get(name) ?? { sum: 0, count: 0 };
  totals.set(name, { sum: before.sum + value, count: before.count + 1 });
}

/** What Python and Go print for a number that is one; not `NaN`, `+Inf`, hexadecimal or empty. */
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** Space, tab, `{`, or `#` of a comment. */
const isNameEnd = (code: number): boolean => code === 32 || code === 9 || code === 123 || code === 35;

/** The index after the closing brace; -1 when there is none. Values may hold braces and escaped quotes. */
function labelsEndOf(text: string): number {
  let quoted = false;
  for (let at = 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 92 && quoted) at += 1;
    else if (code === 34) quoted = !quoted;
    else if (code === 125 && !quoted) return at + 1;
  }
  return -1;
}

/**
 * With priority scheduling SGLang prints the total under `priority=""` and beside it each priority's part of it
 * (collector.py, _log_gauge_queue_count): adding them up would count everything twice.
 */
const isPart = (labels: string): boolean => /[{,]\s*priority="[^"]/.test(labels);
