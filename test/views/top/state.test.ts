import { expect, test } from "bun:test";
import { backendTable } from "../../../src/views/top/columns-pool.ts";
import {
  type Facts,
  INITIAL,
  press,
  type Press,
  settle,
  type TopState,
} from "../../../src/views/top/state.ts";
import { AT_MS, backendsOf } from "./sample.ts";

const FACTS: Facts = { table: backendTable(backendsOf(30), AT_MS), page: 10 };
const BACKENDS: TopState = { ...INITIAL, tab: "Backends" };

const key = (text: string): Press => ({ text, name: text.toLowerCase(), ctrl: false, shift: false });
const named = (name: string, change: Partial<Press> = {}): Press => ({
  text: undefined,
  name,
  ctrl: false,
  shift: false,
  ...change,
});

const after = (state: TopState, keys: readonly Press[], facts = FACTS): TopState | undefined =>
  keys.reduce<TopState | undefined>((now, each) => now && press(now, each, facts), state);

const place = (keys: readonly Press[]) => after(BACKENDS, keys)?.places.Backends;

test.each([
  ["q", key("q")],
  ["Ctrl-C", named("c", { ctrl: true })],
])("%s ends it", (_, pressed) => {
  expect(press(INITIAL, pressed, FACTS)).toBeUndefined();
});

test("Ctrl-C ends it while a filter is typed and while help is open", () => {
  expect(after(BACKENDS, [key("/"), named("c", { ctrl: true })])).toBeUndefined();
  expect(after(BACKENDS, [key("?"), named("c", { ctrl: true })])).toBeUndefined();
});

test("numbers and tab lead to the views, around the ends", () => {
  expect(after(INITIAL, [key("4")])?.tab).toBe("Backends");
  expect(after(INITIAL, [named("tab")])?.tab).toBe("Providers");
  expect(after(INITIAL, [named("tab", { shift: true })])?.tab).toBe("Log");
  expect(after(INITIAL, [key("9")])?.tab).toBe("Overview");
});

test("the choice moves by rows, pages and to the ends, and never leaves the list or the screen", () => {
  expect(place([named("up")])).toMatchObject({ chosen: 0, top: 0 });
  expect(place([named("down"), key("j")])).toMatchObject({ chosen: 2, top: 0 });
  expect(place([named("pagedown")])).toMatchObject({ chosen: 10, top: 1 });
  expect(place([key("G")])).toMatchObject({ chosen: 29, top: 20 });
  expect(place([named("end"), named("pageup")])).toMatchObject({ chosen: 19, top: 19 });
  expect(place([named("end"), named("home")])).toMatchObject({ chosen: 0, top: 0 });
});

test("each view keeps its own place", () => {
  const state = after(BACKENDS, [named("down"), key("5"), key("4")]);
  expect(state?.places.Backends.chosen).toBe(1);
  expect(state?.places.Keys.chosen).toBe(0);
});

test("a place settles when rows and screen have become fewer", () => {
  const far = { chosen: 25, top: 20, order: undefined };
  expect(settle(far, { rows: 5, page: 10 })).toMatchObject({ chosen: 4, top: 0 });
  expect(settle(far, { rows: 0, page: 10 })).toMatchObject({ chosen: 0, top: 0 });
  expect(settle(far, { rows: 30, page: 3 })).toMatchObject({ chosen: 25, top: 23 });
  expect(settle({ ...far, chosen: 5 }, { rows: 30, page: 10 })).toMatchObject({ top: 5 });
  // A screen that has grown shows what was above.
  expect(settle(far, { rows: 30, page: 28 })).toMatchObject({ chosen: 25, top: 2 });
});

test("sorting goes through the columns and back to the given order, numbers from the largest", () => {
  expect(place([key("s")])?.order).toEqual({ column: "Backend", descending: false });
  expect(place([key("s"), key("S")])?.order).toEqual({ column: "Backend", descending: true });
  expect(place([key("s"), named("left")])?.order).toBeUndefined();
  expect(place([named("left")])?.order?.descending).toBe(true);
  expect(place([key("S")])?.order).toBeUndefined();
  const all = Array.from({ length: (FACTS.table?.sortable.length ?? 0) + 1 }, () => key("s"));
  expect(place(all)?.order).toBeUndefined();
});

test("a filter is typed, corrected, kept or given up, and its letters are no commands", () => {
  const typed = [key("/"), key("q"), key("p"), key("1")];
  expect(after(BACKENDS, typed)).toMatchObject({ filter: "qp1", isTyping: true, isPaused: false });
  expect(after(BACKENDS, [...typed, named("backspace")])?.filter).toBe("qp");
  expect(after(BACKENDS, [...typed, named("return")])).toMatchObject({ filter: "qp1", isTyping: false });
  expect(after(BACKENDS, [...typed, named("escape")])).toMatchObject({ filter: "", isTyping: false });
  expect(after(BACKENDS, [...typed, named("return"), named("escape")])?.filter).toBe("");
  expect(after(BACKENDS, [...typed, named("u", { ctrl: true })])).toMatchObject({
    filter: "",
    isTyping: true,
  });
  expect(after(BACKENDS, [key("/"), key("模"), named("backspace")])?.filter).toBe("");
});

test("control characters and endless texts do not get into the filter", () => {
  expect(after(BACKENDS, [key("/"), { ...named("x"), text: "\u001b[2J" }])?.filter).toBe("");
  const many = Array.from({ length: 500 }, () => key("x"));
  expect(after(BACKENDS, [key("/"), ...many])?.filter.length).toBeLessThan(100);
});

test("another filter begins at the top of every list", () => {
  expect(place([named("end"), key("/"), key("g")])).toMatchObject({ chosen: 0, top: 0 });
});

test("details open for a row, and not for an empty list", () => {
  expect(after(BACKENDS, [named("return")])?.overlay).toBe("details");
  expect(after(BACKENDS, [named("return"), named("escape")])?.overlay).toBe("none");
  expect(after({ ...BACKENDS, filter: "nothing such" }, [named("return")])?.overlay).toBe("none");
  expect(after(INITIAL, [named("return")], { table: undefined, page: 10 })?.overlay).toBe("none");
});

test("q closes what is open before it ends the view", () => {
  expect(after(BACKENDS, [key("?"), key("q")])).toMatchObject({ overlay: "none" });
});
