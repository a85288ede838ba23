import { expect, test } from "bun:test";
import { layFrame } from "../../../src/views/top/frame.ts";
import { INITIAL, TABS, type TopState } from "../../../src/views/top/state.ts";
import { HELP_LINES } from "../../../src/views/top/help-lines.ts";
import type { TopData } from "../../../src/views/top/data.ts";
import { type Line, widthOf } from "../../../src/views/top/text.ts";
import { AT_MS, backend, backendsOf, failure, logLine, sampleView } from "./sample.ts";

const data = (change: Partial<TopData> = {}): TopData => ({
  url: "http://127.0.0.1:8080",
  view: sampleView(backendsOf(20)),
  log: [logLine(1), logLine(2)],
  link: { kind: "live" },
  ...change,
});

const textOf = (line: Line): string => line.map(({ text }) => text).join("");

const texts = (state: TopState, shown = data(), { columns, rows } = { columns: 80, rows: 24 }): string[] =>
  layFrame(state, shown, { columns, rows }).lines.map(textOf);

const joined = (...given: Parameters<typeof texts>): string => texts(...given).join("\n");

const HOSTILE = [
  "\u001b[2J\u001b]0;owned\u0007",
  "a\r\nb\tc\u0000",
  "模型名称很长很长很长很长很长",
  "👩‍👩‍👧‍👦🏳️‍🌈e\u0301\u0301\u0301",
  "\u202eabc\u2066\u200b\u{e0041}\ud800",
  `${"word ".repeat(30)}${"x".repeat(300)}`,
];

test.each(TABS)("the view %s fits every screen, whatever the names hold", (tab) => {
  const wrong: unknown[] = [];
  for (const name of HOSTILE) {
    const rows = [backend(0, { id: name, model: name, reason: name }), ...backendsOf(30)];
    const view = sampleView(rows, { failures: [failure(1, { detail: name, backend: name })] });
    const shown = data({ url: name, view, log: [logLine(1, { message: name, fields: { [name]: name } })] });
    for (const columns of [1, 2, 3, 14, 41, 80, 131, 250])
      for (const height of [1, 2, 5, 8, 12, 24, 60])
        for (const overlay of ["none", "help", "details"] as const) {
          const state = { ...INITIAL, tab, overlay, filter: overlay === "none" ? "" : name };
          const lines = texts({ ...state, isTyping: columns % 2 === 0 }, shown, { columns, rows: height });
          if (lines.length > height) wrong.push({ columns, height, overlay, lines: lines.length });
          const bad = lines.filter((text) => widthOf(text) > columns || /\p{Control}/u.test(text));
          wrong.push(...bad.map((text) => ({ columns, height, overlay, text })));
        }
  }
  expect(wrong).toEqual([]);
});

test("a frame of a weir that has nothing yet is laid out too", () => {
  const view = sampleView([], { providers: [], models: [], keys: [], failures: [] });
  for (const tab of TABS) {
    const lines = texts({ ...INITIAL, tab }, data({ view, log: [] }));
    expect(lines).toHaveLength(24);
    if (tab !== "Overview") expect(lines.join("\n")).toContain(" none");
  }
});

test("the overview begins with what needs a look, each trouble once", () => {
  const rows = [backend(0), backend(3, { state: "down", reason: "down: connection refused" })];
  const text = joined(INITIAL, data({ view: sampleView(rows) }));
  expect(text).toMatch(/Attention[^]*down +connection refused[^]*Provider[^]*Model[^]*Time/);
  expect(text.match(/connection refused/g)).toHaveLength(2); // the other one is the failure
});

test("an overview that has room shows backends too", () => {
  expect(joined(INITIAL)).not.toMatch(/\nBackend /);
  expect(joined(INITIAL, data(), { columns: 200, rows: 50 })).toMatch(/\nBackend [^]*openai-0/);
});

test("the overview says how many rows found no room", () => {
  const text = joined(INITIAL, data({ view: sampleView(backendsOf(60)) }));
  const [, hidden] = /Attention \(\+(\d+)\)/.exec(text) ?? [];
  const troubles = backendsOf(60).filter(({ state }) => /down|resting|limited/.test(state)).length;
  const seen = text.split("\n").filter((line) => / (?:key|backend) +(?:openai|vllm) /.test(line)).length;
  expect(Number(hidden) + seen).toBe(troubles);
});

test("a line of the log begins with what tells most", () => {
  const fields = { id: "req-1", method: "POST", path: "/v1/chat/completions", model: "gpt-4o", status: 200 };
  const text = joined({ ...INITIAL, tab: "Log" }, data({ log: [logLine(1, { fields })] }));
  expect(text).toContain("info  request model=gpt-4o status=200 method=POST path=");
});

test("a rejected reload is the first thing of the summary", () => {
  const view = sampleView(backendsOf(3));
  const reload = { atMs: AT_MS - 12_000, ok: false, problems: ['weir.yaml:3: unknown key "prot"'] };
  const lines = texts(INITIAL, data({ view: { ...view, instance: { ...view.instance, reload } } }));
  expect(lines[1]).toStartWith('reload REJECTED 12 s ago: weir.yaml:3: unknown key "prot"');
});

test("a weir that is not ready says why", () => {
  const view = sampleView(backendsOf(3));
  const instance = { ...view.instance, ready: false, notReadyReason: "no engine answers" };
  expect(joined(INITIAL, data({ view: { ...view, instance } }))).toContain("not ready: no engine answers");
});

test("the time that a rest has left is counted down by weir's clock", () => {
  const view = sampleView([
    backend(0, { state: "resting", reason: "rests 12 s: 429 rate limit", untilAtMs: AT_MS + 12_000 }),
  ]);
  const later = { ...view, instance: { ...view.instance, atMs: AT_MS + 5000 } };
  const state: TopState = { ...INITIAL, tab: "Backends" };
  expect(joined(state, data({ view }))).toContain("rests 12 s: 429 rate limit");
  expect(joined(state, data({ view: later }))).toContain("rests 7 s: 429 rate limit");
});

test("a lost line is told first, and everything else is greyed", () => {
  const link = { kind: "lost", reason: "connection refused", retryInMs: 3000 } as const;
  const { lines } = layFrame(INITIAL, data({ link }), { columns: 80, rows: 24 });
  expect(lines[0]?.[0]?.text).toBe("LOST, next try in 3 s: connection refused");
  const tones = new Set(lines.slice(2, -1).flatMap((line) => line.map(({ tone }) => tone)));
  expect([...tones]).toEqual(["dim"]);
});

test("the help fits the smallest usual screen", () => {
  expect(Math.max(...HELP_LINES.map(widthOf))).toBeLessThanOrEqual(80);
  expect(joined({ ...INITIAL, overlay: "help" })).toContain(HELP_LINES.at(-1) ?? "missing");
});

test("columns of engines are left out where there are none", () => {
  const state: TopState = { ...INITIAL, tab: "Backends" };
  const wide = { columns: 250, rows: 30 };
  expect(joined(state, data(), wide)).toContain("Cache");
  expect(joined(state, data({ view: sampleView([backend(0), backend(1)]) }), wide)).not.toContain("Cache");
});
