import { describe, expect, test } from "bun:test";
import type { LimitStatus, LogLine } from "../../../src/core/status.ts";
import { listTroubles } from "../../../src/views/dashboard/browser/model/attention.ts";
import { backOffMs } from "../../../src/views/dashboard/browser/model/back-off.ts";
import { limitBars, tightestShare } from "../../../src/views/dashboard/browser/model/limit-bars.ts";
import { addLines, fieldsText, isAtLeast } from "../../../src/views/dashboard/browser/model/log-lines.ts";
import { readPlace, writePlace } from "../../../src/views/dashboard/browser/model/place.ts";
import { windowOf } from "../../../src/views/dashboard/browser/model/window-of.ts";
import { sampleView } from "./sample-view.ts";

describe("the place in the page", () => {
  test("survives the address with any text in it", () => {
    const place = { tab: "backends", choices: { q: "a&b=c #100% ä", state: "resting" } } as const;
    expect(readPlace(writePlace(place), "overview")).toEqual(place);
  });

  test("leaves out choices at their default", () => {
    expect(writePlace({ tab: "keys", choices: { q: "", sort: "-inFlight" } })).toBe("#keys?sort=-inFlight");
    expect(writePlace({ tab: "log", choices: { q: "" } })).toBe("#log");
  });

  test("is the first section when the address is unknown", () => {
    for (const hash of ["", "#", "#nowhere", "#?q=1"])
      expect(readPlace(hash, "charts")).toEqual({ tab: "charts", choices: {} });
  });
});

describe("the rows in the document", () => {
  const table = { rows: 1000, rowPixels: 34, screenPixels: 900 };

  test("are those on the screen and a few more", () => {
    expect(windowOf({ ...table, topPixels: 100 })).toEqual({ from: 0, to: 30 });
    const middle = windowOf({ ...table, topPixels: -17_000 });
    expect(middle.from).toBeLessThanOrEqual(500);
    expect(middle.to).toBeGreaterThanOrEqual(527);
    expect(middle.to - middle.from).toBeLessThan(60);
  });

  test("are never outside of the table", () => {
    expect(windowOf({ ...table, topPixels: -1_000_000 })).toEqual({ from: 1000, to: 1000 });
    expect(windowOf({ ...table, rows: 3, topPixels: 0 })).toEqual({ from: 0, to: 3 });
    expect(windowOf({ ...table, rows: 0, topPixels: 0 })).toEqual({ from: 0, to: 0 });
  });

  test("are the first ones before anything is measured", () => {
    expect(windowOf({ ...table, rowPixels: 0, topPixels: 0 })).toEqual({ from: 0, to: 50 });
  });
});

describe("the wait for weir", () => {
  test("doubles to fifteen seconds, give or take a quarter", () => {
    expect([1, 2, 3, 6, 50].map((failures) => backOffMs(failures, 0.5))).toEqual([
      500, 1000, 2000, 15_000, 15_000,
    ]);
    expect([backOffMs(1, 0), backOffMs(1, 1)]).toEqual([375, 625]);
  });
});

describe("a limit's bar", () => {
  const limit: LimitStatus = {
    name: "rpm",
    of: "key",
    learned: false,
    used: 30,
    limit: 60,
    remaining: 30,
    resetAtMs: null,
  };

  test("shows the tightest limit first", () => {
    const bars = limitBars([
      limit,
      { ...limit, name: "tpm", used: 90_000, limit: 100_000, remaining: 10_000 },
    ]);
    expect(bars.map(({ name, text, tightness }) => [name, text, tightness])).toEqual([
      ["tpm", "90k/100k", "near"],
      ["rpm", "30/60", "calm"],
    ]);
  });

  test("is full when nothing is left, whatever else is known", () => {
    expect(limitBars([{ ...limit, used: null, limit: null, remaining: 0 }])[0]).toMatchObject({
      usedShare: 1,
      tightness: "full",
      text: "0 left",
    });
    expect(limitBars([{ ...limit, used: 0, limit: 0, remaining: 0 }])[0]?.usedShare).toBe(1);
    expect(limitBars([{ ...limit, used: 70, remaining: 0 }])[0]?.usedShare).toBe(1);
  });

  test("reckons what is used from what is left", () => {
    expect(limitBars([{ ...limit, used: null, learned: true }])[0]).toMatchObject({
      text: "30/60",
      label: "rpm of the key: 30/60, as the provider says",
    });
  });

  test("has no length when nothing is known of its use", () => {
    expect(limitBars([{ ...limit, used: null, remaining: null }])[0]).toMatchObject({
      usedShare: null,
      text: "60",
    });
    expect(tightestShare([])).toBeNull();
  });
});

describe("what needs attention", () => {
  test("names a resting key once and not each of its backends", () => {
    const view = sampleView({ keys: 3, engines: 6 });
    const found = listTroubles(view).map(({ what, id }) => `${what} ${id}`);
    expect(found).toContain("key openai-key-1");
    expect(found.filter((each) => each.includes("openai"))).toHaveLength(1);
    expect(found[0]).toStartWith("backend gpu-");
  });
});

describe("log lines", () => {
  const line = (seq: number, level: LogLine["level"] = "info"): LogLine => ({
    seq,
    atMs: seq,
    level,
    message: "request",
    fields: {},
  });

  test("are added once each, and the oldest go", () => {
    const many = Array.from({ length: 700 }, (_, at) => line(at + 1));
    const kept = addLines(addLines([], many.slice(0, 400)), many.slice(300));
    expect(kept).toHaveLength(500);
    expect([kept[0]?.seq, kept.at(-1)?.seq]).toEqual([201, 700]);
    expect(new Set(kept.map(({ seq }) => seq)).size).toBe(500);
  });

  test("stay the same list when nothing is new", () => {
    const lines = [line(1), line(2)];
    expect(addLines(lines, [line(2)])).toBe(lines);
  });

  test("are chosen by the least level, and leave out fields without a value", () => {
    expect([isAtLeast(line(1, "debug"), "info"), isAtLeast(line(1, "error"), "warn")]).toEqual([false, true]);
    expect(fieldsText({ ...line(1), fields: { id: "r1", backend: undefined, status: 200, note: "" } })).toBe(
      "id=r1 status=200",
    );
  });
});
