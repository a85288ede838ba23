// What users write as the value of a header that a provider gets: a secret, unless providers publish what stands there.
import { Secret } from "../core/credential.ts";

/** Error messages would be riddles without these words, and nobody is let in by them. */
const PUBLIC: ReadonlySet<string> = new Set(
  (
    "accept accept-language anthropic-beta anthropic-version content-type http-referer openai-beta " +
    "openai-organization openai-project user-agent x-title"
  ).split(" "),
);

/** `name` in lower case. */
export const headerValue = (name: string, text: string): string | Secret =>
  PUBLIC.has(name) ? text : new Secret(text);
