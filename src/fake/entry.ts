// Writes the first lines of a call into the ledger's form: everything that is known when the request has come.
import { createHash } from "node:crypto";
import type { Plan } from "./decide.ts";
import type { Ask } from "./families/ask.ts";
import type { OpenEntry } from "./ledger.ts";

/** Where and when a call arrived. */
export interface Arrival {
  readonly connection: number;
  readonly turn: number;
  readonly receivedAt: number;
}

export function entryOf(ask: Ask, plan: Plan, arrival: Arrival): OpenEntry {
  const { request } = ask;
  return {
    id: ask.id,
    ...arrival,
    key: ask.key,
    method: request.method,
    path: request.path,
    query: request.query,
    headers: request.headers,
    bodySha256: createHash("sha256").update(request.body).digest("hex"),
    bodyBytes: request.body.length,
    family: ask.family,
    operation: ask.operation,
    model: ask.model,
    stream: ask.stream,
    fault: plan.fault,
    rule: plan.rule,
    status: 0,
    state: "open",
    chunks: 0,
    usage: { promptTokens: plan.answer.status < 400 ? ask.promptTokens : 0, completionTokens: 0 },
    firstByteAt: 0,
    endedAt: 0,
  };
}
