// Warns of variables that look like ours and are not: a misspelt one would otherwise be ignored in silence.
import { nearestNames } from "../core/nearest.ts";
import { AZURE_ENDPOINT, AZURE_VERSION } from "./azure.ts";
import { OPTIONS } from "./options.ts";
import { OWN_PROVIDERS, prefixOf } from "./own-providers.ts";
import { PROVIDER_SUFFIXES } from "./prefixed.ts";
import { PROVIDERS } from "./providers.ts";
import { splitList } from "./readers.ts";
import { findVariable, type Variables } from "./variables.ts";

/** Set by runtime/reexec.ts for the process itself. */
const INTERNAL = /^WEIR_REEXEC$/;

/** Kubernetes sets these in every pod beside a service named weir. */
const KUBERNETES = /^WEIR(_\w+)?_(SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)?)$/;

/** What SDKs and servers of the providers read themselves, after their prefix. */
const SDK_SUFFIXES = new Set(
  "ADMIN_KEY API_BASE API_HOST API_TYPE API_VERSION AUTH_TOKEN CUSTOM_HEADERS HOST LOG MODEL ORG_ID ORGANIZATION PROJECT PROJECT_ID TIMEOUT WEBHOOK_SECRET".split(
    " ",
  ),
);

export function warnOfNearMisses(variables: Variables): string[] {
  const own = splitList(findVariable(variables, OWN_PROVIDERS)?.text ?? "").map(prefixOf);
  const prefixes = [...PROVIDERS.flatMap((provider) => provider.prefixes), ...own];
  const weirs = [...OPTIONS.flatMap((option) => option.variables), OWN_PROVIDERS];
  const known = new Set([
    ...weirs,
    AZURE_ENDPOINT,
    AZURE_VERSION,
    ...prefixes.flatMap((prefix) => PROVIDER_SUFFIXES.map((suffix) => `${prefix}_${suffix}`)),
  ]);
  return [...variables.values()].flatMap(({ name, where }) => {
    if (known.has(name) || INTERNAL.test(name) || KUBERNETES.test(name)) return [];
    if (name.startsWith("WEIR_") && !prefixes.some((prefix) => name.startsWith(`${prefix}_`))) {
      const [near] = nearestNames(name, weirs, 1);
      return [`${where} is not a variable of weir's${near === undefined ? "" : `; did you mean ${near}?`}`];
    }
    const near = nearProviderVariable(name, prefixes);
    return near === undefined ? [] : [`${where} is not read; did you mean ${near}?`];
  });
}

/** Names that only weir uses: with a misspelt provider they are meant for weir all the same. */
const OWN_SUFFIXES = ["API_KEYS_FILE", "API_KEYS", "BASE_URLS"];

function nearProviderVariable(name: string, prefixes: readonly string[]): string | undefined {
  const prefix = longest(prefixes.filter((each) => name.startsWith(`${each}_`)));
  if (prefix !== undefined) {
    const suffix = nearSuffix(name.slice(prefix.length + 1));
    return suffix === undefined ? undefined : `${prefix}_${suffix}`;
  }
  const ending = OWN_SUFFIXES.find((each) => name.endsWith(`_${each}`));
  if (ending === undefined) return undefined;
  const start = name.slice(0, -ending.length - 1);
  // Short names are near to too much: Z.ai's ZAI_ is not XAI_.
  const near = start.length < 5 ? undefined : nearestNames(start, prefixes, 1)[0];
  return near === undefined ? undefined : `${near}_${ending}`;
}

/** RPM and its like are too short to tell a slip from another word. */
const COMPARED_SUFFIXES = PROVIDER_SUFFIXES.filter((suffix) => suffix.length > 4);
const MOST_EXTRA = 4;

const letters = (name: string): number => name.replaceAll("_", "").length;

function nearSuffix(rest: string): string | undefined {
  if (SDK_SUFFIXES.has(rest)) return undefined;
  const plainKey = /^(API)?KEYS?$/.exec(rest);
  if (plainKey !== null) return rest.endsWith("S") ? "API_KEYS" : "API_KEY";
  const extra = (suffix: string) => Math.abs(letters(suffix) - letters(rest));
  // A name that contains another counts as near to it, however much longer it is.
  const near = nearestNames(rest, COMPARED_SUFFIXES, COMPARED_SUFFIXES.length);
  return near.filter((each) => extra(each) <= MOST_EXTRA).toSorted((a, b) => extra(a) - extra(b))[0];
}

const longest = (names: readonly string[]): string | undefined =>
  names.toSorted((a, b) => b.length - a.length)[0];
