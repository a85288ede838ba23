// Makes the responses: weir's own refusals, and upstream answers with weir's headers on them.
import type { Family } from "../core/backend.ts";
import { type Refusal, refuse, waitHeaders } from "../core/refusal.ts";
import type { ProxySettings } from "./settings.ts";

/** What weir adds to every answer about how it came about. */
export interface Trace {
  readonly requestId: string;
  /** Absent when none was asked. */
  readonly backend?: string;
  readonly attempts: number;
  /** Asked for only where it is told. */
  readonly course?: () => Course;
}

/** What LiteLLM's headers tell besides. */
export interface Course {
  /** As the client named it. */
  readonly model: string | undefined;
  readonly fallbacks: number;
  /** Since the request came. */
  readonly durationMs: number;
  /** Of it: weir's own. */
  readonly overheadMs: number;
}

export const methodRefusal = (allow: string): Refusal => ({
  status: 405,
  code: "method_not_allowed",
  message: `use ${allow} on this path`,
});

export function notAllowed(family: Family, allow: string): Response {
  const response = refuse(family, methodRefusal(allow));
  response.headers.set("allow", allow);
  return response;
}

/** For a bug of ours. */
export const INTERNAL: Refusal = {
  status: 500,
  code: "internal_error",
  message: "weir failed on this request; see its log",
};

export function addTrace(headers: Headers, style: ProxySettings["responseHeaders"], trace: Trace): void {
  if (style === "none") return;
  headers.set("x-weir-request-id", trace.requestId);
  headers.set("x-weir-attempts", String(trace.attempts));
  if (trace.backend !== undefined) headers.set("x-weir-backend", trace.backend);
  if (style === "weir") return;
  headers.set("x-litellm-call-id", trace.requestId);
  headers.set("x-litellm-attempted-retries", String(Math.max(0, trace.attempts - 1)));
  if (trace.backend !== undefined) headers.set("x-litellm-model-id", trace.backend);
  if (trace.course !== undefined) addCourse(headers, trace.course());
}

/** A name of other characters has no place in a header. */
const HEADER_TEXT = /^[\x20-\x7e]{1,256}$/;

function addCourse(headers: Headers, { model, fallbacks, durationMs, overheadMs }: Course): void {
  if (model !== undefined && HEADER_TEXT.test(model)) headers.set("x-litellm-model-group", model);
  headers.set("x-litellm-attempted-fallbacks", String(fallbacks));
  headers.set("x-litellm-response-duration-ms", durationMs.toFixed(2));
  headers.set("x-litellm-overhead-duration-ms", overheadMs.toFixed(2));
}

/** An upstream's refusal that nobody else could better: its own wait is replaced by when some candidate returns. */
export function tellWait(headers: Headers, retryAfterMs: number | undefined, final: boolean): void {
  // SDKs read the millisecond forms first, so one left over would win over ours.
  for (const name of ["retry-after", "retry-after-ms", "x-ms-retry-after-ms"]) headers.delete(name);
  for (const [name, value] of waitHeaders(retryAfterMs, final)) headers.set(name, value);
}
