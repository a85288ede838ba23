// The table of inference servers: how each is started, what its log says when it is ready, and under which environment.

export const ENGINE_NAMES = ["vllm", "sglang"] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

export interface EngineOrder {
  /** A path, or a name at a hub. */
  readonly model: string;
  readonly servedName: string;
  readonly tensorParallel: number;
  readonly port: number;
  /** The node is known by an IPv6 address: an engine on every IPv4 address of it could not be reached. */
  readonly isIpv6?: boolean;
  /** Requests that run at once; absent: the engine's own. */
  readonly maxRunning?: number;
  /** Further arguments; they come last, and the last one counts. */
  readonly extra: readonly string[];
}

/** All else that only tunes is left to the engine's own defaults. */
const ARGUMENTS: Readonly<Record<EngineName, (order: EngineOrder) => readonly string[]>> = {
  // `vllm serve`, as https://docs.vllm.ai/en/stable/cli/serve/ has it, by its module: the interpreter is what is given.
  vllm: (order) => [
    ...["-m", "vllm.entrypoints.cli.main", "serve", order.model].concat(listenArguments(order)),
    "--tensor-parallel-size",
    String(order.tensorParallel),
    ...(order.tensorParallel > 1 && hasExperts(order.model) ? ["--enable-expert-parallel"] : []),
    ...(order.maxRunning === undefined ? [] : ["--max-num-seqs", String(order.maxRunning)]),
    ...order.extra,
  ],
  // https://docs.sglang.io/docs/advanced_features/server_arguments: without --enable-metrics there is no /metrics.
  sglang: (order) => [
    ...["-m", "sglang.launch_server", "--model-path", order.model].concat(listenArguments(order)),
    "--tp-size",
    String(order.tensorParallel),
    "--enable-metrics",
    ...(order.maxRunning === undefined ? [] : ["--max-running-requests", String(order.maxRunning)]),
    ...order.extra,
  ],
};

const listenArguments = ({ servedName, port, isIpv6 = false }: EngineOrder): readonly string[] => [
  "--served-model-name",
  servedName,
  "--host",
  isIpv6 ? "::" : "0.0.0.0",
  "--port",
  String(port),
];

/** After the interpreter. */
export const argumentsOf = (engine: EngineName, order: EngineOrder): readonly string[] =>
  ARGUMENTS[engine](order);

/** Names of mixtures of experts end in their active size: `Qwen3-235B-A22B`. */
const hasExperts = (model: string): boolean => /-A\d+(?:\.\d+)?B(?![a-z])/i.test(model);

/** LLMRouter's values: half a minute of NCCL is too short for a large model's load, and threads beyond these fight. */
export const environmentOf = (gpus: readonly number[]): Readonly<Record<string, string>> => ({
  CUDA_VISIBLE_DEVICES: gpus.join(","),
  NCCL_TIMEOUT: "360",
  OMP_NUM_THREADS: "32",
  // A log that is not a terminal is held back by Python, and the last lines are what one wants to see.
  PYTHONUNBUFFERED: "1",
});

/**
 * Extended regular expressions for grep -i, on the node. Both engines run uvicorn, which says the first line before it binds its
 * port, and the second one after, where it is not given a bound one, as by vLLM; SGLang adds the third one after its warm-up.
 */
export const READY_LINE = "application startup complete|uvicorn running on|fired up and ready to roll";
/** The last of them is SGLang's, of ports of its own that follow from the one it is given. */
export const CONFLICT_LINE = String.raw`address already in use|errno:? 98|EADDRINUSE|port[_a-z]* at [0-9]+ is not available`;
/** These libraries say the same of ports of their own, and go on with others. */
export const NO_CONFLICT_LINE = "allreduce|flashinfer";
