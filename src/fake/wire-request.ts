// Reads HTTP/1.1 requests from raw bytes, with content-length or chunked bodies, for the fake provider's connections.
// Hand-written, so that the far side of a test shares nothing with Bun's own server.

export interface WireRequest {
  readonly method: string;
  /** The request target as it was sent. */
  readonly target: string;
  readonly path: string;
  readonly query: string;
  readonly minorVersion: 0 | 1;
  /** Names in lower case; repeated headers are joined by ", ". */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export type ReadResult =
  | { readonly kind: "more" }
  /** The head is complete and its sender waits for a word before sending the body. */
  | { readonly kind: "expects" }
  | { readonly kind: "request"; readonly request: WireRequest }
  | { readonly kind: "broken"; readonly status: number; readonly reason: string };

const MORE: ReadResult = { kind: "more" };
const LONGEST_HEAD_BYTES = 256 * 1024;
const LONGEST_BODY_BYTES = 256 * 1024 * 1024;

type Head = Omit<WireRequest, "body">;

/** Takes bytes as they come and gives requests as they become complete. */
export class RequestReader {
  private pending: Buffer[] = [];
  private pendingBytes = 0;
  private neededBytes = 0;
  private head: Head | undefined;
  private expectsTold = false;
  /** Body bytes still to come; undefined for a chunked body. */
  private lengthBytes: number | undefined;
  private parts: Buffer[] = [];
  private partsBytes = 0;

  /** True between two requests, with no byte of the next one here. */
  get idle(): boolean {
    return this.head === undefined && this.pendingBytes === 0;
  }

  push(bytes: Buffer): void {
    this.pending.push(bytes);
    this.pendingBytes += bytes.length;
  }

  next(): ReadResult {
    if (this.pendingBytes < this.neededBytes) return MORE;
    if (this.head === undefined) {
      const result = this.readHead();
      if (result !== undefined) return result;
    }
    const head = this.head;
    if (head === undefined) return MORE;
    if (this.pendingBytes === 0 && !this.expectsTold && /100-continue/i.test(head.headers["expect"] ?? "")) {
      this.expectsTold = true;
      return { kind: "expects" };
    }
    const problem = this.lengthBytes === undefined ? this.readChunks() : this.readLength(this.lengthBytes);
    if (problem !== undefined) return problem;
    const body =
      this.parts.length === 1 && this.parts[0] !== undefined ? this.parts[0] : Buffer.concat(this.parts);
    this.head = undefined;
    this.parts = [];
    this.partsBytes = 0;
    this.neededBytes = 0;
    return { kind: "request", request: { ...head, body } };
  }

  private readHead(): ReadResult | undefined {
    if (this.pendingBytes === 0) return MORE;
    const bytes = this.gather();
    const end = bytes.indexOf("\r\n\r\n");
    if (end < 0) {
      return bytes.length > LONGEST_HEAD_BYTES ? broken(431, "the request head is too long") : MORE;
    }
    const head = parseHead(bytes.toString("latin1", 0, end));
    if (typeof head === "string") return broken(400, head);
    this.keep(bytes.subarray(end + 4));
    this.head = head;
    this.expectsTold = false;
    if (/chunked/i.test(head.headers["transfer-encoding"] ?? "")) {
      this.lengthBytes = undefined;
      return undefined;
    }
    const length = head.headers["content-length"] ?? "0";
    if (!/^\d{1,15}$/.test(length)) return broken(400, `content-length is "${length}"`);
    this.lengthBytes = Number(length);
    return this.lengthBytes > LONGEST_BODY_BYTES ? broken(413, "the body is too long") : undefined;
  }

  private readLength(lengthBytes: number): ReadResult | undefined {
    this.neededBytes = lengthBytes;
    if (this.pendingBytes < lengthBytes) return MORE;
    const bytes = this.gather();
    this.parts = [bytes.subarray(0, lengthBytes)];
    this.keep(bytes.subarray(lengthBytes));
    return undefined;
  }

  private readChunks(): ReadResult | undefined {
    for (;;) {
      const bytes = this.gather();
      const lineEnd = bytes.indexOf("\r\n");
      if (lineEnd < 0) return bytes.length > 1024 ? broken(400, "a chunk has no size line") : MORE;
      const size = /^([0-9a-f]{1,8})\s*(?:;.*)?$/i.exec(bytes.toString("latin1", 0, lineEnd))?.[1];
      if (size === undefined) return broken(400, "a chunk size is not a number");
      const sizeBytes = Number.parseInt(size, 16);
      if (sizeBytes === 0) {
        // Trailers end like a head; without trailers the empty line follows at once.
        const end = bytes.indexOf("\r\n\r\n", lineEnd);
        if (end < 0) return MORE;
        this.keep(bytes.subarray(end + 4));
        return undefined;
      }
      this.neededBytes = lineEnd + 2 + sizeBytes + 2;
      if (bytes.length < this.neededBytes) return MORE;
      this.parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + sizeBytes));
      this.partsBytes += sizeBytes;
      if (this.partsBytes > LONGEST_BODY_BYTES) return broken(413, "the body is too long");
      this.keep(bytes.subarray(this.neededBytes));
      this.neededBytes = 0;
    }
  }

  private gather(): Buffer {
    const only = this.pending[0];
    if (this.pending.length === 1 && only !== undefined) return only;
    const all = Buffer.concat(this.pending);
    this.keep(all);
    return all;
  }

  private keep(rest: Buffer): void {
    this.pending = rest.length === 0 ? [] : [rest];
    this.pendingBytes = rest.length;
  }
}

function broken(status: number, reason: string): ReadResult {
  return { kind: "broken", status, reason };
}

function parseHead(text: string): Head | string {
  const lines = text.split("\r\n");
  const first = /^([A-Z]+) (\S+) HTTP\/1\.([01])$/.exec(lines[0] ?? "");
  if (first === null) return "the request line is not HTTP/1.1";
  const [, method = "", target = "", minor] = first;
  const headers: Record<string, string> = Object.create(null);
  for (let index = 1; index < lines.length; index += 1) {
    const line = lines[index] ?? "";
    const colon = line.indexOf(":");
    if (colon <= 0) return `a header line has no name: ${JSON.stringify(line.slice(0, 80))}`;
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before}, ${value}`;
  }
  const local = target.replace(/^https?:\/\/[^/?]*/i, "") || "/";
  const mark = local.indexOf("?");
  return {
    method,
    target,
    path: mark < 0 ? local : local.slice(0, mark),
    query: mark < 0 ? "" : local.slice(mark + 1),
    minorVersion: minor === "0" ? 0 : 1,
    headers,
  };
}
