// Which layer decides each option, and its value: flag, environment, file, default.
import { maskSecret, Secret } from "../core/credential.ts";
import type { Option } from "./option.ts";
import { OPTIONS, type OptionKey, type OptionValues } from "./options.ts";
import { plain, type Problem, quoted } from "./problem.ts";
import { splitList } from "./readers.ts";

/** What one layer says of an option, and where. */
export interface Given {
  readonly text: string;
  /** `--port`, `WEIR_PORT`, `weir.yaml:3:9 server.port`. */
  readonly where: string;
  /** What another system does when its file says nothing: any file that says it stands before. */
  readonly isImplied?: true;
}

/** Undefined: this layer says nothing of it. */
type Layer = (option: Option) => Given | undefined;

export interface Layers {
  readonly flags: Layer;
  readonly env: Layer;
  readonly file?: Layer;
}

export interface ResolvedOption {
  readonly key: OptionKey;
  /** As it was written, switches and words as weir calls them; masked if it is secret. */
  readonly shown: string;
  /** Where it was written, or `default`. */
  readonly origin: string;
}

export interface ResolvedOptions {
  /** Of an option with a problem, the default. */
  readonly values: OptionValues;
  readonly options: readonly ResolvedOption[];
  readonly problems: readonly Problem[];
}

export function resolveOptions({ flags, env, file }: Layers): ResolvedOptions {
  const values: Record<string, unknown> = {};
  const options: ResolvedOption[] = [];
  const problems: Problem[] = [];
  for (const option of OPTIONS) {
    const fromFlag = flags(option);
    const given = fromFlag ?? env(option) ?? file?.(option) ?? { text: option.default, where: "default" };
    const text = given.text.trim();
    const reading = option.read(text);
    if (reading.kind === "unread") {
      const kind = fromFlag === undefined ? "configuration" : "usage";
      problems.push({
        kind,
        where: given.where,
        expected: reading.expected,
        found: show(option, text, quoted),
      });
    }
    values[option.key] = reading.kind === "value" ? reading.value : defaultOf(option);
    const shown = reading.kind === "value" ? (nameOf(option, reading.value) ?? text) : text;
    options.push({ key: option.key, shown: show(option, shown, plain), origin: given.where });
  }
  return { values: values as OptionValues, options, problems };
}

/** Where to point when an option's value turns out wrong later on. */
export function placeOf({ options }: ResolvedOptions, key: OptionKey): string {
  const origin = options.find((option) => option.key === key)?.origin ?? "default";
  return origin === "default" ? key : origin;
}

/** True when somebody said so, in whatever layer. */
export function isChosen({ options }: ResolvedOptions, key: OptionKey): boolean {
  return options.some((option) => option.key === key && option.origin !== "default");
}

/** The default's value. A default that its own reader refuses is a bug; a test holds that. */
export function defaultOf(option: Option): unknown {
  const reading = option.read(option.default);
  if (reading.kind === "value") return reading.value;
  throw new RangeError(`cannot read the default of ${option.key}: expected ${reading.expected}`);
}

/** What a switch or word of many spellings came to: `true` for `1`, the strategy's own name; undefined for the rest. */
function nameOf({ read }: Option, value: unknown): string | undefined {
  const kind = read.shape?.kind;
  return kind === "boolean" || kind === "word" ? String(value) : undefined;
}

function show(option: Option, text: string, write: (text: string) => string): string {
  if (option.secret) return splitList(text).map(masked).join(", ");
  // A proxy without a scheme may carry a password all the same.
  return write(text.replace(/^[^/]*@/, "***@"));
}

/** Of a URL, such as a webhook's, its host says more than the end of its token. */
function masked(part: string): string {
  const isUrl = /^[a-z+]*https?:\/\//.test(part) && URL.canParse(part);
  return isUrl ? `${new URL(part).host}/***` : maskSecret(new Secret(part));
}
