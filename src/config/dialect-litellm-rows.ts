// One row of LiteLLM's model_list: whom it calls with which key, and what it says of limits, times and prices.
import type { Limits, Secret } from "../core/credential.ts";
import type { ProviderBook } from "./dialect-book.ts";
import { entriesOf, type Placed } from "./dialect-fields.ts";
import type { LiteLlmFile } from "./dialect-litellm-file.ts";
import { PARAMETER_KEYS, ROW_KEYS, UNKNOWN_KEY, UNKNOWN_PARAMETER } from "./dialect-litellm-keys.ts";
import { type Field, readPlace } from "./dialect-litellm-place.ts";
import type { DraftCooldown, DraftTarget } from "./draft.ts";
import { definedOf } from "./draft-backends.ts";
import { headerValue } from "./header-value.ts";
import type { Provider } from "./providers.ts";
import type { RouteTimeouts } from "../core/backend.ts";
import { type Node, type Place, valueAt } from "./tree.ts";

export interface LiteLlmRow {
  /** The group: what clients ask for. */
  readonly name: string;
  readonly at: Place;
  readonly base: Provider;
  /** Without its weight, which the rows of a group have together. */
  readonly target: DraftTarget;
  readonly weight?: Placed<number>;
  readonly rpm?: Placed<number>;
  readonly tpm?: Placed<number>;
  readonly retries?: Placed<number>;
  /** `model_info.id`. */
  readonly id?: Placed<string>;
}

export interface RowTerms {
  readonly file: LiteLlmFile;
  readonly book: ProviderBook;
  /** For rows without max_parallel_requests. */
  readonly concurrency: number | undefined;
}

export function readRow(node: Node, terms: RowTerms): LiteLlmRow | undefined {
  const { reader, credentials } = terms.file;
  const row = reader.map(node);
  if (row === undefined) return undefined;
  const params = reader.map(valueAt(row, "litellm_params"));
  const name = reader.text(valueAt(row, "model_name"));
  if (name === undefined || params === undefined)
    return reader.refuse(row.at, "model_name and litellm_params", "a row without one of them");
  const credential = credentials.get(reader.text(valueAt(params, "litellm_credential_name")) ?? "");
  const field = (key: string): Node | undefined => valueAt(params, key) ?? valueAt(credential, key);
  const place = readPlace(params, field, terms.file);
  if (place === undefined) return undefined;
  reader.checkKeys(row, ROW_KEYS, UNKNOWN_KEY);
  reader.checkKeys(params, PARAMETER_KEYS, UNKNOWN_PARAMETER);
  const count = (key: string): Placed<number> | undefined =>
    placedNumber(
      terms,
      valueAt(params, key) ?? valueAt(row, key) ?? valueAt(valueAt(row, "model_info"), key),
    );
  const [rpm, tpm] = [count("rpm"), count("tpm")];
  const weight = placedNumber(terms, field("weight"));
  const retries = placedNumber(terms, field("num_retries"));
  const id = reader.placed(valueAt(valueAt(row, "model_info"), "id"));
  const concurrency = reader.number(field("max_parallel_requests"), 1) ?? terms.concurrency;
  const limits: Limits = definedOf({
    requestsPerMinute: rpm?.value,
    tokensPerMinute: tpm?.value,
    concurrency,
  });
  const target: DraftTarget = {
    ...terms.book.refer(place),
    at: row.at,
    ...modelOf(name, place.model),
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
    ...definedOf({
      priority: reader.number(field("order")),
      price: readPrice(field, terms),
      tags: field("tags") === undefined ? undefined : reader.texts(field("tags")),
      timeouts: readTimeouts(field, terms),
      cooldown: readCooldown(field("cooldown_time"), terms),
      headers: readHeaders(field, terms),
    }),
  };
  return { name, at: row.at, base: place.base, target, ...definedOf({ weight, rpm, tpm, retries, id }) };
}

function placedNumber({ file }: RowTerms, node: Node | undefined): Placed<number> | undefined {
  const value = file.reader.number(node);
  return node === undefined || value === undefined ? undefined : { value, at: node.at };
}

/**
 * A star is filled with what the group's star stands for; a star alone behind another star changes nothing, and neither
 * does a prefix alone (`azure/`).
 */
function modelOf(name: string, model: string): { readonly model?: string } {
  if (model === "") return {};
  const isSame = model === "*" && (name === "*" || !name.includes("*"));
  return isSame ? {} : { model };
}

function readPrice(field: Field, { file }: RowTerms): DraftTarget["price"] {
  const input = file.reader.number(field("input_cost_per_token"));
  const output = file.reader.number(field("output_cost_per_token"));
  if (input === undefined && output === undefined) return undefined;
  return { inputPerToken: input ?? 0, outputPerToken: output ?? 0 };
}

function readTimeouts(field: Field, { file }: RowTerms): RouteTimeouts | undefined {
  const whole = milliseconds(file.reader.number(field("timeout")));
  const stream = milliseconds(file.reader.number(field("stream_timeout"))) ?? whole;
  if (whole === undefined && stream === undefined) return undefined;
  return definedOf({ firstByteMs: whole, streamFirstByteMs: stream });
}

/** Nothing and zero ask for no bound of their own. */
const milliseconds = (seconds: number | undefined): number | undefined =>
  seconds === undefined || seconds === 0 ? undefined : Math.ceil(seconds * 1000);

/** 0 turns resting off. */
function readCooldown(node: Node | undefined, { file }: RowTerms): DraftCooldown | undefined {
  const ms = file.reader.number(node);
  if (ms === undefined) return undefined;
  return ms === 0 ? { threshold: Infinity } : { firstMs: Math.ceil(ms * 1000), maxMs: Math.ceil(ms * 1000) };
}

function readHeaders(field: Field, { file }: RowTerms): DraftTarget["headers"] {
  const named = [...entriesOf(field("headers")), ...entriesOf(field("extra_headers"))].flatMap(
    ({ key, value }) => {
      const text = file.reader.text(value);
      const name = key.toLowerCase();
      return text === undefined ? [] : [[name, headerValue(name, text)] as const];
    },
  );
  const organization = file.reader.text(field("organization"));
  const all = organization === undefined ? named : [...named, ["openai-organization", organization] as const];
  return all.length === 0 ? undefined : Object.fromEntries<string | Secret>(all);
}
