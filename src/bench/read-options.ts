// From the command line and the environment to a plan, or to everything that is wrong with them.
import { readDuration } from "../core/duration.ts";
import { AMOUNT_FORMS, type Amount, readAmount } from "./amount.ts";
import { APIS } from "./apis.ts";
import type { OptionName } from "./options.ts";
import type { BenchPlan, Load, WeightedModel } from "./plan.ts";
import { MOST_TOKENS } from "./questions.ts";
import { readFlags } from "./read-flags.ts";
import { readHeader, readKeys, readModel, readTarget } from "./read-words.ts";

export interface BenchRequest {
  readonly plan: BenchPlan;
  readonly jsonFile: string | undefined;
  readonly isVisual: boolean;
}

export type ReadOptions =
  | { readonly kind: "help" }
  | { readonly kind: "request"; readonly request: BenchRequest }
  | { readonly kind: "problems"; readonly problems: readonly string[] };

const DAY_MS = 86_400_000;
const MOST_CONCURRENT = 1_000_000;
const MOST_WORKERS = 256;
const MOST_CALLS = 1e12;
const MOST_RATE = 1_000_000;
const LEAST_RATE = 0.001;

export function readOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): ReadOptions {
  const { given, problems, isHelp } = readFlags(args);
  if (isHelp) return { kind: "help" };
  const last = (name: OptionName): string | undefined => given.get(name)?.at(-1);
  const wrong = (name: OptionName, expected: string): undefined => {
    problems.push(`cannot read --${name}: expected ${expected}, found "${last(name) ?? ""}"`);
  };
  const count = (name: OptionName, most: number): number | undefined => {
    const text = last(name);
    if (text === undefined) return undefined;
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    return value >= 1 && value <= most ? value : wrong(name, `a whole number from 1 to ${most}`);
  };
  const time = (name: OptionName, leastMs: number): number | undefined => {
    const text = last(name);
    if (text === undefined) return undefined;
    const ms = /^\d{1,9}(\.\d+)?$/.test(text) ? Number(text) * 1000 : readDuration(text);
    if (ms === undefined || ms < leastMs || ms > DAY_MS)
      return wrong(name, "a time such as 60s or 5m, at most a day; a bare number is seconds");
    return ms;
  };
  const amount = (name: OptionName): Amount | undefined => {
    const text = last(name);
    return text === undefined ? undefined : (readAmount(text, MOST_TOKENS) ?? wrong(name, AMOUNT_FORMS));
  };

  const target = readTarget(last("url"), last("api"));
  if (typeof target === "string") problems.push(target);
  const models = (given.get("model") ?? []).flatMap((text) => text.split(",")).flatMap(readModel);
  if (models.some((model) => typeof model === "string"))
    wrong("model", "names with positive weights, such as a*3,b");
  const headers = (given.get("header") ?? []).map(readHeader);
  if (headers.includes(undefined))
    problems.push(
      "cannot read --header: expected NAME:VALUE in plain characters, and none that frame a request (host, connection, lengths)",
    );
  const load = readLoad();
  const workers = count("workers", MOST_WORKERS) ?? 1;
  const calls = count("requests", MOST_CALLS);
  const durationMs = time("duration", 1);
  const api = typeof target === "string" ? "chat" : target.api;
  const hasKeyHeader = headers.some((header) => header?.[0].toLowerCase() === APIS[api].keyHeader);
  if (hasKeyHeader && given.has("api-key"))
    problems.push(`cannot use --api-key with --header ${APIS[api].keyHeader}: both say the same`);
  // Such a header is meant in place of a key that happens to be in the environment.
  const apiKeys = readKeys(given.get("api-key"), hasKeyHeader ? {} : env, api);
  if (apiKeys === undefined)
    problems.push("cannot read the API key: expected plain characters without blanks");
  const isStream = given.has("stream");
  if (isStream && !APIS[api].canStream) problems.push(`cannot use --stream: ${api} has no streams`);
  if (given.has("prompts") && given.has("prompt-tokens"))
    problems.push("cannot use --prompt-tokens with --prompts: the file says what is sent");
  const plan: BenchPlan = {
    url: typeof target === "string" ? "" : target.url,
    api,
    isStream,
    models: models.filter((model): model is WeightedModel => typeof model !== "string"),
    apiKeys: apiKeys ?? [],
    headers: headers.filter((header) => header !== undefined),
    promptTokens: amount("prompt-tokens"),
    promptsFile: last("prompts"),
    maxTokens: amount("max-tokens") ?? { kind: "fixed", value: 256 },
    load,
    calls,
    durationMs: durationMs ?? (calls === undefined ? 30_000 : undefined),
    warmUpMs: time("warmup", 0) ?? 0,
    timeoutMs: time("timeout", 1) ?? 600_000,
    drainMs: time("drain", 0) ?? 30_000,
    workers,
  };
  if (problems.length > 0) return { kind: "problems", problems };
  return {
    kind: "request",
    request: { plan, jsonFile: last("json"), isVisual: !given.has("no-visual") },
  };

  function readLoad(): Load {
    const text = last("rate");
    const concurrency = count("concurrency", MOST_CONCURRENT);
    const rampUpMs = time("ramp-up", 0);
    const arrivals = last("arrivals") ?? "poisson";
    if (text === undefined) {
      if (given.has("arrivals")) problems.push("cannot use --arrivals without --rate");
      const width = concurrency ?? 10;
      return { kind: "closed", concurrency: width, rampUpMs: rampUpMs ?? width };
    }
    if (given.has("ramp-up")) problems.push("cannot use --ramp-up with --rate: its calls are spread already");
    const perSecond = /^\d{1,7}(\.\d+)?$/.test(text) ? Number(text) : 0;
    if (perSecond < LEAST_RATE || perSecond > MOST_RATE)
      wrong("rate", `calls a second, from ${LEAST_RATE} to ${MOST_RATE}`);
    if (arrivals !== "poisson" && arrivals !== "even") wrong("arrivals", "poisson or even");
    return {
      kind: "open",
      perSecond,
      arrivals: arrivals === "even" ? "even" : "poisson",
      mostInFlight: concurrency ?? 10_000,
    };
  }
}
