import { expect, test } from "bun:test";
import { createPainter, plainLine } from "../../../src/views/top/paint.ts";
import { span } from "../../../src/views/top/text.ts";
import { createScreen } from "../../support/screen.ts";

const COLOR = { hasColor: true, isUnicode: true };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test("what is painted is what is seen, changed rows included", () => {
  const screen = createScreen(12, 3);
  const painter = createPainter(COLOR);
  screen.feed(bytes(painter.paint([[span("full width.!", "good")], [span("two", "bad")], []], 12)));
  expect(screen.lines()).toEqual(["full width.!", "two", ""]);
  const change = painter.paint([[span("full width.!", "good")], [span("x")], [span("模型"), span("3")]], 12);
  expect(change).not.toContain("full");
  screen.feed(bytes(change));
  expect(screen.lines()).toEqual(["full width.!", "x", "模型3"]);
  expect(screen.unknown).toEqual([]);
});

test("a frame that is the same costs nothing", () => {
  const painter = createPainter(COLOR);
  painter.paint([[span("a")]], 10);
  expect(painter.paint([[span("a")]], 10)).toBe("");
  painter.forget();
  expect(painter.paint([[span("a")]], 10)).toContain("a");
});

test("what follows a wide text is put into its column, whatever the terminal thinks of the width", () => {
  const text = createPainter(COLOR).paint([[span("模型 "), span("next")]], 20);
  expect(text).toContain("模型 \u001b[6Gnext");
});

test("a terminal without Unicode is given as many columns of ASCII", () => {
  expect(plainLine([span("模型… – ↑↓é")], false)).toBe("????~ - ^v?");
});
