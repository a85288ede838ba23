// What a script may say: the plain data of `--script FILE`, of PUT /__script, and of tests. Durations carry a unit
// ("50ms", "2s", "1m"); whatever varies is a spread; everything is optional. script-parse.ts checks it.
import type { FaultName } from "./faults.ts";
import type { ErrorName, FormName } from "./forms/form.ts";

/** "50ms", or a distribution of such: by its percentiles (lognormal), its mean (normal) or its bounds (uniform). */
type DurationScript =
  | string
  | { readonly p50: string; readonly p99: string }
  | { readonly mean: string; readonly stddev: string }
  | { readonly min: string; readonly max: string };

/** The same for plain numbers. */
type NumberScript =
  | number
  | { readonly p50: number; readonly p99: number }
  | { readonly mean: number; readonly stddev: number }
  | { readonly min: number; readonly max: number };

/** How an answer comes in time, and what it says. */
interface PaceScript {
  /** From the request to the status line. */
  readonly latency?: DurationScript;
  /** From the request to the first event of a stream; an unstreamed answer comes when its last token would. */
  readonly ttft?: DurationScript;
  /** Between two chunks; chunk i is due at first + i * gap. Not together with tokens_per_second. */
  readonly gap?: DurationScript;
  readonly tokens_per_second?: NumberScript;
  /** Chunks of an answer; the request's own maximum bounds it. Default: the words of `reply`. */
  readonly tokens?: NumberScript;
  /** Least bytes of text in one chunk; shorter words are padded. */
  readonly chunk_bytes?: number;
  /** The text to answer with, repeated when `tokens` is more than its words. */
  readonly reply?: string;
}

/** What to do with a call. Short forms: a fault's or error's name, or a status number. */
export interface ActionScript extends PaceScript {
  readonly fault?: FaultName;
  /** A provider's error by its meaning, with the status, headers and body that provider gives it. */
  readonly error?: ErrorName;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** The body: a string as it is, anything else as JSON. */
  readonly body?: unknown;
  readonly retry_after?: string;
  readonly form?: FormName;
  /** How the body is delimited: default chunked for streams, length for the rest. */
  readonly framing?: "chunked" | "length" | "close";
  /** Parameters of faults. */
  readonly after?: number;
  readonly bytes?: number;
  readonly interval?: string;
  readonly count?: number;
  readonly location?: string;
  readonly text?: string;
}

type Patterns = string | readonly string[];

/** All given conditions must hold; patterns may hold `*`, and a list means any of them. */
interface MatchScript {
  readonly key?: Patterns;
  readonly model?: Patterns;
  readonly path?: Patterns;
  /** Default POST, so that a proxy's probes neither match nor count; "*" for any. */
  readonly method?: Patterns;
  readonly family?: Patterns;
  readonly stream?: boolean;
  readonly header?: Readonly<Record<string, string>>;
  /** Which of the calls that match the rest, counted per rule from 1: 3, [1, 4], "3-7", "3-". */
  readonly call?: number | string | readonly number[];
}

export interface RuleScript {
  readonly match?: MatchScript;
  /** Chance that the rule applies to a call it matches; otherwise later rules are asked. */
  readonly probability?: number;
  /** How many times it applies at most. */
  readonly times?: number;
  /** Not "then": an object with that key is taken for a promise. */
  readonly do: ActionScript | FaultName | ErrorName | number;
}

interface KeyScript {
  readonly rpm?: number;
  readonly tpm?: number;
  readonly rpd?: number;
  /** Default sliding. */
  readonly window?: "sliding" | "fixed";
  readonly quota_exhausted?: boolean;
  readonly revoked?: boolean;
  /** Patterns of the models this key may use. */
  readonly models?: readonly string[];
  readonly form?: FormName;
}

/** `/metrics` of an engine; a list of values gives one label set (engine) each, summed by readers. */
interface MetricsScript {
  readonly engine: "vllm" | "vllm-old" | "sglang";
  readonly model?: string;
  /** Default: the calls that are open. */
  readonly running?: number | readonly number[];
  readonly waiting?: number | readonly number[];
  readonly kv_cache?: number | readonly number[];
}

/** What happens to new connections: refuse stops listening, the others act once a connection is accepted. */
interface AcceptScript {
  readonly mode: "normal" | "refuse" | "close" | "reset" | "hang";
  readonly probability?: number;
  /** Back to normal after this time. */
  readonly for?: string;
}

export interface FakeScript extends PaceScript {
  /** Accepted keys; absent: any key, or none, is accepted. */
  readonly keys?: readonly string[] | Readonly<Record<string, KeyScript | null>>;
  /** Whose errors and limits to imitate; default by the path. */
  readonly form?: FormName;
  /** For GET /v1/models; if given, any other model is answered 404. */
  readonly models?: readonly string[];
  /** Longer prompts are answered 400 (context length). */
  readonly context_window?: number;
  readonly metrics?: MetricsScript | "vllm" | "vllm-old" | "sglang";
  readonly accept?: AcceptScript | AcceptScript["mode"];
  readonly rules?: readonly RuleScript[];
}
