// Which configuration files there are, and what they ask for: named by flag or variable, else found beside an otherwise
// empty start.
import { Buffer } from "node:buffer";
import { findDialect } from "./dialects.ts";
import { readDocument } from "./document.ts";
import type { Draft, DraftTerms } from "./draft.ts";
import { type ReadFile, readTextFile } from "./files.ts";
import type { ParsedFlags } from "./flags.ts";
import type { OptionKey } from "./options.ts";
import { readOwnFormat } from "./own-format.ts";
import type { Notes } from "./problem.ts";
import { splitList } from "./readers.ts";
import type { Given } from "./resolve-options.ts";
import { findVariable, type Variables } from "./variables.ts";

/** A text to read, and what named it. */
export type ConfigSource =
  | { readonly kind: "file"; readonly path: string; readonly where: string }
  | { readonly kind: "text"; readonly text: string; readonly where: string };

/** Read from the current folder when nothing else is configured; the first one that exists. */
const OWN_FILE = "weir.yaml";
const DEFAULT_FILES = [OWN_FILE, "config.yaml"];

/** LMRouter's: the whole file, in base64. */
const WHOLE_FILE = "LMROUTER_CONFIG";
/** DeepWiki's: the folder of its key file. */
const KEY_FOLDER = "DEEPWIKI_CONFIG_DIR";
const KEY_FILE = "api_keys.json";

export function findSources(flags: ParsedFlags, variables: Variables): readonly ConfigSource[] {
  const byFlag = flags.given.get("config") ?? [];
  if (byFlag.length > 0) return byFlag.map((path) => file(path, FLAG));
  const variable = findVariable(variables, "WEIR_CONFIG");
  if (variable !== undefined) return splitList(variable.text).map((path) => file(path, variable.where));
  const folder = findVariable(variables, KEY_FOLDER);
  if (folder !== undefined)
    return [file(`${folder.text.trim().replace(/\/+$/, "")}/${KEY_FILE}`, folder.where)];
  const whole = findVariable(variables, WHOLE_FILE);
  if (whole === undefined) return [];
  return [{ kind: "text", text: Buffer.from(whole.text, "base64").toString("utf8"), where: whole.where }];
}

const FLAG = "--config";

const file = (path: string, where: string): ConfigSource => ({ kind: "file", path, where });

/** The default file that is there; undefined when none is. */
export function findDefaultFile(readFile: ReadFile): ConfigSource | undefined {
  const path = DEFAULT_FILES.find((name) => isThere(name, readFile));
  return path === undefined ? undefined : file(path, "the current folder");
}

/** Whoever wrote it expects it to count; a config.yaml may be another program's. */
export function warnOfUnread(readFile: ReadFile, notes: Notes): void {
  if (isThere(OWN_FILE, readFile))
    notes.warnings.push(
      `${OWN_FILE} of the current folder is not read, as variables name providers; --config ${OWN_FILE} reads it too`,
    );
}

function isThere(name: string, readFile: ReadFile): boolean {
  try {
    readFile(name);
    return true;
  } catch {
    return false; // not there, or not ours to read: the start goes on without it
  }
}

/** What the files ask for, in order; those that cannot be read have told why. */
export function readDrafts(sources: readonly ConfigSource[], terms: DraftTerms): readonly Draft[] {
  return sources.flatMap((source) => {
    const { notes } = terms;
    const name = source.kind === "file" ? source.path : source.where;
    const text =
      source.kind === "text"
        ? source.text
        : readTextFile(terms.readFile, { path: source.path, where: source.where }, notes);
    const root = text === undefined ? undefined : readDocument(text, { file: name }, notes);
    if (root === undefined) return [];
    const dialect = findDialect(root);
    return dialect === undefined ? readOwnFormat(root, terms) : dialect.read(root, terms);
  });
}

/** The options of all files as one layer; two files that differ are a mistake. */
export function mergeOptions(drafts: readonly Draft[], notes: Notes): ReadonlyMap<OptionKey, Given> {
  const merged = new Map<OptionKey, Given>();
  for (const [key, given] of drafts.flatMap(({ options }) => [...options])) {
    const before = merged.get(key);
    if (before === undefined || (before.isImplied === true && given.isImplied !== true))
      merged.set(key, given);
    else if (given.isImplied !== true && before.text !== given.text)
      notes.problems.push({
        kind: "configuration",
        where: given.where,
        // Neither text is shown: it may be a secret, or have come from a variable that holds one.
        expected: `the same as ${before.where}, or only one of them`,
      });
  }
  return merged;
}
