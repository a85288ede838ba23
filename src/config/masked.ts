// What may be shown of a word in a file that was read: all of a short or ordinary one, nothing of what may be a key.
import { escaped, quoted } from "./problem.ts";

/** Shorter ones are words and numbers of everyday; longer ones are shown when they look like names. */
const SHORTEST_KEY = 16;
const LONGEST_SHOWN = 60;

/** Letters and digits in a row, as no name has them: hexadecimal, base64, the tail of a UUID. */
const LONG_RUN = /[A-Za-z0-9]{20}/;
const MIXED_RUN = /(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{12}/;
/** Where lower case, upper case and digits change. `Qwen2.5-72B-Instruct-AWQ-Int4` has six. */
const CHANGE = /[a-z](?=[A-Z0-9])|[A-Z](?=[a-z0-9])|\d(?=[A-Za-z])/g;
const MOST_CHANGES = 8;

/** The one vocabulary of a foreign format that is longer than names are: `ContentPolicyViolationErrorAllowedFails`. */
const LITELLM_COUNT = /^[A-Za-z]{7,30}Error(Retries|AllowedFails)$/;

/** True for text that nobody chose as a name. */
export function looksSecret(text: string): boolean {
  if (text.length < SHORTEST_KEY || LITELLM_COUNT.test(text)) return false;
  return LONG_RUN.test(text) || MIXED_RUN.test(text) || (text.match(CHANGE)?.length ?? 0) > MOST_CHANGES;
}

/** A name that users chose, in quotes: model, provider, key of a map. */
export const shownName = (name: string): string =>
  looksSecret(name) || name.length > LONGEST_SHOWN
    ? `a name of ${name.length} characters`
    : `"${escaped(name).replaceAll('"', '\\"')}"`;

/** A value where something else belongs: nothing of it that is longer than everyday words. */
export const shownValue = (text: string): string =>
  text.length < SHORTEST_KEY ? quoted(text) : `a text of ${text.length} characters`;
