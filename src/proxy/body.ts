// Reads a request body whole, within a bound for one body and a bound for all that are held at the same time.
import type { Refusal } from "../core/refusal.ts";

/** Bytes of request bodies held in memory, over all requests. */
export interface BodyBudget {
  readonly take: (bytes: number) => boolean;
  readonly give: (bytes: number) => void;
  readonly heldBytes: number;
}

export function createBodyBudget(limitBytes: () => number): BodyBudget {
  let held = 0;
  return {
    get heldBytes() {
      return held;
    },
    take(bytes) {
      if (held + bytes > limitBytes()) return false;
      held += bytes;
      return true;
    },
    give(bytes) {
      held -= bytes;
    },
  };
}

export type BodyRead =
  | { readonly kind: "body"; readonly bytes: Uint8Array<ArrayBuffer>; readonly release: () => void }
  | { readonly kind: "refused"; readonly refusal: Refusal }
  | { readonly kind: "gone" };

/** The caller must call `release` once the bytes are not needed any more. */
export async function readBody(request: Request, limitBytes: number, budget: BodyBudget): Promise<BodyRead> {
  const encoding = request.headers.get("content-encoding");
  if (encoding !== null && encoding.toLowerCase() !== "identity")
    return refused(unsupportedEncoding(encoding));
  const declared = Number(request.headers.get("content-length") ?? Number.NaN);
  if (declared > limitBytes) return refused(tooLarge(limitBytes));
  const held = createHold(budget);
  if (!held.grow(Number.isNaN(declared) ? 0 : declared)) return refused(BUSY);
  try {
    const bytes = Number.isNaN(declared)
      ? await readChunks(request, limitBytes, held)
      : await request.bytes();
    if (bytes instanceof Uint8Array) return { kind: "body", bytes, release: held.release };
    held.release();
    return refused(bytes);
  } catch {
    held.release();
    return { kind: "gone" }; // the only way a body fails to arrive is that the client left or broke its framing
  }
}

/** A body of unknown length: the bounds are checked as it grows. */
async function readChunks(
  request: Request,
  limitBytes: number,
  held: Hold,
): Promise<Uint8Array<ArrayBuffer> | Refusal> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = request.body?.getReader();
  for (;;) {
    const next = await reader?.read();
    if (next === undefined || next.done) break;
    length += next.value.length;
    const refusal =
      length > limitBytes ? tooLarge(limitBytes) : held.grow(next.value.length) ? undefined : BUSY;
    if (refusal !== undefined) {
      await reader?.cancel();
      return refusal;
    }
    chunks.push(next.value);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

interface Hold {
  readonly grow: (bytes: number) => boolean;
  readonly release: () => void;
}

function createHold(budget: BodyBudget): Hold {
  let held = 0;
  return {
    grow(bytes) {
      if (!budget.take(bytes)) return false;
      held += bytes;
      return true;
    },
    release() {
      budget.give(held);
      held = 0;
    },
  };
}

const refused = (refusal: Refusal): BodyRead => ({ kind: "refused", refusal });

const tooLarge = (limitBytes: number): Refusal => ({
  status: 413,
  code: "request_too_large",
  message: `the body is longer than ${limitBytes} bytes; see buffers.request`,
});

const unsupportedEncoding = (encoding: string): Refusal => ({
  status: 415,
  code: "unsupported_encoding",
  message: `a body with content-encoding "${encoding}" cannot be routed; send it uncompressed`,
});

const BUSY: Refusal = {
  status: 503,
  code: "out_of_buffers",
  message: "too many request bodies are held at the moment; see buffers.all_requests",
  retryAfterMs: 1000,
};
