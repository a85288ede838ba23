// Keeps the file that tells weir of the services, in weir's own format or as LLMRouter's and LiteLLM's list of models. What
// users wrote beside the addresses stays: comments, weights, limits.
import { basename, dirname, join } from "node:path";
import { isMap, parseDocument, type Document } from "yaml";
import { holdFile } from "./hold-file.ts";
import { removeModelRows, upsertModelRow } from "./model-list.ts";
import { removeAddress, upsertAddress } from "./own-file.ts";
import { readIfThere, replaceFile } from "./replace-file.ts";
import type { FileForm, Row } from "./row.ts";
import { keepLayout, layoutOf } from "./yaml-layout.ts";

export interface BackendFile {
  readonly path: string;
  readonly form: FileForm;
}

export type Edited =
  | { readonly kind: "text"; readonly text: string; readonly notes: readonly string[] }
  | { readonly kind: "flaw"; readonly flaw: string };

export type Found =
  | { readonly kind: "file"; readonly file: BackendFile }
  | { readonly kind: "flaw"; readonly flaw: string };

/** LLMRouter's folder and file when its main file says nothing else. */
const LLMROUTER_FOLDER = "configs";
const LLMROUTER_FILE = "self_deployed_config.yaml";
const LLMROUTER_SECTIONS = ["routing", "backends", "http_client", "monitor", "health_check"];

/** A main file of LLMRouter leads to its backend file; another file is written itself, in the form that it has. */
export function findBackendFile(path: string, read = readIfThere): Found {
  if (!/\.ya?ml$/i.test(path))
    return { kind: "flaw", flaw: `cannot keep ${path}: expected a file whose name ends in .yaml or .yml` };
  let text: string | undefined;
  try {
    text = read(path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    return { kind: "flaw", flaw: `cannot read ${path}: ${String(error.code)}` };
  }
  if (text === undefined) {
    // LLMRouter tells the source of its files by their names.
    const form = /^self_deployed/i.test(basename(path)) ? "llmrouter" : "own";
    return { kind: "file", file: { path, form } };
  }
  const opened = openDocument(text, path);
  if (opened.kind === "flaw") return opened;
  const { document } = opened;
  if (document.has("model_list")) return { kind: "file", file: { path, form: listForm(document) } };
  if (document.has("providers") || !LLMROUTER_SECTIONS.some((key) => isMap(document.get(key))))
    return { kind: "file", file: { path, form: "own" } };
  const given = document.getIn(["backends", "config_dir"]);
  const folder = join(dirname(path), typeof given === "string" ? given : LLMROUTER_FOLDER);
  return { kind: "file", file: { path: join(folder, LLMROUTER_FILE), form: "llmrouter" } };
}

/** LiteLLM's settings beside the rows tell its files from LLMRouter's. */
const listForm = (document: Document): FileForm =>
  ["litellm_settings", "general_settings", "router_settings", "include"].some((key) => document.has(key))
    ? "litellm"
    : "llmrouter";

/** A row for the service; one of the same address is changed to serve it, and keeps what else it says. */
export function upsertRow(text: string, row: Row, file: BackendFile): Edited {
  return edit(text, file, (document) =>
    file.form === "own" ? upsertAddress(document, row) : upsertModelRow(document, row, file.form),
  );
}

/** Without the rows of these addresses, and without what leads to nothing then. */
export function removeRows(text: string, urls: ReadonlySet<string>, file: BackendFile): Edited {
  return edit(text, file, (document) =>
    file.form === "own" ? removeAddress(document, urls) : removeModelRows(document, urls),
  );
}

function edit(text: string, file: BackendFile, change: (document: Document) => readonly string[]): Edited {
  const opened = openDocument(text, file.path);
  if (opened.kind === "flaw") return opened;
  const { document } = opened;
  const before = document.toString(layoutOf(text));
  const notes = change(document);
  const after = document.toString(layoutOf(text));
  // Where nothing is to be changed, not even blanks are.
  if (after === before) return { kind: "text", text, notes };
  const kept = keepLayout(text, before, after);
  const isSame = kept !== undefined && Bun.deepEquals(valuesOf(kept), valuesOf(after));
  return { kind: "text", text: isSame ? kept : after, notes };
}

const valuesOf = (text: string): unknown => {
  const document = parseDocument(text, { version: "1.2" });
  return document.errors.length > 0 ? undefined : document.toJS();
};

type Opened =
  | { readonly kind: "document"; readonly document: Document }
  | { readonly kind: "flaw"; readonly flaw: string };

function openDocument(text: string, path: string): Opened {
  const document = parseDocument(text, { version: "1.2", prettyErrors: true });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line } = error.linePos?.[0] ?? {};
    const [sentence] = error.message.split(/ at line |\n/);
    return {
      kind: "flaw",
      flaw: `cannot read ${path}${line === undefined ? "" : `:${line}`}: ${sentence ?? ""}`,
    };
  }
  if (document.contents === null) document.contents = document.createNode({}) as never;
  if (!isMap(document.contents))
    return { kind: "flaw", flaw: `cannot keep ${path}: expected a map at its top level` };
  document.contents.flow = document.contents.flow === true && document.contents.items.length > 0;
  return { kind: "document", document };
}

const READABLE = 0o644;

export type Kept =
  | { readonly kind: "kept"; readonly isChanged: boolean; readonly notes: readonly string[] }
  | { readonly kind: "flaw"; readonly flaw: string };

/** Reads, changes and replaces the file in one go, as no other run does meanwhile; nothing is written where nothing changes. */
export function keepBackendFile(file: BackendFile, change: (text: string) => Edited): Kept {
  try {
    return holdFile(file.path, (): Kept => {
      const text = readIfThere(file.path) ?? "";
      const edited = change(text);
      if (edited.kind === "flaw") return edited;
      const isChanged = edited.text !== text;
      if (isChanged) replaceFile(file.path, edited.text, READABLE);
      return { kind: "kept", isChanged, notes: edited.notes };
    });
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    return { kind: "flaw", flaw: `cannot write ${file.path}: ${error.message}` };
  }
}
