import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { createAnswerParser } from "../../src/bench/parse-answer.ts";

interface Read {
  readonly heads: { status: number; contentType: string; keepsAlive: boolean }[];
  readonly bodies: string[];
  ended: number;
  flaw: string | undefined;
  closedWell: boolean;
}

/** One answer in pieces of the given sizes, then the end of the connection. */
function readAnswer(text: string, pieceBytes = Infinity): Read {
  const read: Read = { heads: [], bodies: [], ended: 0, flaw: undefined, closedWell: false };
  const parser = createAnswerParser({
    onHead: ({ status, contentType, keepsAlive }) => read.heads.push({ status, contentType, keepsAlive }),
    onBody: (bytes, from, to) => read.bodies.push(Buffer.from(bytes.subarray(from, to)).toString("latin1")),
    onEnd: () => void (read.ended += 1),
  });
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length && read.flaw === undefined; at += pieceBytes)
    read.flaw = parser.push(bytes.subarray(at, Math.min(bytes.length, at + pieceBytes)));
  if (read.flaw === undefined) read.closedWell = parser.close();
  return read;
}

const bodyOf = ({ bodies }: Read): string => bodies.join("");
const chunked = (...chunks: readonly string[]): string =>
  `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\r\n${chunks
    .map((chunk) => `${Buffer.byteLength(chunk).toString(16)}\r\n${chunk}\r\n`)
    .join("")}`;

describe("an answer", () => {
  test("of a known length ends with its last byte and keeps the connection", () => {
    const read = readAnswer(
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: Application/JSON\r\n\r\nhello",
    );
    expect(read.heads).toEqual([{ status: 200, contentType: "application/json", keepsAlive: true }]);
    expect(bodyOf(read)).toBe("hello");
    expect(read.ended).toBe(1);
  });

  test("in chunks is read whatever pieces it comes in", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ minLength: 1, unit: "grapheme" }), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 40 }),
        (parts, pieceBytes) => {
          const read = readAnswer(`${chunked(...parts)}0\r\n\r\n`, pieceBytes);
          expect(read.flaw).toBeUndefined();
          expect(read.ended).toBe(1);
          expect(bodyOf(read)).toBe(Buffer.from(parts.join("")).toString("latin1"));
        },
      ),
    );
  });

  test("in chunks may have extensions and trailers", () => {
    const read = readAnswer(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;name=value\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n",
    );
    expect([bodyOf(read), read.ended, read.flaw]).toEqual(["abc", 1, undefined]);
  });

  test("without a length ends with its connection", () => {
    const read = readAnswer("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end");
    expect([bodyOf(read), read.ended, read.closedWell, read.heads[0]?.keepsAlive]).toEqual([
      "until the end",
      1,
      true,
      false,
    ]);
  });

  test("may have interim answers before it", () => {
    const read = readAnswer(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
    );
    expect(read.heads.map(({ status }) => status)).toEqual([204]);
    expect(read.ended).toBe(1);
  });

  test.each([
    ["cut in its head", "HTTP/1.1 200 OK\r\nContent-Le"],
    ["cut in its body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"],
    ["cut between its chunks", chunked("hello")],
    ["cut in its trailers", `${chunked("hello")}0\r\n`],
  ])("that is %s is not complete", (_, text) => {
    const read = readAnswer(text);
    expect([read.flaw, read.ended, read.closedWell]).toEqual([undefined, 0, false]);
  });

  test.each([
    ["no HTTP", "SSH-2.0-OpenSSH_9.2\r\n\r\n", "it does not speak HTTP/1.1"],
    [
      "a chunk without size",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
      "a chunk has no size",
    ],
    [
      "a negative chunk",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n",
      "a chunk has no size",
    ],
    [
      "a chunk that is too long",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n",
      "a chunk is longer than it says",
    ],
    [
      "two lengths",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
      "it gives two lengths",
    ],
    ["a length that is none", "HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n", "its length is no number"],
    [
      "an unknown coding",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
      "it uses an unknown transfer coding",
    ],
    [
      "more than the answer",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab",
      "it sent more than the answer",
    ],
    ["an endless head", `HTTP/1.1 200 OK\r\nX: ${"y".repeat(70_000)}`, "a line has no end"],
  ])("with %s is told", (_, text, flaw) => {
    expect(readAnswer(text).flaw).toBe(flaw);
  });
});
