// One field of a JSON body set by its bytes.
import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { insertField, setField } from "../../src/core/json-field.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (body: Uint8Array | undefined): string | undefined => body && new TextDecoder().decode(body);
const insert = (body: string): string | undefined => text(insertField(bytes(body), "model", "m"));
const set = (body: string): string | undefined => text(setField(bytes(body), "api_key", "k"));

describe("a field that is inserted", () => {
  test.each([
    ['{"messages":[]}', '{"model":"m","messages":[]}'],
    ['\r\n { "a" : 1 }\n', '\r\n {"model":"m", "a" : 1 }\n'],
    ['{\n  "a": 1\n}', '{"model":"m",\n  "a": 1\n}'],
    ["{}", '{"model":"m"}'],
    [" { \t\n} ", ' {"model":"m" \t\n} '],
  ])("stands behind the brace of %j, and no other byte changes", (body, sent) => {
    expect(insert(body)).toBe(sent);
  });

  test.each(["", "[]", '"text"', "--boundary", "model=m"])("has no place in %j", (body) => {
    expect(insert(body)).toBeUndefined();
  });

  test("is written as JSON, whatever its name and value hold", () => {
    expect(JSON.parse(text(insertField(bytes("{}"), 'a"\\', 'é"\n\\')) ?? "")).toEqual({ 'a"\\': 'é"\n\\' });
  });
});

describe("a field that is set", () => {
  test("is inserted where there is none of its name, nested ones and values apart", () => {
    const body = '{"x":{"api_key":"a"},"y":"api_key","z":["api_key"]}';
    expect(set(body)).toBe(`{"api_key":"k",${body.slice(1)}`);
  });

  test.each([
    ['{"api_key":"theirs","a":1}', '{"api_key":"k","a":1}'],
    ['{"a":1, "api_key" : null }', '{"a":1, "api_key" : "k" }'],
    ['{"api\\u005fkey":{"x":[1,"}"]}}', '{"api\\u005fkey":"k"}'],
    ['{"api_key":1,"b":2,"api_key":"x"}', '{"api_key":"k","b":2,"api_key":"k"}'],
  ])("takes the place of the client's own in %j", (body, sent) => {
    expect(set(body)).toBe(sent);
  });

  test("leaves the given bytes as they are", () => {
    const body = bytes('{"api_key":"theirs"}');
    setField(body, "api_key", "k");
    expect(text(body)).toBe('{"api_key":"theirs"}');
  });

  test("does not fail on what is cut or broken", () => {
    for (const body of ['{"api_key', '{"api_key":', '{"a":1,"api_key":"x', '{"\\x":1}', '{"a" 1}', "{"])
      expect(set(body)).toStartWith('{"api_key');
    expect(set("nothing")).toBeUndefined();
  });

  test("leaves every other field to any parser as it was", () => {
    const name = fc.oneof(fc.string(), fc.constant("api_key"));
    fc.assert(
      fc.property(fc.dictionary(name, fc.jsonValue(), { noNullPrototype: true }), (fields) => {
        const sent: unknown = JSON.parse(set(JSON.stringify(fields, undefined, 1)) ?? "");
        // As a parser has them: JSON knows no -0.
        expect(sent).toEqual(JSON.parse(JSON.stringify({ ...fields, api_key: "k" })));
      }),
    );
  });
});
