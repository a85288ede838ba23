// A table of any rows, laid out for a width and a height: picks columns, sorts, filters, and formats only what is seen.
import { matcher } from "../dashboard/browser/model/arrange.ts";
import { fit, inert, type Line, span, type Span, type Tone, widthOf } from "./text.ts";

export type Cell = string | { readonly text: string; readonly tone: Tone };

export interface Column<Row> {
  readonly title: string;
  /** Columns of the screen; one that grows takes what its longest cell needs, `most` at most. */
  readonly width: number;
  /** In place of `width` on a wide screen. */
  readonly wide?: number;
  readonly most?: number;
  readonly align?: "right";
  /** When there is not enough room, those of the highest rank go first; 0 stays, 9 is the highest. */
  readonly rank: number;
  readonly cell: (row: Row) => Cell;
  /** What it is sorted by; null is last in either direction. Absent: by nothing. */
  readonly order?: (row: Row) => number | string | null;
}

export interface TableSpec<Row> {
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  /** All that the filter looks at. */
  readonly words: (row: Row) => readonly string[];
  /** Everything that is known of a row, for reading one alone. */
  readonly details: (row: Row) => readonly Detail[];
}

export interface Detail {
  readonly label: string;
  readonly text: string;
}

/** Absent: in the order that the rows came in. */
export interface Order {
  readonly column: string;
  readonly descending: boolean;
}

export interface TableRequest {
  readonly width: number;
  /** Rows, without the title line. */
  readonly height: number;
  readonly top: number;
  /** Index among the matching rows; undefined: none is chosen. */
  readonly chosen: number | undefined;
  readonly order: Order | undefined;
  readonly filter: string;
  /** Told beside the first title: so many rows found no room. */
  readonly hidden?: number;
}

/** A table with its row type hidden, so that screens can hold different ones. */
export interface Table {
  readonly total: number;
  readonly count: (filter: string) => number;
  readonly sortable: readonly SortableColumn[];
  /** The title line first. */
  readonly lay: (request: TableRequest) => Line[];
  readonly details: (request: TableRequest) => readonly Detail[];
}

export interface SortableColumn {
  readonly title: string;
  readonly isNumber: boolean;
}

/** From this width on there is room between columns, and for longer words in them. */
const WIDE = 130;

export function createTable<Row>(spec: TableSpec<Row>): Table {
  const { columns, rows } = spec;
  const arranged = ({ filter, order }: TableRequest): readonly Row[] =>
    sort(matching(spec, filter), spec, order);
  return {
    total: rows.length,
    count: (filter) => matching(spec, filter).length,
    sortable: columns.flatMap(({ title, order, align }) =>
      order === undefined ? [] : [{ title, isNumber: align === "right" }],
    ),
    lay(request) {
      const found = arranged(request);
      const shown = found.slice(request.top, request.top + request.height);
      const gap = request.width >= WIDE ? 2 : 1;
      const marked = request.chosen !== undefined;
      const widths = share(needed(columns, request.order), found, {
        room: request.width - (marked ? 1 : 0),
        gap,
      });
      const blank = " ".repeat(gap);
      const title = widths.map(({ column, width }, at) =>
        fit(`${titleOf(column, request)}${at === 0 ? moreOf(request) : ""}`, width, column.align),
      );
      const head = [span((marked ? " " : "") + title.join(blank), "title")];
      const body = shown.map((row, at) => {
        const isChosen = request.chosen === request.top + at;
        const cells = widths.flatMap(({ column, width }, index): Span[] => {
          const cell = column.cell(row);
          const { text, tone } = typeof cell === "string" ? span(cell) : cell;
          const laid = span(fit(inert(text), width, column.align), isChosen ? "chosen" : tone);
          return index === 0 ? [laid] : [span(blank, isChosen ? "chosen" : "plain"), laid];
        });
        if (!marked) return cells;
        return [span(isChosen ? ">" : " ", isChosen ? "chosen" : "plain"), ...cells];
      });
      return [head, ...body];
    },
    details(request) {
      const row = arranged(request)[request.chosen ?? 0];
      return row === undefined ? [] : spec.details(row);
    },
  };
}

function matching<Row>({ rows, words }: TableSpec<Row>, filter: string): readonly Row[] {
  const matches = matcher(filter);
  return filter === "" ? rows : rows.filter((row) => matches(words(row)));
}

function sort<Row>(
  rows: readonly Row[],
  { columns }: TableSpec<Row>,
  order: Order | undefined,
): readonly Row[] {
  const by = columns.find(({ title }) => title === order?.column)?.order;
  if (by === undefined || order === undefined) return rows;
  const sign = order.descending ? -1 : 1;
  return rows
    .map((row) => ({ row, value: by(row) }))
    .sort((a, b) => {
      if (a.value === null || b.value === null) return Number(a.value === null) - Number(b.value === null);
      // Ties keep their places from frame to frame, since the sort is stable.
      return (
        (typeof a.value === "number" && typeof b.value === "number"
          ? a.value - b.value
          : NATURAL.compare(String(a.value), String(b.value))) * sign
      );
    })
    .map(({ row }) => row);
}

/** gpu-2 before gpu-10. */
const NATURAL = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

function titleOf<Row>({ title }: Column<Row>, { order }: TableRequest): string {
  if (order?.column !== title) return title;
  return title + (order.descending ? "↓" : "↑");
}

const moreOf = ({ hidden = 0 }: TableRequest): string => (hidden > 0 ? ` (+${hidden})` : "");

interface Placed<Row> {
  readonly column: Column<Row>;
  readonly width: number;
}

/** What the rows are sorted by must be seen. */
const needed = <Row>(columns: readonly Column<Row>[], order: Order | undefined): readonly Column<Row>[] =>
  columns.map((column) => (column.title === order?.column ? { ...column, rank: 0 } : column));

/** Drops columns until the rest fits, then gives what is over to those that can use it, the most needed first. */
function share<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { room, gap }: { readonly room: number; readonly gap: number },
): Placed<Row>[] {
  const usual = ({ width, wide }: Column<Row>): number => (room >= WIDE ? (wide ?? width) : width);
  let kept = [...columns];
  const least = (): number => kept.reduce((sum, column) => sum + usual(column) + gap, -gap);
  for (let worst = LAST_RANK; worst > 0 && least() > room;) {
    const at = kept.findLastIndex(({ rank }) => rank === worst);
    if (at < 0) worst -= 1;
    else kept = kept.toSpliced(at, 1);
  }
  let left = room - least();
  const widths = new Map<Column<Row>, number>();
  for (const column of kept.toSorted((a, b) => a.rank - b.rank)) {
    const width = usual(column);
    const wanted = column.most === undefined ? 0 : Math.min(column.most, longest(column, rows));
    const more = Math.max(0, Math.min(left, wanted - width));
    left -= more;
    widths.set(column, width + more);
  }
  return kept.map((column) => ({ column, width: widths.get(column) ?? column.width }));
}

const LAST_RANK = 9;

/** Looks at all rows, so that columns keep their places while one scrolls. */
function longest<Row>({ cell, title }: Column<Row>, rows: readonly Row[]): number {
  let most = widthOf(title) + 1;
  for (const row of rows) {
    const value = cell(row);
    most = Math.max(most, widthOf(inert(typeof value === "string" ? value : value.text)));
  }
  return most;
}
