// The model is found where the upstream's parser finds it, or the body is refused; other bytes are never touched.
import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import {
  type Envelope,
  readEnvelope,
  renameModel,
  replaceSpan,
  type Unreadable,
} from "../../src/core/envelope.ts";

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const text = (body: Uint8Array): string => new TextDecoder().decode(body);
const read = (body: string): Envelope | Unreadable => readEnvelope(bytes(body));

/** The model found; throws where the body was refused. */
function modelOf(body: string): string | undefined {
  const found = read(body);
  if (found.kind === "unreadable") throw new Error(`${found.reason}: ${body.slice(0, 200)}`);
  return found.model;
}

const reasonOf = (found: Envelope | Unreadable): string => (found.kind === "unreadable" ? found.reason : "");

/** `{"a":1}` from pairs, so that duplicates and order are ours to choose. */
const object = (pairs: readonly (readonly [key: string, json: string])[], gap = ""): string =>
  `{${gap}${pairs.map(([key, json]) => `${gap}${JSON.stringify(key)}${gap}:${gap}${json}${gap}`).join(",")}${gap}}`;

/** Every UTF-16 unit of a text as an escape. */
const escapes = (value: string): string =>
  Array.from(
    { length: value.length },
    (_, at) => `\\u${value.charCodeAt(at).toString(16).padStart(4, "0")}`,
  ).join("");

const tricky = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 60 }),
  fc.string({
    unit: fc.constantFrom("\\", '"', "{", "}", "[", "]", ",", ":", "\n", "m", "é", "😀"),
    maxLength: 60,
  }),
  fc.constantFrom(
    '"model":"decoy"',
    '{"model":"decoy"}',
    ',"model":"decoy",',
    '\\"model\\":\\"decoy\\"',
    "model",
  ),
);
const keys = fc.oneof(
  tricky,
  fc.constantFrom("Model", "MODEL", "model ", " model", "mode", "models", "Stream", "__proto__"),
);
const decoy = fc.constantFrom<unknown>(
  { model: "decoy", stream: true },
  [{ model: "decoy" }],
  { nested: { model: ["decoy"], "}": "{" } },
  '","model":"decoy',
);
const values = fc.oneof(fc.jsonValue(), tricky, decoy);
const gaps = fc.constantFrom("", " ", "\n", "\t\r\n  ", " ".repeat(40));
const models = fc
  .oneof(tricky, fc.constantFrom("gpt-4o", "a/b:c"))
  .filter((model) => model !== "" && model.isWellFormed() && JSON.stringify(model).length < 400);

const streamOf = (json: string) => {
  const found = read(`{"model":"m","stream":${json}}`);
  return found.kind === "envelope" && found.stream;
};

describe("the envelope of a valid object", () => {
  test("agrees with JSON.parse whatever else the body holds, wherever the model stands", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(keys, values), { maxLength: 8 }),
        models,
        fc.record({
          at: fc.nat(8),
          gap: gaps,
          stream: values,
          cacheKey: tricky,
          how: fc.boolean(),
          pretty: fc.nat(4),
        }),
        (others, model, { at, gap, stream, cacheKey, how, pretty }) => {
          const pairs = others
            .filter(([key]) => key !== "model" && key !== "stream" && key !== "prompt_cache_key")
            .map(([key, value]) => [key, JSON.stringify(value, undefined, pretty)] as const);
          const ours = [
            ["model", how ? `"${escapes(model)}"` : JSON.stringify(model)],
            ["stream", JSON.stringify(stream)],
            ["prompt_cache_key", JSON.stringify(cacheKey)],
          ] as const;
          const split = Math.min(at, pairs.length);
          const body = object([...pairs.slice(0, split), ...ours, ...pairs.slice(split)], gap);
          const parsed = JSON.parse(body) as Record<string, unknown>;
          const found = read(body);
          expect(found.kind).toBe("envelope");
          if (found.kind !== "envelope") return;
          expect(found.model).toBe(parsed["model"] as string);
          expect(found.stream).toBe(parsed["stream"] === true);
          const wellFormed = cacheKey.isWellFormed() ? cacheKey : undefined;
          expect(found.cacheKey).toBe(wellFormed as string);
          const { start, end } = found.modelSpan ?? { start: 0, end: 0 };
          expect(JSON.parse(text(bytes(body).subarray(start, end)))).toBe(model);
        },
      ),
      { numRuns: 3000 },
    );
  });

  test("has no model where JSON.parse finds none at the top", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(keys, values), { maxLength: 8 }), gaps, (pairs, gap) => {
        const others = pairs
          .filter(([key]) => key !== "model")
          .map(([key, v]) => [key, JSON.stringify(v)] as const);
        expect(modelOf(object(others, gap))).toBeUndefined();
      }),
      { numRuns: 1000 },
    );
  });

  test("is found behind strings of any length that end in quotes and runs of backslashes", () => {
    for (let length = 0; length <= 60; length += 1)
      for (let run = 0; run <= 5; run += 1)
        for (const tail of ["", '"', '",', '","model":"decoy"']) {
          const value = `${"x".repeat(length)}${"\\".repeat(run)}${tail}`;
          const body = object([
            [value, "1"],
            ["prompt", JSON.stringify(value)],
            ["model", '"m"'],
          ]);
          expect(modelOf(body)).toBe("m");
          expect(
            modelOf(
              object([
                ["model", '"m"'],
                ["prompt", JSON.stringify(value)],
              ]),
            ),
          ).toBe("m");
          expect(
            modelOf(
              object([
                ["deep", JSON.stringify([{ [value]: value }])],
                ["model", '"m"'],
              ]),
            ),
          ).toBe("m");
        }
  });

  test("is found at byte offsets around every multiple of the search border", () => {
    for (let length = 0; length < 100; length += 1)
      for (const filler of ["\\", '"', "\\\\", '\\"', "é", "\n"]) {
        const body = object([
          ["p", JSON.stringify(`${"a".repeat(length)}${filler.repeat(30)}`)],
          ["model", '"m"'],
        ]);
        expect(modelOf(body)).toBe("m");
      }
  });

  test("decodes every escape of the model's value", () => {
    expect(modelOf(String.raw`{"model":"a\/b\u00e9\ud83d\ude00\n\t\"\\"}`)).toBe('a/bé😀\n\t"\\');
    expect(modelOf('{"model":"gp\\u0074-4o"}')).toBe("gpt-4o");
    expect(modelOf('{"model":"模型😀"}')).toBe("模型😀");
  });

  test("takes only true as a wish for a stream, and the last of several", () => {
    expect(streamOf("true")).toBe(true);
    for (const json of ["false", "null", '"true"', "1", "[true]", "{}", "truer", "tru"])
      expect(streamOf(json)).toBe(false);
    expect(streamOf('false,"stream":true')).toBe(true);
    expect(streamOf('true,"stream":false')).toBe(false);
    expect(streamOf('false,"x":{"stream":true}')).toBe(false);
  });

  test("holds an empty object without a model", () => {
    expect(read(" { } \r\n")).toEqual({ kind: "envelope", stream: false });
  });

  test("ignores other spellings of the field", () => {
    for (const key of ["Model", "MODEL", "model ", " model", "models", "mode", "модел", "\\u004dodel"])
      expect(modelOf(`{"${key}":"decoy"}`)).toBeUndefined();
    expect(modelOf('{"Model":"decoy","model":"m","MODEL":"decoy"}')).toBe("m");
  });

  test("leaves out a cache key that is no text", () => {
    for (const json of ["1", "null", "{}", '"\\ud800"', '"\\x"'])
      expect(read(`{"model":"m","prompt_cache_key":${json}}`)).not.toHaveProperty("cacheKey");
    expect(read('{"model":"m","prompt_cache_key":"k\\u0031"}')).toHaveProperty("cacheKey", "k1");
  });
});

describe("a body that cannot be routed", () => {
  test.each([
    ["", "empty"],
    [" \n\t ", "empty"],
    ["[]", "not a JSON object"],
    ['"model"', "not a JSON object"],
    ["null", "not a JSON object"],
    ["model=gpt", "not a JSON object"],
    ["{model:1}", "field name"],
    ["{'model':'m'}", "field name"],
    ['{"model":"m",}', "field name"],
    ['{,"model":"m"}', "field name"],
    ['{"model" "m"}', 'expected ":"'],
    ['{"model":}', "expected a value"],
    ['{"model":,"a":1}', "expected a value"],
    ['{"model":"m" "a":1}', 'expected "," or "}"'],
    ['{"model":"m"]', 'expected "," or "}"'],
    ['{"model":"m', "inside a value"],
    ['{"mod', "inside a string"],
    ['{"model":"m"', "inside the object"],
    ['{"model":"m"}{"model":"n"}', "goes on"],
    ['{"model":"m"}\n{"model":"n"}', "goes on"],
    ['{"model":"m"}\0', "goes on"],
    ['{"model":"a","model":"a"}', "more than one model"],
    ['{"model":"a","x":{},"model":"b"}', "more than one model"],
    ['{"model":1}', "not a string"],
    ['{"model":null}', "not a string"],
    ['{"model":["m"]}', "not a string"],
    ['{"model":{"model":"m"}}', "not a string"],
    ['{"model":""}', "model is empty"],
    ['{"model":"a\\x"}', "not a valid JSON string"],
    ['{"model":"a\nb"}', "not a valid JSON string"],
    ['{"model":"\\ud800"}', "not a valid JSON string"],
    [`{"model":"${"m".repeat(513)}"}`, "longer than 512"],
    ['{"mode\\u006c":"m"}', "escapes"],
    ['{"\\u006d\\u006f\\u0064\\u0065\\u006C":"m"}', "escapes"],
    ['{"model":"m","mod\\u0065l":"n"}', "escapes"],
    ['{"model":"m","str\\u0065am":true}', "escapes"],
    [`{"${escapes("prompt_cache_key")}":"m"}`, "escapes"],
    ['/* c */{"model":"m"}', "not a JSON object"],
    ['{/*"model":"a",*/"model":"b"}', "field name"],
    ['{"a":1/*,"model":"evil"*/,"model":"good"}', 'expected "," or "}"'],
    ['{"a":1//,"model":"evil"\n,"model":"good"}', "more than one model"],
  ])("is refused with a reason: %j", (body, reason) => {
    expect(reasonOf(read(body))).toContain(reason);
  });

  test("is refused when its encoding is not plain UTF-8", () => {
    const body = '{"model":"m"}';
    const utf16le = new Uint8Array(Buffer.from(body, "utf16le"));
    const utf16be = new Uint8Array(Buffer.from(body, "utf16le").swap16());
    const utf32be = Uint8Array.from(Array.from(bytes(body)).flatMap((byte) => [0, 0, 0, byte]));
    expect(reasonOf(readEnvelope(bytes(`\uFEFF${body}`)))).toContain("UTF-8 with a byte order mark");
    for (const wide of [utf16le, utf16be, utf32be]) expect(reasonOf(readEnvelope(wide))).toContain("UTF-16");
    for (const mark of [
      [0xff, 0xfe],
      [0xfe, 0xff],
    ])
      expect(reasonOf(readEnvelope(Uint8Array.from([...mark, ...utf16le])))).toContain("UTF-16");
  });

  test("is refused when the model is not UTF-8", () => {
    for (const bad of [[0xff], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80]]) {
      const body = Uint8Array.from([...bytes('{"model":"a'), ...bad, ...bytes('"}')]);
      expect(reasonOf(readEnvelope(body))).toContain("not a valid JSON string");
    }
  });

  test("is refused wherever it was cut", () => {
    const body = `{"a":{"model":"decoy","b":[1,"]}"]},"s":"${"x".repeat(40)}\\"model\\":\\\\","model":"gp\\u0074-é","stream":true,"n":-1.5e3}`;
    const whole = bytes(body);
    for (let length = 0; length < whole.length; length += 1)
      expect(readEnvelope(whole.subarray(0, length)).kind).toBe("unreadable");
    expect(modelOf(body)).toBe("gpt-é");
  });

  test("never yields another model than the whole one's when cut, whatever the body", () => {
    fc.assert(
      fc.property(models, values, gaps, (model, value, gap) => {
        const whole = bytes(
          object(
            [
              ["x", JSON.stringify(value)],
              ["model", JSON.stringify(model)],
              ["y", "[1]"],
            ],
            gap,
          ),
        );
        for (let length = 0; length <= whole.length; length += 1) {
          const found = readEnvelope(whole.subarray(0, length));
          if (found.kind === "envelope") expect(found.model).toBe(model);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe("the scan", () => {
  test("never throws on noise, and never sees a model that a JSON parser would see otherwise", () => {
    const pieces = fc.constantFrom(
      '"model"',
      '"m"',
      '"n"',
      '"a',
      '"',
      "\\",
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      "1",
      "true",
      " ",
      "null",
      "é",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 24 }), (parts) => {
        const body = `{${parts.join("")}}`;
        const found = read(body);
        let parsed: Record<string, unknown>;
        try {
          parsed = JSON.parse(body) as Record<string, unknown>;
        } catch {
          return; // what is wrong with it, the upstream will say
        }
        if (found.kind === "envelope") expect(found.model).toBe(parsed["model"] as string);
        else expect(found.reason).toMatch(/more than one model|not a string|empty/);
      }),
      { numRuns: 5000 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => void readEnvelope(noise)));
  });

  test("passes a million levels of nesting", () => {
    const depth = 1_000_000;
    const nested = `{"a":${"[".repeat(depth)}{"model":"decoy"}${"]".repeat(depth)},"model":"m"}`;
    expect(modelOf(nested)).toBe("m");
    expect(reasonOf(read(`{"a":${"[".repeat(depth)}`))).toContain("inside a value");
    expect(reasonOf(read(`{"a":${'{"model":'.repeat(depth)}`))).toContain("inside a value");
  });

  test("finds the last field of 20 MB, and passes 20 MB of escapes", () => {
    const image = new Uint8Array(20_000_000).fill(0x41);
    const body = Buffer.concat([bytes('{"messages":[{"image":"'), image, bytes('"}],"model":"last"}')]);
    expect(readEnvelope(body)).toMatchObject({ model: "last" });
    const quotes = Buffer.concat([
      bytes('{"p":"'),
      Buffer.from('\\"'.repeat(2_000_000)),
      bytes('","model":"last"}'),
    ]);
    expect(readEnvelope(quotes)).toMatchObject({ model: "last" });
    const slashes = Buffer.concat([
      bytes('{"p":"'),
      Buffer.from("\\\\".repeat(5_000_000)),
      bytes('","model":"last"}'),
    ]);
    expect(readEnvelope(slashes)).toMatchObject({ model: "last" });
  });

  test("reads a view into a larger buffer by its own offsets", () => {
    const shifted = Buffer.concat([
      bytes('{"model":"before"}'),
      bytes('{"model":"m"}'),
      bytes('"model":'),
    ]).subarray(18, 31);
    expect(readEnvelope(shifted)).toMatchObject({ model: "m", modelSpan: { start: 9, end: 12 } });
  });
});

describe("a renamed body", () => {
  test("differs in the bytes of the model's value only", () => {
    fc.assert(
      fc.property(models, models, values, gaps, (model, name, value, gap) => {
        const body = bytes(
          object(
            [
              ["big", "12345678901234567890"],
              ["model", JSON.stringify(model)],
              ["x", JSON.stringify(value)],
            ],
            gap,
          ),
        );
        const found = readEnvelope(body);
        if (found.kind !== "envelope" || found.modelSpan === undefined) throw new Error("refused");
        const { start, end } = found.modelSpan;
        const renamed = renameModel(body, found.modelSpan, name);
        expect(readEnvelope(renamed)).toMatchObject({ model: name });
        expect(Buffer.compare(renamed.subarray(0, start), body.subarray(0, start))).toBe(0);
        expect(
          Buffer.compare(renamed.subarray(renamed.length - (body.length - end)), body.subarray(end)),
        ).toBe(0);
        expect(text(renamed.subarray(start, renamed.length - (body.length - end)))).toBe(
          JSON.stringify(name),
        );
      }),
      { numRuns: 500 },
    );
  });

  test("does not change the original", () => {
    const body = bytes('{"model":"a"}');
    expect(text(replaceSpan(body, { start: 9, end: 12 }, bytes('"longer"')))).toBe('{"model":"longer"}');
    expect(text(body)).toBe('{"model":"a"}');
  });
});

/** After nst/JSONTestSuite: y must be taken, n must not crash anything. */
const VALID = [
  "[]",
  "[[]   ]",
  "{}",
  '[""]',
  "[1.5,-0,0e+1,1E-2,123e65,-1]",
  "[null,true,false]",
  '"\\u0061\\u30af\\u30EA\\u30b9"',
  '"\\uD801\\udc37"',
  '"\\ud83d\\ude39\\ud83d\\udc8d"',
  '"\\"\\\\\\/\\b\\f\\n\\r\\t"',
  '"\\\\u0000"',
  '"\\u0000"',
  '"\\u005C"',
  '"\u2028\u2029"',
  '"\u007f"',
  '"\\uFFFE"',
  '"asd "',
  '" "',
  '"a/*b*/c/*d//e"',
  '"{"',
  '"}"',
  '"]"',
  '"new\\u000Aline"',
  '{"asd":"sdf"}',
  '{"a":"b","a":"c"}',
  '{"":0}',
  '{"foo\\u0000bar":42}',
  '{"x":[{"id":"xxxxxxxxxxxxxxxxxxxxxxxxxxxx"}],"id":"x"}',
  '{"title":"\\u041f\\u043e\\u043b\\u0442\\u043e\\u0440\\u0430"}',
  '{\n"a": "b"\n}',
  "[1\n]",
  " [1] ",
  "[1,null,null,null,2]",
  '"\u{10ffff}"',
  '"€𝄞"',
  "-0.000000000000000000000000000000000000000000000000000000000000000000000000000001",
  "1E22",
  "20e1",
];
const INVALID = [
  "[1 true]",
  "[a",
  '["": 1]',
  '["a",]',
  "[,1]",
  "[1,,2]",
  '["x"]]',
  "[3[4]]",
  "[fals]",
  "[nul]",
  "[tru]",
  "[++1]",
  "[-01]",
  "[.2e-3]",
  "[0.e1]",
  "[0x42]",
  "[Infinity]",
  "[NaN]",
  "[1+2]",
  "[2.]",
  '["\\x00"]',
  '["\\u00A"]',
  '["\\uD800\\u1"]',
  '["\\a"]',
  '["\\',
  '["a\u0000b"]',
  '["a\nb"]',
  "['single quote']",
  "[<null>]",
  '[\\u000A""]',
  '{"a":"b"}/**/',
  '{"a":"a" 123}',
  "{1:1}",
  "{9999E9999:1}",
  '{"x"::"b"}',
  '{"x", null}',
  "{key: 'value'}",
  '{"a":"b",,"c":"d"}',
  '{"a":"a',
  '{a: "b"}',
  '{[: "x"}',
  '{"id":0,}',
  '{"a" b}',
  "{🇨🇭}",
  "*",
  "<.>",
  "[1]x",
  "1]",
  "aå",
  "[⁠]",
  "\u00A0[1]",
  '{"a":\u000b1}',
  "",
  "{",
  "[",
  '["',
  '{"":',
  "]",
  "﻿",
  '["\t"]',
  "tru",
  "1eE2",
  "- 1",
  "012",
  "[1:2]",
  '{"a":1]',
  "[{]}",
];

describe("a value of the JSON test suite's kind", () => {
  test("does not hide the model when valid", () => {
    for (const json of VALID) {
      const body = `{"a":${json},"model":"m","z":${json}}`;
      expect(JSON.parse(body)).toHaveProperty("model", "m");
      expect(modelOf(body)).toBe("m");
    }
  });

  test("is refused or skipped, never a crash and never another model, when invalid", () => {
    for (const json of INVALID) {
      expect(() => JSON.parse(`{"a":${json}}`)).toThrow();
      for (const body of [
        json,
        `{"a":${json},"model":"m"}`,
        `{"model":"m","a":${json}}`,
        `{"model":${json}}`,
      ]) {
        const found = read(body);
        if (found.kind === "envelope") expect(["m", undefined]).toContain(found.model);
      }
    }
  });
});
