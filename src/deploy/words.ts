// Words for a POSIX shell: one word quoted so that the shell reads it as it is, and a line split as a shell would.

/** Within single quotes nothing has a meaning but the quote itself. */
export const quoteWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;

export type SplitWords =
  | { readonly kind: "words"; readonly words: readonly string[] }
  | { readonly kind: "flaw"; readonly expected: string };

/** Quotes and backslashes as in a shell; nothing is expanded, so `$HOME` and `*` are themselves. */
export function splitWords(line: string): SplitWords {
  const words: string[] = [];
  let word: string | undefined;
  let quote: "'" | '"' | undefined;
  for (let at = 0; at < line.length; at += 1) {
    const char = line.charAt(at);
    if (char === "\\" && quote !== "'") {
      const next = line.charAt(at + 1);
      if (next === "") return { kind: "flaw", expected: "a character after the last backslash" };
      // Between double quotes a backslash is one, unless what follows would mean something there.
      const stays = quote === '"' && !/["\\$`\n]/.test(next);
      word = (word ?? "") + (stays ? char : "") + (next === "\n" ? "" : next);
      at += 1;
    } else if (quote === undefined && (char === "'" || char === '"')) {
      quote = char;
      word ??= "";
    } else if (char === quote) quote = undefined;
    else if (quote === undefined && /\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + char;
  }
  if (quote !== undefined) return { kind: "flaw", expected: `a closing ${quote}` };
  return { kind: "words", words: word === undefined ? words : [...words, word] };
}
