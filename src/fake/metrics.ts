// `/metrics` as vLLM and SGLang print it, so that scrapers are tested on the real form.
// Sources: vllm-project/vllm:vllm/v1/metrics/loggers.py (names, help, labels; one label set an engine;
// gpu_cache_usage_perc until 0.9, kv_cache_usage_perc since) and
// https://docs.sglang.io/references/production_metrics.html.
import type { EngineMetrics } from "./script-parse.ts";

/** What the engine is doing, when the script does not say. */
export interface EngineLoad {
  readonly running: number;
  readonly finished: number;
  readonly chunks: number;
}

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

export function printMetrics(metrics: EngineMetrics, load: EngineLoad, firstModel: string): string {
  const model = metrics.model ?? firstModel;
  const running = metrics.running ?? [load.running];
  const waiting = metrics.waiting ?? [0];
  const kvCache = metrics.kvCache ?? [Math.min(1, load.running / 256)];
  const engines = Math.max(running.length, waiting.length, kvCache.length);
  const gauges = { running, waiting, kvCache };
  return metrics.engine === "sglang"
    ? sglang(model, engines, gauges, load)
    : vllm(metrics.engine === "vllm-old", model, engines, gauges, load);
}

interface Gauges {
  readonly running: readonly number[];
  readonly waiting: readonly number[];
  readonly kvCache: readonly number[];
}

function vllm(old: boolean, model: string, engines: number, gauges: Gauges, load: EngineLoad): string {
  // Before V1 there was one engine and no label for it.
  const each = (values: readonly number[]): Sample[] =>
    Array.from({ length: engines }, (_, index) => [
      old && engines === 1 ? { model_name: model } : { engine: String(index), model_name: model },
      values[index] ?? 0,
    ]);
  const first = old ? { model_name: model } : { engine: "0", model_name: model };
  const cache = old ? "vllm:gpu_cache_usage_perc" : "vllm:kv_cache_usage_perc";
  const cacheHelp = old
    ? "GPU KV-cache usage. 1 means 100 percent usage."
    : "KV-cache usage. 1 means 100 percent usage.";
  return [
    block("python_info", "gauge", "Python platform information", [
      [{ implementation: "CPython", version: "3.12.9" }, 1],
    ]),
    block(
      "vllm:num_requests_running",
      "gauge",
      "Number of requests in model execution batches.",
      each(gauges.running),
    ),
    block(
      "vllm:num_requests_waiting",
      "gauge",
      "Number of requests waiting to be processed.",
      each(gauges.waiting),
    ),
    ...(old
      ? [block("vllm:num_requests_swapped", "gauge", "Number of requests swapped to CPU.", each([]))]
      : []),
    block(cache, "gauge", cacheHelp, each(gauges.kvCache)),
    block("vllm:generation_tokens_total", "counter", "Number of generation tokens processed.", [
      [first, load.chunks],
    ]),
    block("vllm:request_success_total", "counter", "Count of successfully processed requests.", [
      [{ ...first, finished_reason: "stop" }, load.finished],
      [{ ...first, finished_reason: "length" }, 0],
    ]),
    histogram(
      "vllm:time_to_first_token_seconds",
      "Histogram of time to first token in seconds.",
      first,
      load.finished,
    ),
  ].join("");
}

function sglang(model: string, engines: number, gauges: Gauges, load: EngineLoad): string {
  const labels = (rank: number): Record<string, string> => ({
    engine_type: "unified",
    model_name: model,
    pp_rank: "0",
    tp_rank: String(rank),
  });
  const each = (values: readonly number[]): Sample[] =>
    Array.from({ length: engines }, (_, index) => [labels(index), values[index] ?? 0]);
  return [
    block("sglang:num_running_reqs", "gauge", "The number of running requests.", each(gauges.running)),
    block("sglang:num_used_tokens", "gauge", "The number of used tokens.", each([])),
    block("sglang:token_usage", "gauge", "The token usage.", each(gauges.kvCache)),
    block("sglang:gen_throughput", "gauge", "The generation throughput (token/s).", each([])),
    block(
      "sglang:num_queue_reqs",
      "gauge",
      "The number of requests in the waiting queue.",
      each(gauges.waiting),
    ),
    block("sglang:cache_hit_rate", "gauge", "The prefix cache hit rate.", each([])),
    block("sglang:generation_tokens_total", "counter", "Number of generation tokens processed.", [
      [labels(0), load.chunks],
    ]),
    histogram(
      "sglang:time_to_first_token_seconds",
      "Histogram of time to first token in seconds.",
      labels(0),
      load.finished,
    ),
  ].join("");
}

function block(name: string, type: "gauge" | "counter", help: string, samples: readonly Sample[]): string {
  const lines = samples.map(([labels, value]) => `${name}{${print(labels)}} ${float(value)}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

/** A histogram with everything in its first bucket; scrapers must step over it. */
function histogram(
  name: string,
  help: string,
  labels: Readonly<Record<string, string>>,
  count: number,
): string {
  const bucket = (le: string): string => `${name}_bucket{${print({ ...labels, le })}} ${float(count)}\n`;
  const rest = `${name}_count{${print(labels)}} ${float(count)}\n${name}_sum{${print(labels)}} 0.0\n`;
  return `# HELP ${name} ${help}\n# TYPE ${name} histogram\n${bucket("0.001")}${bucket("+Inf")}${rest}`;
}

/** Python's way to print labels and floats. */
const print = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([name, value]) =>
        `${name}="${value.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n")}"`,
    )
    .join(",");

const float = (value: number): string => (Number.isInteger(value) ? `${value}.0` : String(value));
