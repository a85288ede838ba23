// One record for every attempt and every request, for those who want to see each step: no prompts, no keys.
import type { AttemptFinished, ProxyEvent, RequestFinished } from "../core/event.ts";
import { type Fields, measuresOf, rounded } from "./entry.ts";

/** Undefined for events that end no step of a request. */
export function traceOf(event: ProxyEvent): Fields | undefined {
  if (event.kind === "attempt_finished") return ofAttempt(event);
  return event.kind === "request_finished" ? ofRequest(event) : undefined;
}

/** `after` of a retry is what the attempt before it came to. */
const ofAttempt = (event: AttemptFinished): Fields => ({
  kind: "attempt",
  id: event.requestId,
  attempt: event.attempt,
  after: event.after,
  route: event.route,
  model: event.model,
  provider: event.provider,
  backend: event.backend,
  key: event.key,
  outcome: event.outcome,
  status: event.status,
  detail: event.detail,
  ...measuresOf(event),
});

const ofRequest = (event: RequestFinished): Fields => ({
  kind: "request",
  id: event.requestId,
  method: event.method,
  path: event.path,
  route: event.route,
  model: event.model,
  backend: event.backend,
  status: event.status,
  code: event.code,
  attempts: event.attempts,
  fallbacks: event.fallbacks,
  ending: event.ending,
  ...measuresOf(event),
  queued_ms: rounded(event.queuedMs),
  overhead_ms: rounded(event.overheadMs),
});
