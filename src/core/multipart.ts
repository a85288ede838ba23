// Finds the `model` and `stream` fields of a multipart form (audio, images) by scanning its bytes; RFC 7578.
import type { Envelope, Span, Unreadable } from "./envelope.ts";

const CR = 0x0d;
const LF = 0x0a;
const DASH = 0x2d;
const LONGEST_HEAD_BYTES = 8192;
const LONGEST_VALUE_BYTES = 512;

/** A byte order mark is part of the value, as it is to the upstream. */
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

const unreadable = (reason: string): Unreadable => ({ kind: "unreadable", reason });

/** The boundary that a `multipart/form-data` content type names; undefined for any other type. */
export function readBoundary(contentType: string | null): string | undefined {
  if (contentType === null || !/^multipart\/form-data\s*(;|$)/i.test(contentType)) return undefined;
  const match = /;\s*boundary=(?:"([^"]{1,200})"|([^\s;"]{1,200}))/i.exec(contentType);
  return match?.[1] ?? match?.[2] ?? "";
}

/** Reads the form fields named `model` and `stream`; parts with a file name never count. */
export function readForm(body: Uint8Array, boundary: string): Envelope | Unreadable {
  if (boundary === "") return unreadable("the multipart content type has no boundary");
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const mark = encoder.encode(`--${boundary}`);
  const separator = encoder.encode(`\r\n--${boundary}`);
  let modelSpan: Span | undefined;
  let stream = false;
  let at = startsWith(body, mark, 0) ? mark.length : after(bytes.indexOf(separator), separator.length);
  if (at < 0) return unreadable("the multipart body does not contain its boundary");
  for (;;) {
    if (body[at] === DASH && body[at + 1] === DASH) break;
    while (body[at] === 0x20 || body[at] === 0x09) at += 1;
    if (body[at] !== CR || body[at + 1] !== LF)
      return unreadable("the multipart body is cut or its boundary is broken");
    const headStart = at + 2;
    const headEnd = bytes.subarray(headStart - 2, headStart + LONGEST_HEAD_BYTES).indexOf("\r\n\r\n");
    if (headEnd < 0) return unreadable("a multipart part has no end of its header");
    const valueStart = headStart - 2 + headEnd + 4;
    const end = bytes.indexOf(separator, valueStart - 2);
    if (end < 0) return unreadable("the multipart body ends inside a part");
    // An empty value lets the separator begin with the line break that ends the part's header.
    const valueEnd = Math.max(end, valueStart);
    const field = fieldOf(bytes.toString("latin1", headStart, headStart - 2 + headEnd));
    if (field === "model") {
      if (modelSpan !== undefined) return unreadable("the form has more than one model");
      modelSpan = { start: valueStart, end: valueEnd };
    } else if (field === "stream")
      stream = bytes.toString("latin1", valueStart, Math.min(valueEnd, valueStart + 8)).trim() === "true";
    at = end + separator.length;
  }
  if (modelSpan === undefined) return { kind: "envelope", stream };
  if (modelSpan.end - modelSpan.start > LONGEST_VALUE_BYTES)
    return unreadable(`model is longer than ${LONGEST_VALUE_BYTES} bytes`);
  let model: string;
  try {
    model = decoder.decode(body.subarray(modelSpan.start, modelSpan.end));
  } catch {
    return unreadable("model is not valid UTF-8");
  }
  if (model === "") return unreadable("model is empty");
  return { kind: "envelope", model, modelSpan, stream };
}

/** The field name of a part, from its header lines; undefined for files and for parts without a plain name. */
function fieldOf(head: string): string | undefined {
  const disposition = /^content-disposition:\s*form-data\s*(;.*)$/im.exec(head)?.[1];
  if (disposition === undefined || /;\s*filename\*?=/i.test(disposition)) return undefined;
  const match = /;\s*name=(?:"([^"]*)"|([^\s;"]+))/i.exec(disposition);
  return match?.[1] ?? match?.[2];
}

function startsWith(body: Uint8Array, start: Uint8Array, at: number): boolean {
  return start.every((byte, index) => body[at + index] === byte);
}

const after = (found: number, length: number): number => (found < 0 ? -1 : found + length);
