// Reads texts in the own format from plain records: variables, files by path.
import { readDocument } from "../../src/config/document.ts";
import type { Draft } from "../../src/config/draft.ts";
import { readOwnFormat } from "../../src/config/own-format.ts";
import { createNotes, formatProblem } from "../../src/config/problem.ts";
import type { Variables } from "../../src/config/variables.ts";

export interface OwnSetting {
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
}

export interface OwnRead {
  /** Undefined when the text is no tree at all. */
  readonly draft: Draft | undefined;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
  readonly watched: readonly string[];
}

export const variablesOf = (env: Readonly<Record<string, string>>): Variables =>
  new Map(Object.entries(env).map(([name, text]) => [name, { name, text, where: name }]));

export function readOwn(text: string, { env = {}, files = {} }: OwnSetting = {}): OwnRead {
  const notes = createNotes();
  const root = readDocument(text, { file: "weir.yaml" }, notes);
  const readFile = (path: string): string => {
    const found = files[path];
    if (found === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: "ENOENT" });
    return found;
  };
  const terms = { variables: variablesOf(env), readFile, listFolder: () => [], notes };
  const draft = root === undefined ? undefined : readOwnFormat(root, terms);
  const { problems, warnings, watched } = notes;
  return { draft, problems: problems.map(formatProblem), warnings, watched };
}

/** The draft of a text without a mistake. */
export function draftOf(text: string, setting?: OwnSetting): Draft {
  const { draft, problems } = readOwn(text, setting);
  if (draft !== undefined && problems.length === 0) return draft;
  throw new Error(`not a configuration:\n${problems.join("\n")}`);
}

/** Without the words that are the same everywhere. */
export const problemsOf = (text: string, setting?: OwnSetting): readonly string[] =>
  readOwn(text, setting).problems.map((problem) => problem.replace("cannot read weir.yaml:", ""));
