// One try at one backend: lease, send, read the answer's head; settles the lease unless the body still flows.
import type { Backend, Endpoint } from "../core/backend.ts";
import type { Outcome } from "../core/outcome.ts";
import type { Slot } from "../core/seams.ts";
import { type BrokenAnswer, type FlowingAnswer, readAnswer, type WholeAnswer } from "./answer.ts";
import type { Call, Parts } from "./call.ts";
import { requestHeaders, upstreamQuery } from "./headers.ts";
import { acquireLease, type Lease } from "./lease.ts";
import { createPhaseTimer } from "./phase-timer.ts";
import { send } from "./send.ts";

export interface AttemptTerms {
  readonly slot: Slot;
  /** As sent upstream. */
  readonly model: string | undefined;
  readonly body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | undefined;
  readonly firstByteMs: number;
  readonly abort: AbortController;
}

export type Attempted = WholeAnswer | BrokenAnswer | (FlowingAnswer & { readonly lease: Lease });

export async function attempt(call: Call, parts: Parts, terms: AttemptTerms): Promise<Attempted> {
  const { slot, model, abort } = terms;
  const { backend } = slot;
  const endpoint = backend.endpoints[call.operation.family];
  if (endpoint === undefined)
    throw new TypeError(`cannot send: ${backend.id} does not speak ${call.operation.family}`);
  const { cooldown, timeouts, tls } = parts.settings();
  const lease = acquireLease(slot, { requestId: call.requestId, model, cooldown, parts });
  let outcome: Outcome = { kind: "failed", detail: "internal error" };
  let isFlowing = false;
  const timer = createPhaseTimer(parts.clock.now);
  try {
    const sent = await send(
      {
        url: upstreamUrl(call, endpoint, { backend, model }),
        dialOrigin: backend.proxyUrl ?? backend.origin,
        method: call.request.method,
        headers: outgoingHeaders(call, parts, { backend, endpoint, body: terms.body }),
        body: terms.body,
        proxyUrl: backend.proxyUrl,
        tls,
        connectMs: timeouts.connectMs,
        firstByteMs: terms.firstByteMs,
        abort,
      },
      parts.dialCheck,
      timer,
    );
    if (sent.kind === "failure") {
      outcome = sent.outcome;
      return { kind: "broken", outcome };
    }
    const answer = await readAnswer(sent.response, {
      abort,
      timer,
      idleMs: timeouts.idleMs,
      wallMs: parts.clock.wall(),
    });
    outcome = answer.outcome;
    if (answer.kind !== "flowing") return answer;
    isFlowing = true;
    if (outcome.kind === "success") lease.answered();
    return { ...answer, lease };
  } finally {
    timer.stop();
    if (!isFlowing) lease.settle(outcome);
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
  });
  const length = request.headers.get("content-length");
  if (body instanceof ReadableStream && length !== null) headers.set("content-length", length);
  return headers;
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
