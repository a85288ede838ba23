import { describe, expect, test } from "bun:test";
import { jsonLine, textLine } from "../../src/notify/line.ts";

const AT = Date.UTC(2026, 10, 21, 12, 53, 33, 7);
const HOSTILE = "a\r\nb\u001b[31mc\u0000d\u009b2Je\u2028f\u202eg\u200bh\ufeffi\u007f";
const entry = (model: string) => ({
  level: "info" as const,
  message: "request",
  fields: { model, status: 200 },
});

describe("a line of text", () => {
  test("has time, level, message and fields", () => {
    const fields = {
      id: "r-1",
      model: "qwen/qwen3:32b",
      none: undefined,
      status: 200,
      ending: "client left",
    };
    expect(textLine({ level: "warn", message: "request", fields }, AT)).toBe(
      '12:53:33.007 warn  request id=r-1 model=qwen/qwen3:32b status=200 ending="client left"\n',
    );
  });

  test("is one line of visible characters whatever a value holds", () => {
    const line = textLine(entry(HOSTILE), AT);
    expect(line.slice(0, -1)).toMatch(/^[\x20-\x7e]+$/);
    expect(line).toContain(
      'model="a\\r\\nb\\u001b[31mc\\u0000d\\u009b2Je\\u2028f\\u202eg\\u200bh\\ufeffi\\u007f"',
    );
  });

  test("quotes what would look like another field", () => {
    expect(textLine(entry("x status=500"), AT)).toContain('model="x status=500" status=200');
  });
});

describe("a line of JSON", () => {
  test("holds the same values, and the day", () => {
    expect(JSON.parse(jsonLine(entry("gpt-4o"), AT))).toEqual({
      time: "2026-11-21T12:53:33.007Z",
      level: "info",
      message: "request",
      model: "gpt-4o",
      status: 200,
    });
  });

  test("is one line of visible characters that means the same", () => {
    const line = jsonLine(entry(HOSTILE), AT);
    expect(line.slice(0, -1)).toMatch(/^[\x20-\x7e]+$/);
    expect(JSON.parse(line).model).toBe(HOSTILE);
  });

  test("keeps letters of all languages as they are", () => {
    expect(jsonLine(entry("模型-é"), AT)).toContain('"模型-é"');
  });
});
