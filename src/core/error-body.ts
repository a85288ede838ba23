// Reads what the body of an error says, whatever provider or layer wrote it: OpenAI's and Anthropic's JSON, Google's
// with details, flat, in an array, in a string, as an SSE event; HTML and noise say nothing. For classifyAnswer.
import { readDuration } from "./duration.ts";
import { type ErrorCause, findCause } from "./error-cause.ts";

export interface ErrorFacts {
  /** The provider's own; a number as text. */
  readonly code?: string;
  readonly type?: string;
  /** May quote the caller's text: for logs of bodies only, never for a display. */
  readonly message?: string;
  /** From Google's RetryInfo, OpenRouter's metadata, or a sentence like "Please retry after 20 seconds". */
  readonly retryDelayMs?: number;
  readonly cause?: ErrorCause;
}

/** An error is short; what is longer quotes the request. */
const LONGEST_BODY = 65_536;
const LONGEST_MESSAGE = 2000;
/** How many layers are opened: an array or string around, `error` within, an upstream's body within that. */
const DEEPEST = 6;

/** "try again in 6m0s" (OpenAI, Groq), "retry in 37.5s" (Gemini), "retry after 20 seconds" (Azure), "try again in 30 seconds" (Azure APIM). */
const ASKS_TO_WAIT =
  /\b(?:try again|retry) (?:in|after) (\d+(?:\.\d+)?) ?seconds?\b|\b(?:try again|retry) in ((?:\d+(?:\.\d+)?(?:ms|[dhms]))+)(?![\w])/i;

const decoder = new TextDecoder();

type Json = Readonly<Record<string, unknown>>;

/** Everything that one or several nested layers say. */
interface Found {
  code?: string | undefined;
  type?: string | undefined;
  message?: string | undefined;
  retryDelayMs?: number | undefined;
  readonly names: Set<string>;
  daily: boolean;
}

/** Never throws; a body that says nothing gives no facts. */
export function readErrorBody(bytes: Uint8Array): ErrorFacts {
  const text = decoder.decode(bytes.subarray(0, LONGEST_BODY)).trim();
  const found: Found = { names: new Set(), daily: false };
  const json = parseJson(text);
  const value = json === undefined ? parseEvents(text) : json;
  if (value !== undefined) readLayer(value, found, DEEPEST);
  else if (text !== "" && !text.startsWith("<") && !text.startsWith("{") && !text.startsWith("["))
    found.message = text.slice(0, LONGEST_MESSAGE);
  const { code, type, message } = found;
  // Google sends a RetryInfo of seconds beside a daily quota; the quota's id is the truth (itcon-pty-au/stremio-ai-search#147).
  const cause = found.daily ? "daily_quota" : findCause(found.names, message ?? "");
  const retryDelayMs = found.retryDelayMs ?? waitIn(message ?? "");
  return {
    ...(code === undefined ? {} : { code }),
    ...(type === undefined ? {} : { type }),
    ...(message === undefined ? {} : { message }),
    ...(retryDelayMs === undefined ? {} : { retryDelayMs }),
    ...(cause === undefined ? {} : { cause }),
  };
}

/** Reads one layer; what an outer layer has said is kept, except that its names add up. */
function readLayer(value: unknown, found: Found, depth: number): void {
  if (depth === 0) return;
  // Gemini's OpenAI interface and its streams put the error in an array.
  if (Array.isArray(value)) return readLayer(value.find(isObject), found, depth - 1);
  if (typeof value === "string") {
    const parsed = parseJson(value);
    if (parsed === undefined) found.message ??= value.slice(0, LONGEST_MESSAGE);
    return readLayer(parsed, found, depth - 1);
  }
  if (!isObject(value)) return;
  const inner = value["error"];
  if (isObject(inner)) {
    // Together puts error_type beside the error (docs.together.ai/docs/rate-limits).
    noteName(found, value["error_type"]);
    return readLayer(inner, found, depth - 1);
  }
  // The Responses interface's response.failed.
  const response = value["response"];
  if (isObject(response) && isObject(response["error"]))
    return readLayer(response["error"], found, depth - 1);

  found.code ??= nameOf(value["code"]);
  found.type ??= nameOf(value["type"]) ?? nameOf(value["status"]); // Google's code is a number, its status a name
  for (const key of ["code", "type", "status", "error_type"]) noteName(found, value[key]);
  noteName(found, fieldOf(value["innererror"], "code")); // Azure
  readDetails(value["details"], found);
  readMetadata(value["metadata"], found, depth);
  // `error` as text: xAI, Ollama. `detail`: FastAPI, Mistral.
  const message = [value["message"], inner, value["detail"]].find((part) => typeof part === "string");
  if (typeof message !== "string") return;
  found.message ??= message.slice(0, LONGEST_MESSAGE);
  // Layers between repeat an upstream's whole body as the message.
  if (message.startsWith("{")) readLayer(message, found, depth - 1);
}

/** Google's list of typed details, and Anthropic's object with an error_code. */
function readDetails(details: unknown, found: Found): void {
  if (isObject(details)) noteName(found, details["error_code"]);
  if (!Array.isArray(details)) return;
  for (const detail of details) {
    noteName(found, fieldOf(detail, "reason"));
    const delay = fieldOf(detail, "retryDelay");
    if (typeof delay === "string") found.retryDelayMs ??= readDuration(delay);
    const violations = fieldOf(detail, "violations");
    if (!Array.isArray(violations)) continue;
    // GenerateRequestsPerDayPerProjectPerModel-FreeTier; one of several violations is enough.
    found.daily ||= violations.some((each) => /PerDay/i.test(String(fieldOf(each, "quotaId"))));
  }
}

/** OpenRouter's: which limit, how long, why moderation refused, and the upstream provider's body as text in `raw`. */
function readMetadata(metadata: unknown, found: Found, depth: number): void {
  if (!isObject(metadata)) return;
  noteName(found, metadata["limit_source"]);
  noteName(found, metadata["error_type"]);
  if (metadata["flagged_input"] !== undefined) found.names.add("content_filter");
  const seconds = metadata["retry_after_seconds_raw"] ?? metadata["retry_after_seconds"];
  if (typeof seconds === "number" && seconds >= 0) found.retryDelayMs ??= seconds * 1000;
  const raw = metadata["raw"];
  if (typeof raw === "string") readUpstream(raw, found, depth);
}

/** What an upstream says of the request replaces "Provider returned error"; what it says of keys is not about ours. */
function readUpstream(raw: string, found: Found, depth: number): void {
  const upstream: Found = { names: new Set(), daily: false };
  readLayer(raw, upstream, depth - 1);
  const cause = findCause(upstream.names, upstream.message ?? "");
  if (cause !== "context_window" && cause !== "content_policy" && cause !== "overloaded") return;
  for (const name of upstream.names) found.names.add(name);
  found.message = upstream.message;
}

function noteName(found: Found, value: unknown): void {
  const name = nameOf(value);
  if (name !== undefined) found.names.add(name.toLowerCase());
}

function nameOf(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value.slice(0, 200) : undefined;
}

function waitIn(message: string): number | undefined {
  const match = ASKS_TO_WAIT.exec(message);
  if (match === null) return undefined;
  return match[1] === undefined ? readDuration(match[2] ?? "") : Number(match[1]) * 1000;
}

/** The first `data:` of an event stream that is a JSON object. */
function parseEvents(text: string): unknown {
  if (!/^(?:data|event|id|retry|):/.test(text)) return undefined;
  for (const line of text.split(/\r\n|\r|\n/)) {
    if (!line.startsWith("data:")) continue;
    const value = parseJson(line.slice("data:".length));
    if (isObject(value)) return value;
  }
  return undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // not JSON, cut off, or nested deeper than the parser goes: it says nothing
  }
}

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const fieldOf = (value: unknown, key: string): unknown => (isObject(value) ? value[key] : undefined);
