// What a schema finds wrong with an upstream's body, as problems in weir's words: every one, each at its own path.
import { type TSchema } from "@sinclair/typebox";
import { Value, type ValueError, ValueErrorType } from "@sinclair/typebox/value";
import type { UpstreamProblem } from "../core/upstream.ts";
import { plain, quoted } from "./problem.ts";
import { suggestion } from "./readers.ts";

/** More say nothing new, and a hostile body would have a million. */
const MOST_PROBLEMS = 100;

/** Fields of other gateways' bodies that mean something which weir does not do, or does in another field. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ["provider", "host, port and protocol in its place (such as api.openai.com, 443, https)"],
  ["provider_options", "nothing of that name, as weir does not translate requests"],
  [
    "insecure_ssl",
    "nothing of that name, as certificates are always checked; list yours in upstream.ca_file",
  ],
  ["auth", "credentials in its place, as weir fetches no tokens"],
  ["embedding", "nothing of that name, as weir chooses by no embeddings"],
  ["embedding_config", "nothing of that name, as weir chooses by no embeddings"],
  ["proxy_config", "nothing of that name; set upstream.proxy for all"],
  ["websocket_config", "nothing of that name, as weir speaks no WebSocket"],
  ["api_key", "header_name and header_value in its place"],
]);

export function findProblems(schema: TSchema, value: unknown): readonly UpstreamProblem[] {
  const problems = new Map<string, UpstreamProblem>();
  for (const error of Value.Errors(schema, value)) {
    // A missing field is told twice, and a field of a wrong type may break several rules: the first is the plainest.
    if (!problems.has(error.path)) problems.set(error.path, problemOf(error));
    if (problems.size >= MOST_PROBLEMS) break;
  }
  return [...problems.values()];
}

function problemOf(error: ValueError): UpstreamProblem {
  const path = readPath(error.path);
  if (error.type === ValueErrorType.ObjectAdditionalProperties) {
    const name = error.path.slice(error.path.lastIndexOf("/") + 1);
    const known = Object.keys(propertiesOf(error.schema));
    const expected = REFUSED.get(name) ?? `one of ${known.join(", ")}${suggestion(name, known)}`;
    return { path, expected, found: `the field ${quoted(name)}` };
  }
  const expected = expectedOf(error.schema);
  const found = showFound(error);
  return { path, expected, ...(found === undefined ? {} : { found }) };
}

function propertiesOf(schema: TSchema): Readonly<Record<string, unknown>> {
  const properties: unknown = schema["properties"];
  return typeof properties === "object" && properties !== null ? { ...properties } : {};
}

/** What the schemas here say. */
interface Keywords {
  readonly title?: string;
  readonly type?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly anyOf?: readonly { readonly const: string }[];
}

/** What would be right there, in words. */
function expectedOf(schema: TSchema): string {
  const { title, minimum, maximum, minItems, anyOf, type } = schema as Keywords;
  if (title !== undefined) return title;
  if (anyOf !== undefined) return `one of ${anyOf.map((each) => each.const).join(", ")}`;
  if (minimum !== undefined && maximum !== undefined)
    return `${type === "integer" ? "a whole number" : "a number"} from ${minimum} to ${maximum}`;
  if (type === "array") return minItems === undefined ? "a list" : `a list of at least ${minItems}`;
  if (type === "object") return "an object";
  if (type === "boolean") return "true or false";
  return "text";
}

/** A key may stand in the wrong place, so text is shown only where no secret belongs, and quoted hides what looks like one. */
const MAY_BE_SECRET = /^\/targets\/\d+\/(credentials|headers)(\/|$)/;
const SHOWN_LENGTH = 128;

function showFound({ value, path, type }: ValueError): string | undefined {
  if (type === ValueErrorType.ObjectRequiredProperty || value === undefined || value === null)
    return "nothing";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object") return "an object";
  if (MAY_BE_SECRET.test(path)) return undefined;
  // What follows an at sign's user or a query may be a password or a key.
  if (typeof value === "string") return /[@?]/.test(value) ? undefined : quoted(value.slice(0, SHOWN_LENGTH));
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

/** `/targets/0/port` as `targets[0].port`. */
function readPath(pointer: string): string {
  const [, ...parts] = pointer.split("/");
  return parts
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .map((part, at) => (/^\d+$/.test(part) ? `[${part}]` : `${at === 0 ? "" : "."}${plain(part)}`))
    .join("");
}
