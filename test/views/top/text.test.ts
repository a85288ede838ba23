import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { clip, fit, flow, inert, span, widthOf, wrap } from "../../../src/views/top/text.ts";

test("an inert text has nothing that a terminal acts upon", () => {
  const CHUNK = 1000;
  for (let from = 0; from <= 0x10ffff; from += CHUNK) {
    const points = Array.from({ length: Math.min(CHUNK, 0x110000 - from) }, (_, at) => from + at);
    const safe = inert(String.fromCodePoint(...points));
    if (!safe.isWellFormed() || /[\p{Control}\p{Bidi_Control}\p{Surrogate}\u200b\u2060\ufeff]/u.test(safe))
      throw new Error(`not inert: among the characters from ${from}`);
  }
  expect(inert("\u001b[31mred\u0007")).toBe("\ufffd[31mred\ufffd");
  expect(inert("a\r\nb\tc")).toBe("a\ufffd\ufffdb\ufffdc");
});

test("an inert text keeps what people write", () => {
  const text = "openai/gpt-4o é ü 模型 🎉 e\u0301";
  expect(inert(text)).toBe(text);
});

test("a very long text is cut before it costs time", () => {
  expect(inert("a".repeat(1_000_000)).length).toBeLessThan(3000);
});

test.each([
  ["short", 8, "left", "short   "],
  ["short", 8, "right", "   short"],
  ["much longer", 6, "left", "much …"],
  ["模型名称", 5, "left", "模型…"],
  ["模型名称", 4, "left", "模… "],
  ["模型", 5, "right", " 模型"],
  ["anything", 0, "left", ""],
  ["ab", 1, "left", "…"],
] as const)("%j in %i columns, %s, is %j", (text, width, align, fitted) => {
  expect(fit(text, width, align)).toBe(fitted);
});

test("a fitted text is exactly as wide as asked, whatever it holds", () => {
  const texts = [
    "",
    "plain",
    "模型名称模型",
    "a模b型c",
    "👩‍👩‍👧‍👦🏳️‍🌈🎉é",
    "e\u0301e\u0301e\u0301",
    "한국어 ไทย हिन्दी عربي",
  ];
  const widths = texts.map((text) =>
    [0, 1, 2, 3, 4, 5, 6, 7, 9, 40].map((width) => [width, widthOf(fit(inert(text), width))]),
  );
  expect(widths.flat().filter(([asked, got]) => asked !== got)).toEqual([]);
});

test("a clipped line keeps its tones and ends at the width", () => {
  expect(clip([span("abc", "good"), span("defg", "bad"), span("hij")], 5)).toEqual([
    span("abc", "good"),
    span("d…", "bad"),
  ]);
});

test("a wrapped text loses nothing but blanks, and no line is too wide", () => {
  expect(wrap("one two three", 7)).toEqual(["one two", "three"]);
  expect(wrap("abcdefghij", 4)).toEqual(["abcd", "efgh", "ij"]);
  fc.assert(
    fc.property(fc.string({ unit: "grapheme-ascii" }), fc.integer({ min: 2, max: 30 }), (text, width) => {
      const lines = wrap(text, width);
      expect(lines.join("").replaceAll(" ", "")).toBe(text.replaceAll(" ", ""));
      for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(width);
    }),
  );
});

test("pieces flow onto as many lines as they need, and the last ones are left out first", () => {
  const pieces = ["aaaa", "bbbb", "cccc", "dddd"].map((text) => [span(text)]);
  const texts = (most: number): string[] =>
    flow(pieces, 12, most).map((line) => line.map(({ text }) => text).join(""));
  expect(texts(9)).toEqual(["aaaa   bbbb", "cccc   dddd"]);
  expect(texts(1)).toEqual(["aaaa   bbbb"]);
  expect(
    flow(pieces, 2, 9)
      .flat()
      .every(({ text }) => widthOf(text) <= 2),
  ).toBe(true);
});
