// Reads the text of a request to the admin API, within a bound, or says why not.
import type { Refusal } from "../core/refusal.ts";

export type BodyText =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "refused"; readonly refusal: Refusal };

/** Room for a thousand targets. */
const MOST_BYTES = 256 * 1024;

/** What a page may send: types that a form of another site's page cannot, without asking first. */
const TYPES = /^(application\/(json|[\w.+-]+\+json|yaml|x-yaml)|text\/(json|yaml|x-yaml))$/;

export async function readBody(request: Request): Promise<BodyText> {
  const { headers, body } = request;
  const type = headers.get("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
  // Programs are taken at their word: curl calls any body a form's.
  const isFromPage = headers.has("origin") || headers.has("sec-fetch-site");
  if (isFromPage && !TYPES.test(type)) return refused(NO_TYPE);
  if (headers.has("content-encoding")) return refused(PACKED);
  if (Number(headers.get("content-length") ?? 0) > MOST_BYTES) return refused(TOO_LARGE);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) return refused(TOO_LARGE);
    chunks.push(chunk);
  }
  try {
    return { kind: "text", text: new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks)) };
  } catch {
    return refused(NOT_UTF8); // the decoder throws for nothing else
  }
}

const refused = (refusal: Refusal): BodyText => ({ kind: "refused", refusal });

const NO_TYPE: Refusal = {
  status: 415,
  code: "unsupported_media_type",
  message: "send application/json (comments are fine) or application/yaml, and say so in Content-Type",
};
const PACKED: Refusal = { status: 415, code: "unsupported_encoding", message: "send the body uncompressed" };
const TOO_LARGE: Refusal = {
  status: 413,
  code: "request_too_large",
  message: `send at most ${MOST_BYTES} bytes`,
};
const NOT_UTF8: Refusal = { status: 400, code: "invalid_encoding", message: "send text in UTF-8" };
