// LLMRouter's backend files: rows of one model at one address, whose source says whether it is an engine of one's own.
import type { Secret } from "../core/credential.ts";
import { isPlaceholder, type ProviderBook, providerAt, readAddress } from "./dialect-book.ts";
import type { FieldReader } from "./dialect-fields.ts";
import { FILE_KEYS, PARAMETER_KEYS, ROW_KEYS, UNKNOWN_KEY } from "./dialect-llmrouter-keys.ts";
import type { DraftRoute, DraftTarget } from "./draft.ts";
import { findProvider, type Provider } from "./providers.ts";
import { type Node, type Place, valueAt } from "./tree.ts";

/** `self_deployed` are engines, probed and asked for their queues; `openai` are services. */
export const SOURCES = ["openai", "self_deployed"] as const;
export type Source = (typeof SOURCES)[number];

export interface BackendFile {
  readonly root: Node;
  /** Absent: each row's own says. */
  readonly source?: Source;
}

interface Row {
  readonly name: string;
  readonly target: DraftTarget;
}

export function readBackendFiles(
  files: readonly BackendFile[],
  book: ProviderBook,
  reader: FieldReader,
): readonly DraftRoute[] {
  const rows = files.flatMap(({ root, source }) => {
    const map = reader.map(root);
    if (map !== undefined) reader.checkKeys(map, FILE_KEYS, UNKNOWN_KEY);
    const items = reader.list(valueAt(root, "model_list"))?.items ?? [];
    return items.flatMap((item) => readRow(item, { source, book, reader }) ?? []);
  });
  const routes = new Map<string, DraftTarget[]>();
  for (const { name, target } of rows) {
    const targets = routes.get(name) ?? [];
    routes.set(name, targets);
    const twin = targets.find((other) => placeOf(other) === placeOf(target));
    if (twin === undefined) targets.push(target);
    else reader.warn(target.at, "is the same model, address and key as a row above, and counts once");
  }
  return [...routes].map(([name, targets]) => {
    const drained = targets.filter(({ weight }) => weight === 0);
    if (drained.length < targets.length)
      for (const { at } of drained)
        reader.warn(at, "has weight 0 beside rows with more, and gets no requests (LLMRouter counts 0 as 1)");
    return { name, at: targets[0]?.at ?? NOWHERE, targets };
  });
}

const NOWHERE: Place = { file: "", line: 1, column: 1, path: "" };

const placeOf = ({ provider, key, address }: DraftTarget): string =>
  JSON.stringify([provider, key?.reveal(), address]);

interface RowTerms {
  readonly source: Source | undefined;
  readonly book: ProviderBook;
  readonly reader: FieldReader;
}

function readRow(node: Node, { source: given, book, reader }: RowTerms): Row | undefined {
  const row = reader.map(node);
  const params = reader.map(valueAt(row, "litellm_params"));
  if (row === undefined) return undefined;
  const name = reader.text(valueAt(row, "model_name"));
  const written = reader.placed(valueAt(params, "api_base"));
  if (name === undefined || params === undefined || written === undefined)
    return reader.refuse(row.at, "model_name, and litellm_params with api_base", "a row without one of them");
  reader.checkKeys(row, ROW_KEYS, UNKNOWN_KEY);
  reader.checkKeys(params, PARAMETER_KEYS, UNKNOWN_KEY);
  const address = readAddress(written.value, written.at, reader.notes);
  const key = reader.secret(valueAt(params, "api_key"));
  const weight = reader.number(valueAt(params, "weight")) ?? 1;
  const rpm = valueAt(params, "rpm_limit");
  const limit = reader.number(rpm);
  if (address === undefined) return undefined;
  if (rpm !== undefined && limit === 0) {
    reader.warn(rpm.at, "is 0: its row can never be used, as in LLMRouter, and is left out");
    return undefined;
  }
  const source =
    given ?? (reader.text(valueAt(params, "source_type")) === "self_deployed" ? "self_deployed" : "openai");
  const base = baseOf(source, address.origin);
  const reference = book.refer({ base, label: source, address, ...usedKey(base, key), at: row.at });
  const limits = limit === undefined ? {} : { limits: { requestsPerMinute: Math.floor(limit) } };
  return { name, target: { ...reference, at: row.at, weight, ...limits } };
}

/** An engine of any kind: weir knows the metrics of both vLLM and SGLang by their names. */
function baseOf(source: Source, origin: string): Provider {
  const name = source === "self_deployed" ? "vllm" : "openai";
  const base = (source === "openai" ? providerAt(origin) : undefined) ?? findProvider(name);
  if (base === undefined) throw new RangeError(`cannot read row: no provider ${name} in the table`);
  return base;
}

const usedKey = ({ kind }: Provider, key: Secret | undefined): { readonly key?: Secret } =>
  key === undefined || (kind === "engine" && isPlaceholder(key)) ? {} : { key };
