import { describe, expect, test } from "bun:test";
import type { StateWord } from "../../../src/core/status.ts";
import {
  arrange,
  type Arrangeable,
  type Arrangement,
  holdOrder,
  readSort,
  toggleSort,
  writeSort,
} from "../../../src/views/dashboard/browser/model/arrange.ts";

interface Row {
  readonly id: string;
  readonly state: StateWord;
  readonly load: number | null;
}

const ROWS: readonly Row[] = [
  { id: "gpu-10", state: "usable", load: 5 },
  { id: "gpu-2", state: "resting", load: null },
  { id: "Azure", state: "usable", load: 9 },
  { id: "gpu-1", state: "usable", load: 5 },
];

const PLAN: Arrangeable<Row> = {
  textsOf: ({ id, state }) => [id, state],
  keys: {
    id: { by: ({ id }) => id, first: "up" },
    load: { by: ({ load }) => load, first: "down" },
  },
};

const ids = (change: Partial<Arrangement>): readonly string[] =>
  arrange(
    ROWS,
    { query: "", state: undefined, sorting: { column: "none", direction: "up" }, ...change },
    PLAN,
  ).map(({ id }) => id);

describe("rows", () => {
  test("stay in the order of the configuration when no column is known", () => {
    expect(ids({})).toEqual(["gpu-10", "gpu-2", "Azure", "gpu-1"]);
  });

  test("are sorted by names as people count", () => {
    expect(ids({ sorting: { column: "id", direction: "up" } })).toEqual([
      "Azure",
      "gpu-1",
      "gpu-2",
      "gpu-10",
    ]);
  });

  test("without a value go last both ways, and equal ones keep their order", () => {
    expect(ids({ sorting: { column: "load", direction: "down" } })).toEqual([
      "Azure",
      "gpu-10",
      "gpu-1",
      "gpu-2",
    ]);
    expect(ids({ sorting: { column: "load", direction: "up" } })).toEqual([
      "gpu-10",
      "gpu-1",
      "Azure",
      "gpu-2",
    ]);
  });

  test("are filtered by state and by every word, in any case", () => {
    expect(ids({ state: "usable", query: "GPU" })).toEqual(["gpu-10", "gpu-1"]);
    expect(ids({ query: "gpu rest" })).toEqual(["gpu-2"]);
    expect(ids({ query: "gpu -resting" })).toEqual(["gpu-10", "gpu-1"]);
    expect(ids({ query: " - " })).toHaveLength(4);
  });

  test("are not changed by a query that looks like an expression", () => {
    expect(ids({ query: ".*(" })).toEqual([]);
  });
});

describe("a held order", () => {
  test("keeps rows where they were, takes those away that are gone, and adds new ones at the end", () => {
    const row = (id: string, load = 0): Row => ({ id, state: "usable", load });
    const held = holdOrder([row("new"), row("b", 7), row("a")], [row("a"), row("gone"), row("b")]);
    expect(held).toEqual([row("a"), row("b", 7), row("new")]);
  });
});

describe("a sorting", () => {
  test("begins in the column's own direction and turns with the next click", () => {
    const first = toggleSort({ column: "id", direction: "up" }, "load", PLAN.keys);
    expect(first).toEqual({ column: "load", direction: "down" });
    expect(toggleSort(first, "load", PLAN.keys)).toEqual({ column: "load", direction: "up" });
  });

  test("survives the address", () => {
    const fallback = { column: "id", direction: "up" } as const;
    for (const sorting of [fallback, { column: "load", direction: "down" } as const])
      expect(readSort(writeSort(sorting), PLAN.keys, fallback)).toEqual(sorting);
    for (const text of [undefined, "", "-", "-nothing", "constructor", "__proto__"])
      expect(readSort(text, PLAN.keys, fallback)).toEqual(fallback);
  });
});
