// The rows of LLMRouter's and LiteLLM's files: one a service, known by its address.
import { type Document, isMap, isSeq, YAMLSeq } from "yaml";
import { comparable, type FileForm, type Row } from "./row.ts";

const PARAMS = "litellm_params";

export function upsertModelRow(document: Document, row: Row, form: FileForm): readonly string[] {
  const rows = rowsOf(document);
  const present = rows.items.filter((item) => addressOf(item) === comparable(row.url));
  for (const item of present) {
    if (!isMap(item) || item.get("model_name") === escapeReferences(row.servedName)) continue;
    // Another model than before answers at this address.
    item.set("model_name", escapeReferences(row.servedName));
    item.setIn([PARAMS, "model"], modelOf(row, form));
  }
  if (present.length === 0) rows.add(document.createNode(newRow(row, form)));
  return [];
}

export function removeModelRows(document: Document, urls: ReadonlySet<string>): readonly string[] {
  const rows = rowsOf(document);
  const wanted = new Set([...urls].map(comparable));
  rows.items = rows.items.filter((item) => !wanted.has(addressOf(item) ?? ""));
  return [];
}

function rowsOf(document: Document): YAMLSeq {
  const given: unknown = document.get("model_list");
  if (isSeq(given)) {
    if (given.items.length === 0) given.flow = false;
    return given;
  }
  const rows = new YAMLSeq();
  document.set("model_list", rows);
  return rows;
}

function addressOf(item: unknown): string | undefined {
  if (!isMap(item)) return undefined;
  const params = item.get(PARAMS);
  const address = isMap(params) ? (params.get("api_base") ?? params.get("base_url")) : undefined;
  return typeof address === "string" ? comparable(address) : undefined;
}

/** weir expands `${NAME}` in values; `$${` is `${` itself. */
const escapeReferences = (text: string): string => text.replaceAll("${", "$${");

const modelOf = ({ servedName, engine }: Row, form: FileForm): string =>
  `${form === "litellm" && engine === "vllm" ? "hosted_vllm" : "openai"}/${escapeReferences(servedName)}`;

function newRow(row: Row, form: FileForm): unknown {
  const common = { model: modelOf(row, form), api_base: row.url, api_key: "dummy" };
  return {
    model_name: escapeReferences(row.servedName),
    [PARAMS]:
      form === "litellm"
        ? common
        : {
            ...common,
            supports_vision: /vl|vision/i.test(row.servedName),
            weight: 1,
            source_type: "self_deployed",
            rpm_limit: null,
          },
  };
}
