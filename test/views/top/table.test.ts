import { expect, test } from "bun:test";
import { createTable, type TableRequest } from "../../../src/views/top/table.ts";

interface Row {
  readonly name: string;
  readonly size: number | null;
}

let formatted = 0;

const table = (rows: readonly Row[]) =>
  createTable<Row>({
    rows,
    columns: [
      { title: "Name", width: 6, most: 12, rank: 0, cell: ({ name }) => name, order: ({ name }) => name },
      {
        title: "Size",
        width: 5,
        align: "right",
        rank: 1,
        cell: ({ size }) => {
          formatted += 1;
          return { text: String(size ?? "-"), tone: "good" };
        },
        order: ({ size }) => size,
      },
      { title: "Extra", width: 8, rank: 7, cell: () => "extra" },
    ],
    words: ({ name }) => [name],
    details: ({ name }) => [{ label: "name", text: name }],
  });

const ROWS: readonly Row[] = [
  { name: "gpu-10", size: 3 },
  { name: "gpu-2", size: null },
  { name: "key-1", size: 7 },
];

const request = (change: Partial<TableRequest> = {}): TableRequest => ({
  width: 40,
  height: 10,
  top: 0,
  chosen: undefined,
  order: undefined,
  filter: "",
  ...change,
});

const texts = (change: Partial<TableRequest> = {}): string[] =>
  table(ROWS)
    .lay(request(change))
    .map((line) => line.map(({ text }) => text).join(""));

const names = (change: Partial<TableRequest>): string[] =>
  texts(change)
    .slice(1)
    .map((line) => line.split(" ")[0] ?? "");

test("a table has its titles first and its cells in their columns", () => {
  expect(texts()).toEqual([
    "Name    Size Extra   ",
    "gpu-10     3 extra   ",
    "gpu-2      - extra   ",
    "key-1      7 extra   ",
  ]);
});

test("columns of the highest rank go first when there is no room", () => {
  expect(texts({ width: 20 })[0]).toBe("Name    Size");
  expect(texts({ width: 9 })[0]).toBe("Name  ");
});

test("the column that the rows are sorted by stays", () => {
  const [title] = texts({ width: 12, order: { column: "Size", descending: true } });
  expect(title).toBe("Name   Size↓");
});

test("names are sorted by their numbers, and what is not known is last both ways", () => {
  expect(names({ order: { column: "Name", descending: false } })).toEqual(["gpu-2", "gpu-10", "key-1"]);
  expect(names({ order: { column: "Size", descending: false } })).toEqual(["gpu-10", "key-1", "gpu-2"]);
  expect(names({ order: { column: "Size", descending: true } })).toEqual(["key-1", "gpu-10", "gpu-2"]);
  expect(names({ order: { column: "gone", descending: true } })).toEqual(["gpu-10", "gpu-2", "key-1"]);
});

test("the filter keeps rows that have all its words, and leaves out by a minus", () => {
  expect(names({ filter: "GPU" })).toEqual(["gpu-10", "gpu-2"]);
  expect(names({ filter: "gpu -2" })).toEqual(["gpu-10"]);
  expect(table(ROWS).count("key")).toBe(1);
});

test("the chosen row is marked without colour too", () => {
  expect(texts({ chosen: 1 }).map((line) => line[0])).toEqual([" ", " ", ">", " "]);
});

test("the details are those of the row that is chosen as the table is shown", () => {
  const order = { column: "Size", descending: true };
  expect(table(ROWS).details(request({ chosen: 0, order }))).toEqual([{ label: "name", text: "key-1" }]);
  expect(table(ROWS).details(request({ filter: "nothing" }))).toEqual([]);
});

test("of ten thousand rows only those in sight are formatted", () => {
  const rows = Array.from({ length: 10_000 }, (_, at) => ({ name: `row-${at}`, size: at }));
  formatted = 0;
  table(rows).lay(request({ top: 5000, height: 20, order: { column: "Size", descending: true } }));
  expect(formatted).toBe(20);
});
