// LLMRouter's config.yaml with its folder of backend files, or one such file by itself, as a draft.
import { posix } from "node:path";
import { createProviderBook } from "./dialect-book.ts";
import { FieldReader } from "./dialect-fields.ts";
import { SECTIONS, TOP_KEYS, UNKNOWN_KEY } from "./dialect-llmrouter-keys.ts";
import { type BackendFile, readBackendFiles, type Source, SOURCES } from "./dialect-llmrouter-rows.ts";
import { readHealth, readSettings, readWebhooks } from "./dialect-llmrouter-settings.ts";
import { readDocument } from "./document.ts";
import type { Dialect, Draft, DraftTerms } from "./draft.ts";
import { expandTree } from "./expand.ts";
import { reasonOf, readTextFile } from "./files.ts";
import { quoted } from "./problem.ts";
import { suggestion } from "./readers.ts";
import { describePlace, type Node, valueAt } from "./tree.ts";

export const LLMROUTER: Dialect = {
  name: "LLMRouter",
  recognises: (root) => isMainFile(root) || isBackendFile(root),
  read: readLlmRouter,
};

/** Sections that neither weir's own format nor another dialect has. */
const OWN_SECTIONS = ["routing", "backends", "http_client", "monitor", "health_check"];

const isMainFile = (root: Node): boolean =>
  valueAt(root, "model_list") === undefined &&
  valueAt(root, "providers") === undefined &&
  OWN_SECTIONS.some((section) => valueAt(root, section)?.kind === "map");

/** Its rows look like LiteLLM's, but for two parameters that only LLMRouter has, in a file without LiteLLM's settings. */
function isBackendFile(root: Node): boolean {
  const rows = valueAt(root, "model_list");
  if (rows?.kind !== "list") return false;
  if (
    root.kind === "map" &&
    root.entries.some(({ key }) => /^(litellm|general)_settings$|^include$/.test(key))
  )
    return false;
  const params = rows.items.map((row) => valueAt(row, "litellm_params"));
  return params.some(
    (each) =>
      each?.kind === "map" && each.entries.some(({ key }) => key === "source_type" || key === "rpm_limit"),
  );
}

function readLlmRouter(written: Node, terms: DraftTerms): Draft {
  const { variables, notes } = terms;
  const reader = new FieldReader(notes);
  const root = expandTree(written, variables, notes);
  const isMain = isMainFile(root);
  if (root.kind === "map" && isMain) {
    reader.checkKeys(root, TOP_KEYS, UNKNOWN_KEY);
    for (const { key, value } of root.entries) {
      const rules = SECTIONS[key];
      const section = rules === undefined ? undefined : reader.map(value);
      if (rules !== undefined && section !== undefined) reader.checkKeys(section, rules, UNKNOWN_KEY);
    }
  }
  const health = readHealth(root, reader);
  const book = createProviderBook(({ kind }) => (kind === "engine" ? { health } : {}));
  const files = isMain ? findBackendFiles(root, terms, reader) : [{ root }];
  const routes = readBackendFiles(files, book, reader);
  return {
    isForeign: true,
    options: readSettings(root, terms, reader),
    providers: book.providers(),
    routes,
    aliases: [],
    fallbacks: [],
    ...readWebhooks(root, reader),
  };
}

const DEFAULT_FOLDER = "configs";

/** All files of the enabled sources; a file's name begins with its source. */
function findBackendFiles(root: Node, terms: DraftTerms, reader: FieldReader): readonly BackendFile[] {
  const backends = valueAt(root, "backends");
  const folder = reader.placed(valueAt(backends, "config_dir"));
  const place = folder?.at ?? root.at;
  const path = besideOf(root.at.file, folder?.value ?? DEFAULT_FOLDER);
  const enabled = readSources(backends, terms, reader);
  const names = listNames(path, terms, (found) =>
    reader.refuse(place, "a readable folder of backend files", found),
  );
  return names.flatMap((name): BackendFile[] => {
    if (!/\.ya?ml$/i.test(name)) return [];
    const source = SOURCES.find((each) => name.toLowerCase().startsWith(each));
    const file = posix.join(path, name);
    if (source === undefined)
      reader.warn({ ...place, path: file }, "is not read: its name begins with no source's");
    if (source === undefined || !enabled.includes(source)) return [];
    const mention = { path: file, where: describePlace(place) };
    const text = readTextFile(terms.readFile, mention, terms.notes);
    const document = text === undefined ? undefined : readDocument(text, { file }, terms.notes);
    return document === undefined
      ? []
      : [{ root: expandTree(document, terms.variables, terms.notes), source }];
  });
}

function listNames(
  path: string,
  { listFolder }: DraftTerms,
  complain: (found: string) => void,
): readonly string[] {
  try {
    return listFolder(path);
  } catch (error) {
    complain(`${quoted(path)} (${reasonOf(error)})`);
    return [];
  }
}

const besideOf = (file: string, path: string): string =>
  path.startsWith("/") ? posix.normalize(path) : posix.join(posix.dirname(file), path);

/** The flag stands in place of the file's list. */
function readSources(
  backends: Node | undefined,
  { enabledSources }: DraftTerms,
  reader: FieldReader,
): readonly Source[] {
  const node = valueAt(backends, "enabled_sources");
  const listed = enabledSources ?? (node === undefined ? SOURCES : reader.texts(node));
  return listed.flatMap((name) => {
    const known = SOURCES.find((source) => source === name);
    if (known !== undefined) return [known];
    const sentence = `is ignored: LLMRouter has the sources ${SOURCES.join(" and ")}${suggestion(name, SOURCES)}`;
    if (enabledSources === undefined && node !== undefined)
      reader.warn(node.at, `${quoted(name)} ${sentence}`);
    else reader.notes.warnings.push(`--enabled-sources ${quoted(name)} ${sentence}`);
    return [];
  });
}
