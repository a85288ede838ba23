// Turns the plain data of a script into what the fake acts on, or into all its problems at once.
import { parse as parseYaml } from "yaml";
import { FORM_NAMES } from "./forms/form.ts";
import { PACE_READERS, toPace } from "./pace.ts";
import { rule } from "./script-rule.ts";
import {
  count,
  duration,
  fields,
  flag,
  list,
  mapping,
  number,
  oneOf,
  pattern,
  refuse,
  ScriptError,
  some,
  text,
} from "./script-read.ts";
import type { FormName } from "./forms/form.ts";
import type { Pace, PaceFields } from "./pace.ts";
import type { Rule } from "./script-rule.ts";
import type { FakeScript } from "./script.ts";
import type { Reader } from "./script-read.ts";

export interface KeyRules {
  readonly rpm?: number;
  readonly tpm?: number;
  readonly rpd?: number;
  readonly window: "sliding" | "fixed";
  readonly quotaExhausted: boolean;
  readonly revoked: boolean;
  readonly models?: readonly RegExp[];
  readonly form?: FormName;
}

export interface EngineMetrics {
  readonly engine: "vllm" | "vllm-old" | "sglang";
  readonly model?: string;
  readonly running?: readonly number[];
  readonly waiting?: readonly number[];
  readonly kvCache?: readonly number[];
}

export interface Accept {
  readonly mode: "normal" | "refuse" | "close" | "reset" | "hang";
  readonly probability: number;
  readonly forMs?: number;
}

export interface Script {
  readonly pace: Pace;
  readonly keys?: ReadonlyMap<string, KeyRules>;
  readonly form?: FormName;
  readonly models?: readonly string[];
  readonly contextWindow?: number;
  readonly metrics?: EngineMetrics;
  readonly accept: Accept;
  readonly rules: readonly Rule[];
}

const readKey = fields<{
  rpm: number;
  tpm: number;
  rpd: number;
  window: "sliding" | "fixed";
  quota_exhausted: boolean;
  revoked: boolean;
  models: readonly RegExp[];
  form: FormName;
}>({
  rpm: count(1),
  tpm: count(1),
  rpd: count(1),
  window: oneOf(["sliding", "fixed"]),
  quota_exhausted: flag,
  revoked: flag,
  models: some(pattern),
  form: oneOf(FORM_NAMES),
});

const key: Reader<KeyRules> = (value, place, problems) => {
  const read = readKey(value ?? {}, place, problems);
  if (read === undefined) return undefined;
  const { quota_exhausted: quotaExhausted = false, revoked = false, window = "sliding", ...rest } = read;
  return { ...rest, quotaExhausted, revoked, window };
};

const keys: Reader<ReadonlyMap<string, KeyRules>> = (value, place, problems) => {
  if (!Array.isArray(value)) return mapping(key)(value, place, problems);
  const names = list(text)(value, place, problems) ?? [];
  return new Map(names.map((name) => [name, { quotaExhausted: false, revoked: false, window: "sliding" }]));
};

const ENGINES = ["vllm", "vllm-old", "sglang"] as const;
const readMetrics = fields<{
  engine: EngineMetrics["engine"];
  model: string;
  running: readonly number[];
  waiting: readonly number[];
  kv_cache: readonly number[];
}>({
  engine: oneOf(ENGINES),
  model: text,
  running: some(number(0)),
  waiting: some(number(0)),
  kv_cache: some(number(0, 1)),
});

const metrics: Reader<EngineMetrics> = (value, place, problems) => {
  const read = readMetrics(typeof value === "string" ? { engine: value } : value, place, problems);
  if (read === undefined) return undefined;
  const { kv_cache: kvCache, engine, ...rest } = read;
  if (engine === undefined) return refuse(problems, `${place}.engine`, `one of ${ENGINES.join(", ")}`, value);
  return { engine, ...rest, ...(kvCache && { kvCache }) };
};

const ACCEPT_MODES = ["normal", "refuse", "close", "reset", "hang"] as const;
const readAccept = fields<{ mode: Accept["mode"]; probability: number; for: number }>({
  mode: oneOf(ACCEPT_MODES),
  probability: number(0, 1),
  for: duration,
});

const accept: Reader<Accept> = (value, place, problems) => {
  const read = readAccept(typeof value === "string" ? { mode: value } : value, place, problems);
  if (read === undefined) return undefined;
  const { mode = "normal", probability = 1, for: forMs } = read;
  if (mode === "refuse" && probability < 1)
    problems.push(`${place}.probability: a refused connect has none; use mode close or reset`);
  return { mode, probability, ...(forMs !== undefined && { forMs }) };
};

const readScript = fields<
  PaceFields & {
    keys: ReadonlyMap<string, KeyRules>;
    form: FormName;
    models: readonly string[];
    context_window: number;
    metrics: EngineMetrics;
    accept: Accept;
    rules: readonly Rule[];
  }
>({
  ...PACE_READERS,
  keys,
  form: oneOf(FORM_NAMES),
  models: list(text),
  context_window: count(1),
  metrics,
  accept,
  rules: list(rule),
});

/** The script that data describes; throws a ScriptError with every problem in it. */
export function parseScript(data: FakeScript): Script {
  const problems: string[] = [];
  const read = readScript(data ?? {}, "", problems);
  const pace = toPace(read ?? {}, "", problems);
  if (read === undefined || problems.length > 0) throw new ScriptError(problems);
  const { keys: accepted, form, models, context_window: contextWindow, rules } = read;
  return {
    pace,
    ...(accepted && { keys: accepted }),
    ...(form && { form }),
    ...(models && { models }),
    ...(contextWindow !== undefined && { contextWindow }),
    ...(read.metrics && { metrics: read.metrics }),
    accept: read.accept ?? { mode: "normal", probability: 1 },
    rules: rules ?? [],
  };
}

/** Reads YAML (of which JSON is a part) as a script; the data is still to be checked by parseScript. */
export function readScriptText(source: string): FakeScript {
  let data: unknown;
  try {
    data = parseYaml(source);
  } catch (cause) {
    throw new ScriptError([`not YAML: ${cause instanceof Error ? cause.message : String(cause)}`]);
  }
  return data ?? {};
}
