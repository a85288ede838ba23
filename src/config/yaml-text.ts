// Text to YAML's own nodes within bounds: what is too large, too deep or not YAML is told with its line and column.
import { Composer, Lexer, type ParsedNode, Parser } from "yaml";
import { MOST_CHARACTERS, MOST_DEPTH, MOST_NODES } from "./tree-limits.ts";
import { describeFlaw, isUnclosed } from "./yaml-flaws.ts";

/** A mistake at an offset of the text. */
export interface Flaw {
  readonly offset: number;
  readonly expected: string;
  readonly found?: string;
}

export interface ParsedText {
  /** Undefined where nothing can be made of the text, and for an empty one. */
  readonly root: ParsedNode | undefined;
  readonly flaws: readonly Flaw[];
}

type Token = ReturnType<Parser["next"]> extends Generator<infer T> ? T : never;

/** One mistake brings further ones with it; after these the rest is noise. */
const MOST_FLAWS = 10;
/** A value has its text, its marker, blanks, a colon and a line end. */
const MOST_LEXEMES = MOST_NODES * 6;

const SCALAR_MARK = "\u001f";

export function parseYaml(text: string): ParsedText {
  if (text.length > MOST_CHARACTERS) {
    const found = `${text.length}`;
    return {
      root: undefined,
      flaws: [{ offset: 0, expected: `at most ${MOST_CHARACTERS} characters`, found }],
    };
  }
  const read = readTokens(text);
  if (read.kind === "flaw") return { root: undefined, flaws: [read.flaw] };
  return compose(read.tokens, read, text);
}

interface Landmarks {
  readonly tags: readonly Flaw[];
  /** Where quoted texts begin. */
  readonly quotes: readonly number[];
}

type ReadTokens =
  | ({ readonly kind: "tokens"; readonly tokens: readonly Token[] } & Landmarks)
  | { readonly kind: "flaw"; readonly flaw: Flaw };

/** The composer is recursive, so depth and number are looked at before it. */
function readTokens(text: string): ReadTokens {
  const parser = new Parser();
  const tokens: Token[] = [];
  const tags: Flaw[] = [];
  const quotes: number[] = [];
  let [count, errors] = [0, 0];
  let isText = false;
  for (const lexeme of new Lexer().lex(text)) {
    count += 1;
    if (!isText && lexeme.startsWith("!"))
      tags.push({ offset: parser.offset, expected: "a value without a tag (!): the place tells its type" });
    if (!isText && /^["']/.test(lexeme)) quotes.push(parser.offset);
    isText = lexeme === SCALAR_MARK;
    for (const token of parser.next(lexeme)) {
      tokens.push(token);
      if (token.type === "error") errors += 1;
    }
    if (errors > MOST_FLAWS) break;
    if (parser.stack.length > MOST_DEPTH * 2)
      return tooMuch(parser.offset, `at most ${MOST_DEPTH} maps and lists within each other`);
    if (count > MOST_LEXEMES) return tooMuch(parser.offset, `at most ${MOST_NODES} values`);
  }
  tokens.push(...parser.end());
  return { kind: "tokens", tokens, tags, quotes };
}

const tooMuch = (offset: number, expected: string): ReadTokens => ({
  kind: "flaw",
  flaw: { offset, expected },
});

function compose(tokens: readonly Token[], { tags, quotes }: Landmarks, text: string): ParsedText {
  // Duplicate keys are looked for by ourselves: the library compares each with each.
  const composer = new Composer({
    version: "1.2",
    schema: "core",
    strict: true,
    uniqueKeys: false,
    merge: false,
    resolveKnownTags: false,
    prettyErrors: false,
    logLevel: "silent",
  });
  const [document, second] = [...composer.compose(tokens)];
  if (document === undefined) return { root: undefined, flaws: [] };
  const found = [...document.errors, ...document.warnings.filter(({ code }) => code === "BAD_DIRECTIVE")]
    .filter(
      ({ code }) => tags.length === 0 || (code !== "TAG_RESOLVE_FAILED" && code !== "BAD_COLLECTION_TYPE"),
    )
    .map(({ pos: [offset], code, message }): Flaw => {
      // The library points at the end of a text that was not closed, which may be the end of the file.
      const start = isUnclosed(message) ? quotes.findLast((quote) => quote < offset) : undefined;
      return { offset: start ?? offset, expected: describeFlaw(code, message) };
    });
  if (second !== undefined)
    found.push({ offset: second.range[0], expected: "one document, without a further --- line" });
  const flaws = oneEachLine(found, text).slice(0, MOST_FLAWS);
  // After a mistake of syntax nobody knows what the rest was meant to be.
  return {
    root: flaws.length > 0 ? undefined : (document.contents ?? undefined),
    flaws: [...flaws, ...tags],
  };
}

/** The first of each line: one mistake is often seen several times over. */
function oneEachLine(flaws: readonly Flaw[], text: string): readonly Flaw[] {
  const sorted = flaws.toSorted((a, b) => a.offset - b.offset);
  return sorted.filter(({ offset }, index) => {
    const before = sorted[index - 1];
    return before === undefined || text.slice(before.offset, offset).includes("\n");
  });
}
