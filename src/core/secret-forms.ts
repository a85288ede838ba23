// The texts by which a secret may come back in what others say, for whoever takes secrets out of texts.
import type { Backend } from "./backend.ts";
import { Secret } from "./credential.ts";

/** Shorter ones are words that messages are full of (`dummy`, `ollama`, `Bearer`), not secrets. */
export const SHORTEST_FOUND = 8;

/** As it is, as it stands in a query, and its words: of `Bearer …` in a header, many quote only what follows. */
export function formsOf(secret: Secret): readonly string[] {
  const text = secret.reveal();
  const forms = [text, encodeURIComponent(text), ...text.split(/\s+/)];
  return [...new Set(forms)].filter((form) => form.length >= SHORTEST_FOUND);
}

/** What requests to a backend carry in their headers beside its key. */
export const headerSecrets = ({ headers }: Backend): readonly Secret[] =>
  headers === undefined ? [] : Object.values(headers).filter((value) => value instanceof Secret);
