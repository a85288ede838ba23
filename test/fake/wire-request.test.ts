// The request reader: any cut of the bytes gives the same requests, and what is not HTTP is refused.
import { expect, test } from "bun:test";
import { assert, nat, property, uniqueArray } from "fast-check";
import { RequestReader } from "../../src/fake/wire-request.ts";

function readAll(pieces: readonly Buffer[]): string[] {
  const reader = new RequestReader();
  const found: string[] = [];
  for (const piece of pieces) {
    reader.push(piece);
    for (let turn = 0; turn < 10; turn += 1) {
      const result = reader.next();
      if (result.kind === "more") break;
      if (result.kind === "request") {
        const { method, path, query, body } = result.request;
        found.push(`${method} ${path}?${query} ${Buffer.from(body).toString()}`);
      } else if (result.kind === "broken") return [...found, `broken: ${result.reason}`];
      else found.push("expects");
    }
  }
  return found;
}

const STREAM = [
  "POST /a?x=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
  "GET /b HTTP/1.1\r\nhost: h\r\n\r\n",
  "POST http://h/c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwater\r\n3;x=y\r\n way\r\n0\r\nT: 1\r\n\r\n".replace(
    "3;x",
    "4;x",
  ),
  "PUT /d HTTP/1.1\r\ncontent-length: 0\r\n\r\n",
].join("");
const REQUESTS = ["POST /a?x=1 hello", "GET /b? ", "POST /c? water way", "PUT /d? "];

test("the reader gives the same requests however the bytes are cut", () => {
  const bytes = Buffer.from(STREAM);
  assert(
    property(uniqueArray(nat(bytes.length), { maxLength: 20 }), (cuts) => {
      const ends = [0, ...cuts.sort((a, b) => a - b), bytes.length];
      const pieces = ends.slice(1).map((end, index) => bytes.subarray(ends[index], end));
      expect(readAll(pieces)).toEqual(REQUESTS);
    }),
  );
  expect(readAll([...bytes].map((byte) => Buffer.of(byte)))).toEqual(REQUESTS);
});

test("the reader tells when a client waits for a word before its body", () => {
  const head = Buffer.from("POST / HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n");
  expect(readAll([head, Buffer.from("ok")])).toEqual(["expects", "POST /? ok"]);
});

test("the reader refuses what is not HTTP/1.1", () => {
  const wrong = [
    "hello\r\n\r\n",
    "GET / HTTP/2\r\n\r\n",
    "GET / HTTP/1.1\r\nno colon\r\n\r\n",
    "POST / HTTP/1.1\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\n",
    "POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
    "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
  ];
  for (const text of wrong) expect(readAll([Buffer.from(text)])[0]).toStartWith("broken: ");
});
