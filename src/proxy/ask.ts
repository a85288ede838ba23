// Reads what a request asks for: the model, whether it wants a stream, and the bytes to send.
import {
  type Envelope,
  readEnvelope,
  renameModel,
  replaceSpan,
  type Span,
  type Unreadable,
} from "../core/envelope.ts";
import { insertField } from "../core/json-field.ts";
import { readBoundary, readForm } from "../core/multipart.ts";
import type { Refusal } from "../core/refusal.ts";
import { readBody } from "./body.ts";
import type { Call, Parts } from "./call.ts";

export interface Ask {
  readonly kind: "ask";
  /** As the client named it; absent where the operation needs none. */
  readonly model?: string;
  readonly stream: boolean;
  /** For estimates and for affinity. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly cacheKey?: string;
  /** The body for a backend that calls the model `name`. */
  readonly bodyFor: (name: string | undefined) => Uint8Array<ArrayBuffer> | undefined;
  /** The bytes are not needed any more. */
  readonly release: () => void;
}

export type NoAsk = { readonly kind: "refused"; readonly refusal: Refusal } | { readonly kind: "gone" };

const encoder = new TextEncoder();

export async function readAsk(
  { request, operation }: Call,
  { settings, bodies, pool }: Parts,
): Promise<Ask | NoAsk> {
  const read = await readBody(request, settings().requestBytes, bodies);
  if (read.kind !== "body") return read;
  const { bytes, release } = read;
  const boundary = readBoundary(request.headers.get("content-type"));
  const envelope =
    operation.model === undefined ? readFields(bytes, boundary, operation.need) : streamOf(operation);
  if (envelope.kind === "unreadable") {
    release();
    return { kind: "refused", refusal: refuseBody(envelope.reason, operation.unlisted) };
  }
  const named = operation.model ?? envelope.model;
  // An empty body and a form have no place where a model could be put.
  const canTake = boundary === undefined && bytes.length > 0 && !operation.unlisted;
  const model = named ?? (canTake ? pool.current.spec.modelless : undefined);
  if (model === undefined && operation.need === "required") {
    release();
    return { kind: "refused", refusal: refuseBody("the body has no model", operation.unlisted) };
  }
  const span = envelope.modelSpan;
  return {
    kind: "ask",
    stream: operation.stream || envelope.stream,
    bytes,
    ...(envelope.cacheKey === undefined ? {} : { cacheKey: envelope.cacheKey }),
    ...(model === undefined ? {} : { model }),
    bodyFor: (name) => {
      if (named === undefined && model !== undefined)
        return insertField(bytes, "model", name ?? model) ?? bytes;
      return renamed(bytes, span, name === model ? undefined : name, boundary !== undefined);
    },
    release,
  };
}

function readFields(bytes: Uint8Array, boundary: string | undefined, need: string): Envelope | Unreadable {
  // An empty body can be right where the model may be left out; the upstream will say.
  if (bytes.length === 0 && need === "optional") return { kind: "envelope", stream: false };
  return boundary === undefined ? readEnvelope(bytes) : readForm(bytes, boundary);
}

const streamOf = ({ stream }: { readonly stream: boolean }): Envelope => ({ kind: "envelope", stream });

/** The client's own bytes, unless the name differs: then only the bytes of the name do. */
function renamed(
  bytes: Uint8Array<ArrayBuffer>,
  span: Span | undefined,
  name: string | undefined,
  isForm: boolean,
): Uint8Array<ArrayBuffer> {
  if (name === undefined || span === undefined) return bytes;
  return isForm ? replaceSpan(bytes, span, encoder.encode(name)) : renameModel(bytes, span, name);
}

/** A path of no list is piped only for its model, so without one it does not exist. */
function refuseBody(reason: string, unlisted: boolean): Refusal {
  return unlisted
    ? { status: 404, code: "unknown_url", message: `nothing is served on this path: ${reason}` }
    : { status: 400, code: "invalid_request", message: reason, param: "model" };
}
