import { describe, expect, test } from "bun:test";
import { array, assert, constantFrom, property } from "fast-check";
import { Secret } from "../../src/core/credential.ts";
import { createRedactor } from "../../src/notify/redact.ts";

function redactorOf(...secrets: string[]) {
  const redactor = createRedactor();
  redactor.know(secrets.map((secret) => new Secret(secret)));
  return redactor;
}

const KEY = "sk-proj-0123456789abcdef";

describe("a redactor", () => {
  test("takes a secret out wherever it stands, as often as it stands there", () => {
    const { redact } = redactorOf(KEY);
    expect(redact(KEY)).toBe("***");
    expect(redact(`${KEY}x`)).toBe("***x");
    expect(redact(`x${KEY}`)).toBe("x***");
    expect(redact(`a ${KEY} b ${KEY}${KEY} c`)).toBe("a *** b ****** c");
    expect(redact(`?key=${KEY}&x=1`)).toBe("?key=***&x=1");
  });

  test("leaves everything else as it is", () => {
    const { redact } = redactorOf(KEY);
    for (const text of ["", "short", "sk-proj-", KEY.slice(0, -1), KEY.slice(1), KEY.toUpperCase()])
      expect(redact(text)).toBe(text);
  });

  test("prefers the longer of two that begin alike", () => {
    expect(redactorOf(KEY, `${KEY}-more`).redact(`${KEY}-more`)).toBe("***");
    expect(redactorOf(`${KEY}-more`, KEY).redact(`${KEY}-more`)).toBe("***");
  });

  test("knows a secret as it stands in a query, too", () => {
    expect(redactorOf("p@ss word/1234").redact("x=p%40ss%20word%2F1234&")).toBe("x=***&");
  });

  test("knows what follows the scheme of an authorization by itself, too", () => {
    const { redact } = redactorOf("Bearer gateway-canary-77");
    expect(redact("token gateway-canary-77 of Bearer gateway-canary-77")).toBe("token *** of ***");
  });

  test("still knows those of before the last reload, not those of before that", () => {
    const redactor = redactorOf("first-key-0000");
    redactor.know([new Secret("second-key-000")]);
    expect(redactor.redact("first-key-0000 second-key-000")).toBe("*** ***");
    redactor.know([new Secret("third-key-0000")]);
    expect(redactor.redact("first-key-0000 second-key-000 third-key-0000")).toBe("first-key-0000 *** ***");
  });

  test("leaves words alone that are too short to be secrets", () => {
    expect(redactorOf("ollama", "x").redact("ollama runs x")).toBe("ollama runs x");
  });

  test("agrees with a search for each secret", () => {
    // Few letters, so that secrets overlap, repeat and share beginnings.
    const word = (minLength: number) =>
      array(constantFrom("a", "b", "é"), { minLength, maxLength: 24 }).map((letters) => letters.join(""));
    assert(
      property(array(word(8), { maxLength: 6 }), array(word(0), { maxLength: 8 }), (secrets, words) => {
        const text = words.flatMap((part, at) => [part, secrets[at] ?? ""]).join("");
        const redacted = redactorOf(...secrets).redact(text);
        expect(secrets.filter((secret) => redacted.includes(secret))).toEqual([]);
        expect(redacted === text).toBe(!secrets.some((secret) => text.includes(secret)));
      }),
      { numRuns: 300 },
    );
  });
});
