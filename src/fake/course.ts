// Everything decided about one answer before its first byte, and the bytes of its head and framing.
import { STATUS_CODES } from "node:http";
import { gzipSync } from "node:zlib";
import type { Framing } from "./action.ts";
import type { Answer, Piece } from "./families/answer.ts";

/** How an answer is broken off: after so many steps. */
export interface Cut {
  readonly after: number;
  readonly how: "hang" | "reset" | "end" | "close" | "bad_chunk" | "error";
  /** The error to tell of in band. */
  readonly error?: unknown;
}

/** Everything decided about an answer before its first byte. Times are by the pacer's clock. */
export interface Course {
  readonly answer: Answer;
  readonly headAtMs: number;
  readonly firstAtMs: number;
  readonly gapMs: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly framing: Framing;
  readonly keepAlive: boolean;
  /** Bytes before the head, such as 1xx answers. */
  readonly prelude: string;
  /** A status and nothing else: HEAD, 204, 304. */
  readonly bodiless: boolean;
  readonly gzip: boolean;
  readonly cut?: Cut;
  readonly slices?: { readonly bytes: number; readonly intervalMs: number };
  /** What to promise instead of the true length. */
  readonly promisedBytes?: number;
}

/** The head, with what stands before it. */
export function headOf(course: Course, bodyBytes: number | undefined): string {
  const { answer, headers, framing, keepAlive, prelude, gzip, bodiless, promisedBytes } = course;
  // What a script says about itself stands; it may lie about its length.
  const given = new Set(headers.map(([name]) => name.toLowerCase()));
  const own: (readonly [string, string])[] = [["date", new Date().toUTCString()]];
  if (!bodiless) own.push(["content-type", answer.body.type]);
  if (gzip) own.push(["content-encoding", "gzip"]);
  if (framing === "chunked" && !bodiless) own.push(["transfer-encoding", "chunked"]);
  if (framing === "length")
    own.push(["content-length", String(promisedBytes ?? bodyBytes ?? allBytes(course).length)]);
  if (!keepAlive || framing === "close") own.push(["connection", "close"]);
  let head = `${prelude}HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? "Unknown"}\r\n`;
  for (const [name, value] of own) if (!given.has(name)) head += `${name}: ${value}\r\n`;
  for (const [name, value] of headers) head += `${name}: ${value}\r\n`;
  return `${head}\r\n`;
}

/** A piece of the body as it goes on the wire. */
export function frame(framing: Framing, piece: Piece): Piece {
  const bytes = byteLength(piece);
  if (framing !== "chunked" || bytes === 0) return piece;
  const size = `${bytes.toString(16)}\r\n`;
  if (typeof piece === "string") return `${size}${piece}\r\n`;
  return Buffer.concat([Buffer.from(size), piece, Buffer.from("\r\n")]);
}

export const byteLength = (piece: Piece): number =>
  typeof piece === "string" ? Buffer.byteLength(piece) : piece.byteLength;

/** The whole body, for those who must know it before they send it. */
export function allBytes({ answer, gzip }: Course): Buffer {
  const { body, steps } = answer;
  const encode = (piece: Piece): Buffer => (gzip ? gzipSync(piece) : bytesOf(piece));
  if (body.kind === "whole") return encode(body.data);
  const pieces = Array.from({ length: steps }, (_, index) => encode(body.step(index)));
  return Buffer.concat([encode(body.opening), ...pieces, encode(body.closing())]);
}

export const bytesOf = (piece: Piece): Buffer =>
  typeof piece === "string"
    ? Buffer.from(piece)
    : Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
