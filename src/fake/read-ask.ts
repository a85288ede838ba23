// Reads what a request asks for: its family and operation by the path, its key, its model and stream flag.
import { jsonOf, textOf } from "./families/answer.ts";
import { routeOf } from "./families/route.ts";
import type { Ask } from "./families/ask.ts";
import type { WireRequest } from "./wire-request.ts";

/** Bytes of a request that count as one token of its prompt. */
const BYTES_PER_TOKEN = 4;

export function readAsk(id: number, request: WireRequest): Ask {
  const route = routeOf(request.path);
  const type = request.headers["content-type"] ?? "";
  const isForm = /^multipart\/form-data/i.test(type);
  const json = isForm || request.body.length === 0 ? undefined : parseJson(request.body);
  const model = route.model ?? textOf(json?.["model"]) ?? (isForm ? formField(request.body, "model") : "");
  const { family, operation, object } = route;
  const stream =
    operation === "streamGenerateContent" ||
    json?.["stream"] === true ||
    (isForm && formField(request.body, "stream") === "true");
  const promptTokens = Math.ceil(request.body.length / BYTES_PER_TOKEN);
  return { id, request, family, operation, object, model, stream, json, key: keyOf(request), promptTokens };
}

function parseJson(body: Uint8Array): Ask["json"] {
  try {
    return jsonOf(JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString()));
  } catch {
    return undefined;
  }
}

/** The key, wherever a family carries it. */
function keyOf({ headers, query }: WireRequest): string {
  const named = headers["x-api-key"] ?? headers["api-key"] ?? headers["x-goog-api-key"];
  if (named !== undefined) return named;
  const bearer = /^Bearer\s+(.+)$/i.exec(headers["authorization"] ?? "")?.[1];
  return bearer ?? new URLSearchParams(query).get("key") ?? "";
}

/** A plain field of a multipart form; the first of its name counts. */
function formField(body: Uint8Array, name: string): string {
  const text = Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, 1_048_576)).toString(
    "latin1",
  );
  const found = new RegExp(`name="${name}"\\r\\n(?:[^\\r\\n]+\\r\\n)*\\r\\n([^\\r\\n]*)\\r\\n--`, "i").exec(
    text,
  );
  const value = found?.[1] ?? formFieldAtEnd(body, name);
  return Buffer.from(value, "latin1").toString();
}

/** SDKs put the fields after the file, which may be longer than what was searched. */
function formFieldAtEnd(body: Uint8Array, name: string): string {
  const from = Math.max(0, body.byteLength - 65_536);
  const text = Buffer.from(body.buffer, body.byteOffset + from, body.byteLength - from).toString("latin1");
  return new RegExp(`name="${name}"\\r\\n\\r\\n([^\\r\\n]*)\\r\\n--`, "i").exec(text)?.[1] ?? "";
}
