// LiteLLM's settings as weir's options: times, retries, rests, access. Router settings stand before the general ones.
import { readStrategyName } from "../core/strategy.ts";
import { type FieldReader, given, implied, inSeconds } from "./dialect-fields.ts";
import type { LiteLlmFile } from "./dialect-litellm-file.ts";
import { GENERAL_KEYS, ROUTER_KEYS, SETTINGS_KEYS, UNKNOWN_KEY } from "./dialect-litellm-keys.ts";
import type { OptionKey } from "./options.ts";
import type { Given } from "./resolve-options.ts";
import { describePlace, type Node, valueAt } from "./tree.ts";
import { findVariable } from "./variables.ts";

const DEFAULT_STRATEGY = "simple-shuffle";

type Options = Map<OptionKey, Given>;

export function readSettings(file: LiteLlmFile): Options {
  const { reader, router, litellm, general } = file;
  for (const [section, rules] of [
    [router, ROUTER_KEYS],
    [litellm, SETTINGS_KEYS],
    [general, GENERAL_KEYS],
  ] as const)
    if (section?.kind === "map") reader.checkKeys(section, rules, UNKNOWN_KEY);
  const options: Options = new Map();
  const where = `${describePlace(file.root.at)} (LiteLLM's default)`;
  const strategy = reader.placed(valueAt(router, "routing_strategy"));
  // Under weir's own name for it, which displays need not mask: LiteLLM's longer ones look like keys.
  const name = readStrategyName(strategy?.value ?? DEFAULT_STRATEGY) ?? strategy?.value ?? DEFAULT_STRATEGY;
  options.set(
    "strategy",
    strategy === undefined ? implied(name, where) : { text: name, where: describePlace(strategy.at) },
  );
  readTries(file, options, where);
  readTimeouts(file, options);
  readRests(file, options);
  readAccess(file, options);
  return options;
}

/** The count that LiteLLM's code has; its documents say 3. */
const DEFAULT_RETRIES = "2";

function readTries({ reader, router, litellm }: LiteLlmFile, options: Options, where: string): void {
  const tries = reader.placed(valueAt(router, "num_retries") ?? valueAt(litellm, "num_retries"));
  options.set("retry.max", tries === undefined ? implied(DEFAULT_RETRIES, where) : given(tries));
  const wait = valueAt(router, "retry_after");
  const seconds = reader.number(wait);
  if (wait === undefined || seconds === undefined || seconds === 0) return;
  options.set("retry.backoff", inSeconds(wait, seconds));
  if (seconds > 5) options.set("retry.max_backoff", inSeconds(wait, seconds));
}

/** weir's bound on a whole request, in seconds: one that is to be waited for longer needs a longer one. */
const TOTAL = 3600;

function readTimeouts({ reader, router, litellm }: LiteLlmFile, options: Options): void {
  const whole = valueAt(router, "timeout") ?? valueAt(litellm, "request_timeout");
  const stream = valueAt(router, "stream_timeout") ?? whole;
  const seconds = reader.number(whole);
  const first = reader.number(stream);
  if (whole !== undefined && seconds !== undefined && seconds > 0) {
    options.set("timeouts.first_byte", inSeconds(whole, seconds));
    if (seconds > TOTAL) options.set("timeouts.total", inSeconds(whole, seconds));
  }
  if (stream !== undefined && first !== undefined && first > 0)
    options.set("timeouts.stream_first_byte", inSeconds(stream, first));
}

/** LiteLLM rests a row at the failure after the allowed ones, weir at the threshold. */
function readRests({ reader, router, litellm }: LiteLlmFile, options: Options): void {
  const time = valueAt(router, "cooldown_time") ?? valueAt(litellm, "cooldown_time");
  const seconds = reader.number(time);
  if (time !== undefined && seconds !== undefined && seconds > 0) {
    options.set("cooldown.first", inSeconds(time, seconds));
    options.set("cooldown.max", inSeconds(time, seconds));
  }
  const policy = valueAt(router, "allowed_fails_policy");
  const allowed =
    policedFails(reader, policy) ?? valueAt(router, "allowed_fails") ?? valueAt(litellm, "allowed_fails");
  const fails = reader.number(allowed);
  if (allowed !== undefined && fails !== undefined)
    options.set("cooldown.threshold", { text: String(fails + 1), where: describePlace(allowed.at) });
}

/** Of the classes of failures, weir counts time-outs and 5xx, and counts them together. */
function policedFails(reader: FieldReader, policy: Node | undefined): Node | undefined {
  const counted = ["InternalServerErrorAllowedFails", "TimeoutErrorAllowedFails"];
  for (const { key, keyAt } of reader.map(policy)?.entries ?? [])
    if (!counted.includes(key))
      reader.warn(
        keyAt,
        "is ignored: a 429 or 401 rests its key at once, other 4xx rest nothing, and time-outs and 5xx are counted together",
      );
  // A policy's 0 means "not set" to LiteLLM.
  const nodes = counted
    .flatMap((key) => valueAt(policy, key) ?? [])
    .filter((node) => reader.number(node) !== 0);
  return nodes.toSorted((a, b) => (reader.number(a) ?? 0) - (reader.number(b) ?? 0))[0];
}

/** True when rows never rest for failures. */
export function isRestless({ reader, router, litellm }: LiteLlmFile): boolean {
  const time = valueAt(router, "cooldown_time") ?? valueAt(litellm, "cooldown_time");
  const off = valueAt(router, "disable_cooldowns");
  if (reader.boolean(off) !== true && reader.number(time) !== 0) return false;
  const at = reader.boolean(off) === true ? off?.at : time?.at;
  if (at !== undefined)
    reader.warn(at, "turns off rests after failures; a key that is limited or refused rests all the same");
  return true;
}

function readAccess({ reader, general, variables }: LiteLlmFile, options: Options): void {
  const written = reader.placed(valueAt(general, "master_key"));
  const variable = findVariable(variables, "LITELLM_MASTER_KEY");
  const fallback = variable === undefined ? undefined : { text: variable.text.trim(), where: variable.where };
  const key = written === undefined ? fallback : given(written);
  if (key === undefined) return;
  options.set("access_keys", key);
  options.set("admin.key", key);
}
