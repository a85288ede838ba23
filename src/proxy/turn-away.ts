// The end of a request that leads nowhere: no token, no such path, no such method. It has a line and an id like any other.
import type { Family } from "../core/backend.ts";
import { type Refusal, refuse } from "../core/refusal.ts";
import type { Parts } from "./call.ts";
import { addTrace } from "./reply.ts";

export interface Visitor {
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
  readonly family: Family;
}

export function turnAway(visitor: Visitor, refusal: Refusal, { settings, emit }: Parts): Response {
  const { requestId, method, path, family } = visitor;
  const { status, code } = refusal;
  const response = refuse(family, refusal);
  addTrace(response.headers, settings().responseHeaders, { requestId, attempts: 0 });
  emit({ kind: "request_turned_away", requestId, method, path, status, code });
  return response;
}
