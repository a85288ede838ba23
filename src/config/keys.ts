// A provider's pool of keys from its variables: P_API_KEYS and P_API_KEYS_FILE together, else P_API_KEY.
import { maskSecret, Secret } from "../core/credential.ts";
import { type ReadFile, readTextFile } from "./files.ts";
import { type Notes, quoted } from "./problem.ts";
import type { PrefixedVariables } from "./prefixed.ts";
import { type Reading, value } from "./readers.ts";
import type { Variable } from "./variables.ts";
import { splitWeight } from "./weighted.ts";

export interface WeightedKey {
  readonly secret: Secret;
  readonly weight: number;
}

export interface KeyPool {
  readonly keys: readonly WeightedKey[];
  /** True when keys were given at all, usable or not. */
  readonly given: boolean;
  /** True when they came as weir's own list or file rather than as one key that may be there for an SDK. */
  readonly isList: boolean;
  /** Where they were found. */
  readonly from: readonly string[];
}

interface Mention {
  readonly text: string;
  readonly where: string;
  /** Tells one of several in the same place: `key 2 `. */
  readonly which: string;
}

export function readKeyPool(variables: PrefixedVariables, readFile: ReadFile, notes: Notes): KeyPool {
  const lists = variables.all("API_KEYS");
  const files = variables.all("API_KEYS_FILE");
  const mentions = [
    ...lists.flatMap(mentionsOf),
    ...files.flatMap((variable) => mentionsInFile(variable, readFile, notes)),
  ];
  if (mentions.length > 0 || files.length > 0)
    return {
      keys: readKeys(mentions, notes),
      given: true,
      isList: true,
      from: [...lists, ...files].map(({ where }) => where),
    };
  const singles = variables.all("API_KEY");
  const keys = readKeys(
    singles.flatMap((variable) => singleMention(variable, notes)),
    notes,
  );
  return { keys, given: singles.length > 0, isList: false, from: singles.map(({ where }) => where) };
}

function mentionsOf({ text, where }: Variable): Mention[] {
  const items = splitItems(text);
  return items.map((item, at) => ({ text: item, where, which: items.length > 1 ? `key ${at + 1} ` : "" }));
}

/** Users export one key for SDKs; a list there would be sent as one key by all of them. */
function singleMention(variable: Variable, notes: Notes): Mention[] {
  const mentions = mentionsOf(variable);
  if (mentions.length <= 1) return mentions;
  const expected = `one key; several go into ${variable.name}S`;
  notes.problems.push({
    kind: "configuration",
    where: variable.where,
    expected,
    found: `${mentions.length} parts`,
  });
  return [];
}

function mentionsInFile(mention: FileOfKeys, readFile: ReadFile, notes: Notes): Mention[] {
  const path = mention.text.trim();
  const text = readTextFile(readFile, { path, where: mention.where }, notes);
  if (text === undefined) return [];
  const mentions = text.split(/\r\n|\n|\r/).flatMap((line, at) => {
    const bare = line.replace(/(^|\s)#.*$/, "");
    return splitItems(bare).map((item) => ({ text: item, where: `${path}:${at + 1}`, which: "" }));
  });
  if (mentions.length === 0)
    notes.problems.push({
      kind: "configuration",
      where: mention.where,
      expected: "a file with one key a line",
      found: `${quoted(path)} (no key in it)`,
    });
  return mentions;
}

/** A path, and what names it. */
type FileOfKeys = Pick<Variable, "text" | "where">;

/** The keys in a file, one a line; what is wrong with it goes to the notes. */
export const readKeyFile = (file: FileOfKeys, readFile: ReadFile, notes: Notes): readonly WeightedKey[] =>
  readKeys(mentionsInFile(file, readFile, notes), notes);

/** What one key, or a comma list of keys, is made of. */
export const splitItems = (text: string): string[] =>
  text
    .split(/[,\n\r]/)
    .map((item) => item.trim())
    .filter((item) => item !== "");

/** Each key once, at its first place. */
function readKeys(mentions: readonly Mention[], notes: Notes): WeightedKey[] {
  const keys = new Map<string, WeightedKey>();
  for (const { text, where, which } of mentions) {
    const reading = readKey(text);
    if (reading.kind === "unread") {
      const found = `${which}${maskSecret(new Secret(text))}`;
      notes.problems.push({ kind: "configuration", where, expected: reading.expected, found });
    } else if (!keys.has(reading.value.secret.reveal()))
      keys.set(reading.value.secret.reveal(), reading.value);
  }
  return [...keys.values()];
}

/** `k`, or `k*3` with its weight. */
export function readKey(text: string): Reading<WeightedKey> {
  const split = splitWeight(text);
  if (split === undefined) return { kind: "unread", expected: "a weight of 0 or more after the star" };
  const expected = flawOf(split.item);
  if (expected !== undefined) return { kind: "unread", expected };
  return value({ secret: new Secret(split.item), weight: split.weight });
}

/** What a header cannot carry, and what a shell or a template left behind. */
function flawOf(key: string): string | undefined {
  if (key === "") return "a key before the star";
  if (/^["'`]|["'`]$/.test(key)) return "a key without quotes around it";
  if (/^\$(\w+|\{.*\})$/.test(key)) return "the key itself (a reference like ${NAME} is not expanded here)";
  if (/\s/.test(key)) return "a key without blanks in it";
  if (/\p{Cc}/u.test(key)) return "a key without control characters";
  if (/[^\p{ASCII}\u0080-\u00ff]/u.test(key)) return "a key of plain characters only (Latin-1)";
  return undefined;
}
