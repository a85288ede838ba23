// Refusals of the views, in the shape that all of weir's errors have.
import type { Family } from "../core/backend.ts";
import { type Refusal, refusalBody, waitHeaders } from "../core/refusal.ts";

export function refuse(refusal: Refusal, family: Family = "openai"): Response {
  const wait = waitHeaders(refusal.retryAfterMs, refusal.final === true);
  const headers = { "content-type": "application/json", ...Object.fromEntries(wait) };
  return new Response(refusalBody(family, refusal), { status: refusal.status, headers });
}
