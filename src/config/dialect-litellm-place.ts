// Where a row of LiteLLM's leads: provider, address, key and the model's name there, with LiteLLM's variables where the row is silent.
import type { Secret } from "../core/credential.ts";
import { AZURE_VERSION, type AzureVersion, readAzureVersion } from "./azure.ts";
import { type BaseAddress, isPlaceholder, providerAt, readAddress, type RowPlace } from "./dialect-book.ts";
import type { LiteLlmFile } from "./dialect-litellm-file.ts";
import { baseVariablesOf, keyVariablesOf, readModelString } from "./dialect-litellm-model.ts";
import { definedOf } from "./draft-backends.ts";
import { quoted } from "./problem.ts";
import type { Provider } from "./providers.ts";
import { describePlace, type MapNode, type Node, type Place, valueAt } from "./tree.ts";
import { findVariable } from "./variables.ts";

/** A field of the row, or of the credential that it names. */
export type Field = (key: string) => Node | undefined;

export interface ModelPlace extends RowPlace {
  readonly model: string;
}

export function readPlace(params: MapNode, field: Field, file: LiteLlmFile): ModelPlace | undefined {
  const { reader, variables } = file;
  const text = reader.placed(valueAt(params, "model"));
  if (text === undefined) return reader.refuse(params.at, "model, such as openai/gpt-4o", "no model");
  const addressNode = field("api_base") ?? field("base_url");
  const written = reader.placed(addressNode);
  if (addressNode !== undefined && reader.isRefused(addressNode)) return undefined;
  const provider = reader.text(field("custom_llm_provider"));
  const reading = readModelString(text.value, { provider, hasAddress: written !== undefined });
  if (reading.kind === "refused") return reader.refuse(text.at, reading.expected, quoted(text.value));
  if (reading.base.name === "google")
    reader.warn(
      text.at,
      "is sent to Google's own paths: OpenAI calls to its OpenAI-compatible one, Gemini calls as they are",
    );
  const fallback = baseVariablesOf(reading.base).flatMap((name) => findVariable(variables, name) ?? [])[0];
  const base = written ?? (fallback === undefined ? undefined : { value: fallback.text.trim(), at: text.at });
  const address =
    base === undefined ? localAddress(reading.base) : readAddress(base.value, base.at, reader.notes);
  if (address === undefined && base !== undefined) return undefined;
  if (address === undefined && reading.base.origin === undefined)
    return reader.refuse(
      text.at,
      `api_base beside ${reading.base.name}, which has no address of its own`,
      "none",
    );
  const row = rowAt(reading.base, address);
  const key = readKey(row, { field, address, at: text.at }, file);
  if (key === "missing") return undefined;
  const azureVersion = row.name === "azure-openai" ? readVersion(field("api_version"), file) : undefined;
  const label = row.name === "azure-openai" ? { label: "azure" } : {};
  const sent = address === undefined ? undefined : asSent(row, address);
  const place = { base: row, ...label, model: sent?.deployment ?? reading.model, at: text.at };
  return { ...place, ...definedOf({ address: sent?.address, key, azureVersion }) };
}

/** LiteLLM's default for Ollama. */
const localAddress = ({ name }: Provider): BaseAddress | undefined =>
  name === "ollama" ? { origin: "http://127.0.0.1:11434", path: "" } : undefined;

/** `openai/` with the address of a well-known host means that host's provider. */
function rowAt(base: Provider, address: BaseAddress | undefined): Provider {
  return (base.name === "openai" && address !== undefined ? providerAt(address.origin) : undefined) ?? base;
}

interface SentAddress {
  readonly address: BaseAddress;
  /** Azure's name of the model, where the address says it. */
  readonly deployment?: string;
}

/** With what LiteLLM puts between the base and the operation, so that the same address is called. */
function asSent({ name }: Provider, { origin, path }: BaseAddress): SentAddress {
  // Anthropic: /v1/messages, where weir appends /messages.
  if (name === "anthropic" && path !== "" && !path.endsWith("/v1"))
    return { address: { origin, path: `${path}/v1` } };
  if (name !== "azure-openai" || path === "") return { address: { origin, path } };
  // select_azure_base_url_or_endpoint in LiteLLM: a base with /openai/deployments is used as it is, others get /openai.
  const [, before, deployment] = /^(.*\/openai)\/deployments\/([^/]+)$/.exec(path) ?? [];
  if (before !== undefined && deployment !== undefined)
    return { address: { origin, path: before }, deployment: decodeURIComponent(deployment) };
  return { address: { origin, path: /\/openai(\/v1)?$/.test(path) ? path : `${path}/openai` } };
}

interface KeyQuestion {
  readonly field: Field;
  readonly address: BaseAddress | undefined;
  readonly at: Place;
}

function readKey(
  base: Provider,
  { field, address, at }: KeyQuestion,
  file: LiteLlmFile,
): Secret | undefined | "missing" {
  const { reader, variables } = file;
  const node = field("api_key");
  if (node !== undefined && !(node.kind === "text" && node.text === "")) {
    const key = reader.secret(node);
    if (key === undefined) return "missing";
    return base.kind === "engine" && isPlaceholder(key) ? undefined : key;
  }
  // Nobody's key is sent to an address that it was not given for.
  const isOwnHost = address !== undefined && address.origin !== base.origin && base.name !== "azure-openai";
  if (base.kind === "engine") return undefined;
  const names = keyVariablesOf(base);
  const variable = names.flatMap((name) => findVariable(variables, name) ?? [])[0];
  if (isOwnHost) {
    if (variable !== undefined)
      reader.warn(
        at,
        `is called without a key, where LiteLLM sends ${variable.name}: api_key beside api_base says otherwise`,
      );
    return undefined;
  }
  if (variable === undefined) {
    reader.refuse(at, `api_key beside it, or ${names.join(" or ")} in the environment`, "neither");
    return "missing";
  }
  const where = { file: at.file, line: at.line, column: at.column, path: variable.where };
  return reader.secret({ kind: "text", text: variable.text, at: where }) ?? "missing";
}

function readVersion(node: Node | undefined, file: LiteLlmFile): AzureVersion {
  const { reader, variables } = file;
  const written = reader.placed(node);
  const name = AZURE_VERSION;
  const fallback = findVariable(variables, "AZURE_API_VERSION");
  const variable =
    written === undefined ? fallback : { name, text: written.value, where: describePlace(written.at) };
  return readAzureVersion(new Map(variable === undefined ? [] : [[name, variable]]), reader.notes);
}
