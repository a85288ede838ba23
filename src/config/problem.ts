// One mistake of the user's, where it stands, and how it is said. Every reader of this room reports with it.
import { maskSecret, Secret } from "../core/credential.ts";

export interface Problem {
  /** Wrong flags are wrong usage (exit 64), everything else, files that they name too, a wrong configuration (78). */
  readonly kind: "usage" | "configuration";
  /** A variable, a flag, or a file with its line: `OPENAI_API_KEYS`, `--port`, `keys.env:3 WEIR_PORT`. */
  readonly where: string;
  readonly expected: string;
  /** Ready to be shown: quoted, and masked where it may be a key. */
  readonly found?: string;
}

/** `cannot read WEIR_PORT: expected 0 to 65535, found "80a"` */
export function formatProblem({ where, expected, found }: Problem): string {
  return `cannot read ${where}: expected ${expected}${found === undefined ? "" : `, found ${found}`}`;
}

/** EX_USAGE and EX_CONFIG of sysexits.h. */
export function exitCodeOf(problems: readonly Problem[]): 64 | 78 {
  return problems.some((problem) => problem.kind === "usage") ? 64 : 78;
}

/** Where readers put what they found out besides their result. */
export interface Notes {
  readonly problems: Problem[];
  readonly warnings: string[];
  /** Files whose change asks for a new parse. */
  readonly watched: string[];
}

export const createNotes = (): Notes => ({ problems: [], warnings: [], watched: [] });

const LONGEST_QUOTED = 60;
/** Nothing that is typed by hand looks like this; a key in the wrong variable does. */
const LIKE_A_KEY = /^(?=.*\d)[\w-]{20,}$/;
/** Characters that could break or reorder the line of a terminal or log. */
const UNPRINTABLE = /[\p{Cc}\u00a0\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu;

/** What stands before the at sign of a URL. */
const USER_INFO = /:\/\/[^/\s]*@/g;

/** Without what a terminal would follow, and without passwords in URLs. */
export const escaped = (text: string): string =>
  text
    .replaceAll(USER_INFO, "://***@")
    .replaceAll(UNPRINTABLE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** Text that users wrote, for a message: in quotes, and not too long. */
export function quoted(text: string): string {
  if (LIKE_A_KEY.test(text.trim())) return plain(text);
  const safe = escaped(text).replaceAll('"', '\\"');
  return `"${safe.length > LONGEST_QUOTED ? `${safe.slice(0, LONGEST_QUOTED)}…` : safe}"`;
}

/** Text that users wrote, for a list of settings. */
export function plain(text: string): string {
  const trimmed = text.trim();
  return LIKE_A_KEY.test(trimmed) ? maskSecret(new Secret(trimmed)) : escaped(trimmed);
}
