// The two usual kinds of column: names, sorted from the first, and numbers, at the right and sorted from the largest.
import { formatCount, NONE } from "../dashboard/browser/model/format.ts";
import type { Column } from "./table.ts";

type Shape<Row> = Pick<Column<Row>, "title" | "width" | "wide" | "most" | "rank">;

export const textColumn = <Row>(shape: Shape<Row>, value: (row: Row) => string | null): Column<Row> => ({
  ...shape,
  cell: (row) => value(row) ?? NONE,
  order: value,
});

export const numberColumn = <Row>(
  shape: Shape<Row>,
  value: (row: Row) => number | null,
  format: (value: number | null) => string = formatCount,
): Column<Row> => ({ ...shape, align: "right", cell: (row) => format(value(row)), order: value });
