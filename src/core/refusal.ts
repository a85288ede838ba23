// What weir itself says to a client, in the error shape of the path's family.
import type { Family } from "./backend.ts";
import type { NoneUsable } from "./eligible.ts";

export interface Refusal {
  readonly status: number;
  /** Stable and made for programs: `model_not_found`. */
  readonly code: string;
  /** For people; says what to do where that is known. Never contains a key. */
  readonly message: string;
  readonly param?: string;
  /** Milliseconds until a new try makes sense. */
  readonly retryAfterMs?: number;
  /** True when the client's SDK should not try again by itself. */
  readonly final?: boolean;
}

/** A wait longer than this is not for an SDK to sit out: some sleep without any cap. */
const LONGEST_SDK_WAIT_MS = 30_000;

/** `Retry-After` and `x-should-retry` for a wait: whole seconds, rounded up, at least 1. */
export function waitHeaders(
  retryAfterMs: number | undefined,
  final: boolean,
): readonly (readonly [string, string])[] {
  const headers: [string, string][] = [];
  if (retryAfterMs !== undefined)
    headers.push(["retry-after", String(Math.max(1, Math.ceil(retryAfterMs / 1000)))]);
  if (final || (retryAfterMs ?? 0) > LONGEST_SDK_WAIT_MS) headers.push(["x-should-retry", "false"]);
  return headers;
}

/** When no candidate of a route may be used: what stands in the way decides status and code. */
export function refuseUnusable(none: NoneUsable, model: string): Refusal {
  const wait = none.soonestMs === undefined ? {} : { retryAfterMs: none.soonestMs };
  switch (none.kind) {
    case "unserved":
      return {
        status: 404,
        code: "model_not_found",
        param: "model",
        message: `no backend serves the model "${clip(model)}" on this path`,
      };
    case "limited":
      return {
        status: 429,
        code: "rate_limit_exceeded",
        message: "every key is at its rate limit; see Retry-After",
        ...wait,
      };
    case "quota":
      return {
        status: 429,
        code: "insufficient_quota",
        message: "every key has used up its quota",
        final: true,
        ...wait,
      };
    case "revoked":
      return {
        status: 503,
        code: "no_usable_key",
        message: "the provider refuses every key; check the keys",
        final: true,
        ...wait,
      };
    case "down":
      return {
        status: 503,
        code: "no_backend_available",
        message: "every backend is down or resting; see Retry-After",
        ...wait,
      };
  }
}

export function refuseUnknownModel(model: string, near: readonly string[]): Refusal {
  const hint = near.length === 0 ? "" : `; did you mean ${near.map((name) => `"${name}"`).join(", ")}?`;
  return {
    status: 404,
    code: "model_not_found",
    param: "model",
    message: `no route for the model "${clip(model)}"${hint}`,
  };
}

/** No backend of a tagged route has the request's tags, and none is there for all others. */
export function refuseTags(route: string, tags: readonly string[]): Refusal {
  const named = tags.map((tag) => `"${tag}"`).join(", ");
  return {
    status: 400,
    code: "no_matching_tags",
    message: `no backend of "${clip(route)}" has the tags ${clip(named)}, and none is tagged "default"`,
  };
}

const LONGEST_ECHO = 128;
const clip = (text: string): string =>
  text.length > LONGEST_ECHO ? `${text.slice(0, LONGEST_ECHO)}…` : text;

/** The answer that tells it, in the shape of the family. */
export function refuse(family: Family, refusal: Refusal): Response {
  const headers = new Headers({ "content-type": "application/json" });
  for (const [name, value] of waitHeaders(refusal.retryAfterMs, refusal.final === true))
    headers.set(name, value);
  return new Response(refusalBody(family, refusal), { status: refusal.status, headers });
}

/** The JSON body of a refusal. */
export function refusalBody(family: Family, { status, code, message, param }: Refusal): string {
  switch (family) {
    case "openai":
      return JSON.stringify({ error: { message, type: openaiType(status), code, param: param ?? null } });
    case "anthropic":
      return JSON.stringify({ type: "error", error: { type: anthropicType(status), message, code } });
    case "gemini":
      return JSON.stringify({ error: { code: status, message, status: geminiStatus(status) } });
  }
}

/**
 * The event that ends a broken stream. OpenAI's and Anthropic's SDKs raise on it (`event: error`, or an `error` member in
 * the data), Google's on an `error` with a code.
 */
export function errorEvent(family: Family, message: string): string {
  if (family === "gemini")
    return `data: ${refusalBody("gemini", { status: 502, code: BROKEN, message })}\n\n`;
  const error = { type: "api_error", message, code: BROKEN, param: null };
  return `event: error\ndata: ${JSON.stringify({ type: "error", error })}\n\n`;
}

const BROKEN = "upstream_disconnected";

function openaiType(status: number): string {
  if (status === 401) return "authentication_error";
  if (status === 403) return "permission_error";
  if (status === 429) return "rate_limit_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
}

/** docs.anthropic.com/en/api/errors */
function anthropicType(status: number): string {
  const types: Readonly<Record<number, string>> = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    529: "overloaded_error",
  };
  return types[status] ?? (status >= 500 ? "api_error" : "invalid_request_error");
}

/** Names of google.rpc.Code, by the HTTP mapping in google/rpc/code.proto. */
function geminiStatus(status: number): string {
  const names: Readonly<Record<number, string>> = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
  };
  return names[status] ?? (status >= 500 ? "UNAVAILABLE" : "INVALID_ARGUMENT");
}
