// Text to a value with its unit, or what was expected instead. The option table is made of these.
import { isIP } from "node:net";
import { Secret } from "../core/credential.ts";
import { readDuration } from "../core/duration.ts";
import { nearestNames } from "../core/nearest.ts";
import { readStrategyName, STRATEGY_NAMES } from "../core/strategy.ts";

export type Reading<V> =
  | { readonly kind: "value"; readonly value: V }
  | { readonly kind: "unread"; readonly expected: string };

export interface Reader<V> {
  (text: string): Reading<V>;
  /** What a file may hold there; absent: any text. */
  readonly shape?: LeafShape;
}

/** What a value looks like in a file, for its reader there and for the schema. */
export type LeafShape =
  | { readonly kind: "integer"; readonly least: number; readonly most: number }
  | { readonly kind: "boolean" }
  /** One of these, or what fits the pattern; neither `_` and `-` nor case matter. */
  | { readonly kind: "word"; readonly words: readonly string[]; readonly pattern?: string }
  /** A text, also one of digits only. */
  | { readonly kind: "text" }
  /** A number with its unit. */
  | { readonly kind: "measure"; readonly pattern: string; readonly example: string }
  | { readonly kind: "list"; readonly item: Reader<unknown> };

export const shaped = <V>(shape: LeafShape, read: (text: string) => Reading<V>): Reader<V> =>
  Object.assign((text: string) => read(text), { shape });

export const value = <V>(given: V): Reading<V> => ({ kind: "value", value: given });
const unread = (expected: string): Reading<never> => ({ kind: "unread", expected });

/** Parts between commas or line ends, without blanks and empty ones. */
export const splitList = (text: string): string[] =>
  text
    .split(/[,\n\r]/)
    .map((part) => part.trim())
    .filter((part) => part !== "");

export function integer(least: number, most: number): Reader<number> {
  return shaped({ kind: "integer", least, most }, (text) => {
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    return number >= least && number <= most ? value(number) : unread(`${least} to ${most}`);
  });
}

/** 0 lets the system choose a free one. */
export const port = integer(0, 65_535);

/** Timers overflow beyond 2^31 ms, and then end at once. */
const LONGEST_DURATION = "24d";

const DURATION_SHAPE = {
  kind: "measure",
  pattern: "^\\s*(\\d+(\\.\\d+)?(ms|us|µs|ns|d|h|m|s))+\\s*$",
  example: "90s",
} as const;

/** In milliseconds. `least` is a duration too. */
export function duration(least: string): Reader<number> {
  const range = [readDuration(least) ?? 0, readDuration(LONGEST_DURATION) ?? 0] as const;
  return shaped(DURATION_SHAPE, (text) => {
    const ms = readDuration(text);
    if (ms === undefined) return unread("a duration with its unit (ms, s, m, h, d), such as 90s");
    const known = ms >= range[0] && ms <= range[1];
    return known ? value(Math.round(ms)) : unread(`a duration from ${least} to ${LONGEST_DURATION}`);
  });
}

const SIZE = /^(\d+(?:\.\d+)?) ?(b|kb|mb|gb|kib|mib|gib)$/i;
const UNIT_BYTES: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
};

const SIZE_SHAPE = {
  kind: "measure",
  pattern: "^\\d+(\\.\\d+)? ?([KkMmGg]([Ii])?)?[Bb]$",
  example: "32MiB",
} as const;

/** In bytes, at least one. */
export const size: Reader<number> = shaped(SIZE_SHAPE, (text) => {
  const [, amount, unit = ""] = SIZE.exec(text) ?? [];
  const bytes = Math.round(Number(amount) * (UNIT_BYTES[unit.toLowerCase()] ?? 0));
  return bytes >= 1 && Number.isSafeInteger(bytes)
    ? value(bytes)
    : unread("a size with its unit (B, KB, MB, GB, KiB, MiB, GiB), such as 32MiB");
});

const PERCENT_SHAPE = { kind: "measure", pattern: "^\\d+(\\.\\d+)? ?%$", example: "20%" } as const;

/** As a share: 0.2 for `20%`. */
export const percent: Reader<number> = shaped(PERCENT_SHAPE, (text) => {
  const [, amount] = /^(\d+(?:\.\d+)?) ?%$/.exec(text) ?? [];
  const share = Number(amount) / 100;
  return share <= 1 ? value(share) : unread("0% to 100%, with the sign");
});

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ["1", true],
  ["true", true],
  ["yes", true],
  ["0", false],
  ["false", false],
  ["no", false],
]);

export const boolean: Reader<boolean> = shaped({ kind: "boolean" }, (text) => {
  const known = BOOLEANS.get(text.toLowerCase());
  return known === undefined ? unread("1, true or yes; 0, false or no") : value(known);
});

/** `; did you mean "info"?`, or nothing when nothing is near. */
export function suggestion(name: string, candidates: readonly string[]): string {
  const [nearest] = nearestNames(name, candidates, 1);
  return nearest === undefined ? "" : ` (did you mean ${nearest}?)`;
}

export function oneOf<const W extends string>(words: readonly W[]): Reader<W> {
  return shaped({ kind: "word", words }, (text) => {
    const known = words.find((word) => word === text.toLowerCase());
    return known === undefined
      ? unread(`one of ${words.join(", ")}${suggestion(text, words)}`)
      : value(known);
  });
}

/** The strategy's own name, whatever the spelling. */
export const strategy: Reader<string> = shaped(
  { kind: "word", words: STRATEGY_NAMES, pattern: "^ *[Cc][Uu][Ss][Tt][Oo][Mm]:.*\\S" },
  (text) => {
    const known = readStrategyName(text);
    return known === undefined
      ? unread(`a strategy: ${STRATEGY_NAMES.join(", ")}${suggestion(text, STRATEGY_NAMES)}`)
      : value(known);
  },
);

/** Comma between; each part must satisfy `reader`. */
export function list<V>(reader: Reader<V>): Reader<readonly V[]> {
  return shaped({ kind: "list", item: reader }, (text) => {
    const values: V[] = [];
    for (const part of splitList(text)) {
      const reading = reader(part);
      if (reading.kind === "unread") return unread(`a comma list, each part ${reading.expected}`);
      values.push(reading.value);
    }
    return value(values);
  });
}

/** Visible ASCII: what fits into a header, and is not cut by anything on its way. */
export const token: Reader<Secret> = (text) =>
  /^[\x21-\x7e]+$/.test(text) ? value(new Secret(text)) : unread("a token without blanks, in plain ASCII");

/** An address or name to bind; brackets around IPv6 are taken off. */
export const host: Reader<string> = (text) => {
  const bare = text.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  const known = /^[a-z0-9._-]+$/.test(bare) || isIP(bare.replace(/%\w+$/, "")) === 6;
  return known ? value(bare) : unread("an IP address or host name, such as 127.0.0.1 or 0.0.0.0");
};

/** As a client's `Host` header has it: a name or address, and maybe a port. */
export const hostHeader: Reader<string> = (text) =>
  /^([\w.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/i.test(text)
    ? value(text.toLowerCase())
    : unread("a host name, and a port if it matters");

/** A browser's `Origin`, or `*` for all. */
export const browserOrigin: Reader<string> = (text) => {
  if (text === "*") return value(text);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const plain =
    url !== undefined && url.host !== "" && url.href.replace(/\/$/, "") === `${url.protocol}//${url.host}`;
  return plain
    ? value(`${url.protocol}//${url.host}`)
    : unread("an origin such as https://app.example.com, or *");
};

/** `env`, `none` or the URL of a proxy; see egress.ts. */
export const proxy: Reader<"env" | "none" | URL> = (text) => {
  const word = text.toLowerCase();
  if (word === "env" || word === "none") return value(word);
  const url = readProxyUrl(text);
  return url === undefined ? unread("env, none, or the http:// or https:// URL of a proxy") : value(url);
};

/** curl's rule: without a scheme it is http. Bun's fetch knows no SOCKS. */
export function readProxyUrl(text: string): URL | undefined {
  const full = text.includes("://") ? text : `http://${text}`;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") return undefined;
  url.username = escaped(url.username);
  url.password = escaped(url.password);
  return url;
}

/** A percent sign that begins no escape stands for itself, as with curl; Bun would send no login at all. */
function escaped(part: string): string {
  const mended = part.replaceAll(/%(?![0-9A-Fa-f]{2})/g, "%25");
  try {
    decodeURIComponent(mended);
    return mended;
  } catch {
    return part.replaceAll("%", "%25"); // escapes, but of no text
  }
}

/** Any text; empty for none. */
export const path: Reader<string> = (text) => value(text);
