// The end of a request that leads nowhere: no token, no such path, no such method. Told like any other request.
import type { Family } from "../core/backend.ts";
import type { Refusal } from "../core/refusal.ts";
import type { Parts } from "./call.ts";
import { addTrace, refuse } from "./reply.ts";

export interface Visitor {
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
  readonly family: Family;
}

export function turnAway(visitor: Visitor, refusal: Refusal, { settings, emit }: Parts): Response {
  const { requestId } = visitor;
  const response = refuse(visitor.family, refusal);
  addTrace(response.headers, settings().responseHeaders, { requestId, attempts: 0 });
  emit({
    kind: "request_finished",
    ...visitor,
    status: refusal.status,
    code: refusal.code,
    attempts: 0,
    fallbacks: 0,
    ending: "complete",
    durationMs: 0,
    queuedMs: 0,
    overheadMs: 0,
  });
  return response;
}
