// One try at one backend: lease, send, read the answer's head; settles the lease unless the body still flows.
import type { Backend, Endpoint } from "../core/backend.ts";
import type { Secret } from "../core/credential.ts";
import { setField } from "../core/json-field.ts";
import type { Outcome } from "../core/outcome.ts";
import type { TokenUsage } from "../core/usage.ts";
import { readLimitHeaders } from "../core/limit-headers.ts";
import { type BrokenAnswer, type FlowingAnswer, readAnswer, type WholeAnswer } from "./answer.ts";
import type { Call, Parts } from "./call.ts";
import { requestHeaders, upstreamQuery } from "./headers.ts";
import type { Lease } from "./lease.ts";
import type { FirstByteTime } from "./patience.ts";
import { createPhaseTimer } from "./phase-timer.ts";
import { send } from "./send.ts";
import type { Timeouts } from "./settings.ts";

export interface AttemptTerms {
  readonly lease: Lease;
  /** As sent upstream. */
  readonly model: string | undefined;
  readonly body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | undefined;
  readonly timeouts: Timeouts;
  readonly firstByte: FirstByteTime;
  readonly abort: AbortController;
}

export type Attempted = WholeAnswer | BrokenAnswer | (FlowingAnswer & { readonly lease: Lease });

export async function attempt(call: Call, parts: Parts, terms: AttemptTerms): Promise<Attempted> {
  const { lease, model, abort, timeouts } = terms;
  const { backend } = lease.slot;
  const endpoint = backend.endpoints[call.operation.family];
  if (endpoint === undefined)
    throw new TypeError(`cannot send: ${backend.id} does not speak ${call.operation.family}`);
  let outcome: Outcome = { kind: "failed", detail: "internal error" };
  let usage: TokenUsage | undefined;
  let isFlowing = false;
  const timer = createPhaseTimer(parts.clock.now, timeouts.totalMs);
  try {
    const sent = await send(
      {
        url: upstreamUrl(call, endpoint, { backend, model }),
        dialOrigin: backend.proxyUrl ?? backend.origin,
        method: call.request.method,
        headers: outgoingHeaders(call, parts, { backend, endpoint, body: terms.body }),
        body: withKey(terms.body, endpoint, backend.credential.secret),
        proxyUrl: backend.proxyUrl,
        session: parts.settings().session,
        timeouts,
        firstByte: terms.firstByte,
        abort,
      },
      parts.dialCheck,
      timer,
    );
    if (sent.kind === "failure") {
      outcome = sent.outcome;
      return { kind: "broken", outcome };
    }
    const wallMs = parts.clock.wall();
    learnLimits(lease, sent.response, wallMs);
    const answer = await readAnswer(sent.response, { abort, timer, idleMs: timeouts.idleMs, wallMs });
    outcome = answer.outcome;
    if (answer.kind === "whole") ({ usage } = answer);
    if (outcome.kind === "success") lease.answered();
    if (answer.kind !== "flowing") return answer;
    isFlowing = true;
    return { ...answer, lease };
  } finally {
    timer.stop();
    if (!isFlowing) lease.settle(outcome, usage);
  }
}

/** Most providers that limit say so on every answer; a look at the names spares the others the reading. */
function learnLimits(lease: Lease, { status, headers }: Response, wallMs: number): void {
  for (const name of headers.keys()) {
    if (!name.includes("ratelimit")) continue;
    const learned = readLimitHeaders((each) => headers.get(each), wallMs);
    // A refusal rests the key by itself, for as long as it asks.
    if (Object.keys(learned).length > 0) lease.learn(learned, status < 400);
    return;
  }
}

function outgoingHeaders(
  { request }: Call,
  { instanceId }: Parts,
  { backend, endpoint, body }: { backend: Backend; endpoint: Endpoint; body: AttemptTerms["body"] },
): Headers {
  const headers = requestHeaders({
    incoming: request.headers,
    endpoint,
    secret: backend.credential.secret,
    instanceId: backend.ownAddress ? instanceId : undefined,
    hostHeader: backend.hostHeader,
    fixed: backend.headers,
  });
  const length = request.headers.get("content-length");
  if (body instanceof ReadableStream && length !== null) headers.set("content-length", length);
  return headers;
}

/** A key that belongs into the body. What is no JSON object in memory has no place for it, and goes without. */
function withKey(
  body: AttemptTerms["body"],
  { key }: Endpoint,
  secret: Secret | undefined,
): AttemptTerms["body"] {
  if (key.in !== "body" || secret === undefined || !(body instanceof Uint8Array)) return body;
  return setField(body, key.name, key.prefix + secret.reveal()) ?? body;
}

/** Joined as text and never resolved: `new URL(path, base)` would let a path like `//host/` choose the host. */
function upstreamUrl(
  { operation, search }: Call,
  endpoint: Endpoint,
  { backend, model }: { backend: Backend; model: string | undefined },
): string {
  const encoded = model === undefined ? "" : encodeURIComponent(model);
  const atRoot = endpoint.rootPaths?.includes(operation.path) === true;
  const base = atRoot ? backend.origin : endpoint.baseUrl;
  const below =
    endpoint.modelPath !== undefined && model !== undefined
      ? endpoint.modelPath + operation.path
      : operation.path;
  return (
    base + below.replace("{model}", encoded) + upstreamQuery(search, endpoint, backend.credential.secret)
  );
}
