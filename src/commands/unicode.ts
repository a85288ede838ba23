// Whether a terminal shows more than ASCII, by what the environment says of its language.
import type { Invocation } from "./invocation.ts";

/** A machine that says nothing of its language is taken for one of today. */
export function isUnicodeTerminal(env: Invocation["env"]): boolean {
  const locale = [env["LC_ALL"], env["LC_CTYPE"], env["LANG"]].find(
    (value) => value !== undefined && value !== "",
  );
  return locale === undefined || /utf-?8/i.test(locale);
}
