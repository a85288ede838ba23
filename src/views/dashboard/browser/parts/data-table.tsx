/** @jsxImportSource preact */
// A sortable table of any length: only the rows near the screen are in the document. Rows have one height, columns give
// way on narrow screens, and on a phone each row is a small card.
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { SortKey, Sorting } from "../model/arrange.ts";
import { useMedia } from "../hooks.ts";
import { type RowWindow, windowOf } from "../model/window-of.ts";

export interface Column<Row> {
  readonly id: string;
  readonly title: string;
  /** What the head says in full. */
  readonly hint?: string;
  readonly align?: "end";
  /** Columns with a higher number give way first; 0 stays on phones too. */
  readonly rank: 0 | 1 | 2 | 3;
  readonly sort?: SortKey<Row>;
  readonly cell: (row: Row, nowMs: number) => ComponentChildren;
}

interface DataTableProps<Row> {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly idOf: (row: Row) => string;
  readonly nowMs: number;
  readonly sorting: Sorting;
  readonly onSort: (column: string) => void;
  readonly onOpen: (id: string) => void;
  /** A mouse has come to the rows, or left them. */
  readonly onPoint: (isPointed: boolean) => void;
  /** In place of no rows. */
  readonly empty: string;
}

export function DataTable<Row>(props: DataTableProps<Row>) {
  const { caption, rows, idOf, nowMs, sorting, onSort, onOpen, onPoint, empty } = props;
  const columns = useShownColumns(props.columns);
  const body = useRef<HTMLTableSectionElement>(null);
  const { from, to, rowPixels } = useRowWindow(body, rows.length);
  const classOf = ({ id, align }: Column<Row>): string => `col-${id}${align === undefined ? "" : " end"}`;
  return (
    <table class="data" aria-rowcount={rows.length + 1}>
      <caption class="unseen">{caption}</caption>
      <colgroup>
        {columns.map((column) => (
          <col key={column.id} class={classOf(column)} />
        ))}
      </colgroup>
      <thead>
        <tr aria-rowindex={1}>
          {columns.map((column) => (
            <th key={column.id} scope="col" class={classOf(column)} aria-sort={ariaSort(column, sorting)}>
              {column.sort === undefined ? (
                <span title={column.hint}>{column.title}</span>
              ) : (
                <button type="button" title={column.hint} onClick={() => onSort(column.id)}>
                  {column.title}
                  {column.id === sorting.column && (
                    <span class="arrow" aria-hidden="true">
                      {sorting.direction === "up" ? "▲" : "▼"}
                    </span>
                  )}
                </button>
              )}
            </th>
          ))}
        </tr>
      </thead>
      <tbody
        ref={body}
        onPointerEnter={({ pointerType }) => onPoint(pointerType === "mouse")}
        onPointerLeave={() => onPoint(false)}
      >
        <Filler rows={from} rowPixels={rowPixels} />
        {rows.slice(from, to).map((row, at) => {
          const id = idOf(row);
          return (
            <tr key={id} class="row" aria-rowindex={from + at + 2} onClick={() => onOpen(id)}>
              {columns.map((column) => (
                <td key={column.id} class={classOf(column)} data-title={column.title}>
                  {column.cell(row, nowMs)}
                </td>
              ))}
            </tr>
          );
        })}
        <Filler rows={rows.length - to} rowPixels={rowPixels} />
        {rows.length === 0 && (
          <tr class="empty">
            <td>{empty}</td>
          </tr>
        )}
      </tbody>
    </table>
  );
}

/** Left out of the document, not only out of sight: with long tables that is what an update costs. */
function useShownColumns<Row>(columns: readonly Column<Row>[]): readonly Column<Row>[] {
  const isWide = useMedia("(min-width: 1501px)");
  const isMiddle = useMedia("(min-width: 1181px)");
  const isNarrow = useMedia("(min-width: 901px)");
  const most = isWide ? 3 : isMiddle ? 2 : isNarrow ? 1 : 0;
  return columns.filter(({ rank }) => rank <= most);
}

function ariaSort<Row>(
  column: Column<Row>,
  sorting: Sorting,
): "ascending" | "descending" | "none" | undefined {
  if (column.sort === undefined) return undefined;
  if (column.id !== sorting.column) return "none";
  return sorting.direction === "up" ? "ascending" : "descending";
}

/** Stands for rows that are not in the document. */
function Filler({ rows, rowPixels }: { readonly rows: number; readonly rowPixels: number }) {
  if (rows <= 0) return null;
  return (
    <tr class="filler" aria-hidden="true" style={{ height: `${rows * rowPixels}px` }}>
      <td />
    </tr>
  );
}

function useRowWindow(
  body: { readonly current: HTMLTableSectionElement | null },
  rows: number,
): RowWindow & { readonly rowPixels: number } {
  const [shown, setShown] = useState({ from: 0, to: Math.min(rows, 50), rowPixels: 0 });
  useLayoutEffect(() => {
    const measure = (): void => {
      const element = body.current;
      if (element === null) return;
      const rowPixels = Number.parseFloat(getComputedStyle(element).getPropertyValue("--row-pixels"));
      const topPixels = element.getBoundingClientRect().top;
      const next = { ...windowOf({ rows, rowPixels, topPixels, screenPixels: innerHeight }), rowPixels };
      setShown((old) =>
        old.from === next.from && old.to === next.to && old.rowPixels === rowPixels ? old : next,
      );
    };
    measure();
    addEventListener("scroll", measure, { passive: true });
    addEventListener("resize", measure);
    return () => {
      removeEventListener("scroll", measure);
      removeEventListener("resize", measure);
    };
  }, [body, rows]);
  return { ...shown, to: Math.min(shown.to, rows), from: Math.min(shown.from, rows) };
}
