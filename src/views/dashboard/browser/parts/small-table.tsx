/** @jsxImportSource preact */
// A table that shows all it has, in the order it is given.
import type { ComponentChildren } from "preact";

export interface SmallColumn<Row> {
  readonly title: string;
  readonly hint?: string;
  readonly align?: "end";
  /** `wide` gives way on phones, `roomy` on all but large screens; `cause` wraps. */
  readonly look?: "wide" | "roomy" | "cause" | "mono wide";
  /** The row is called by it. */
  readonly isName?: true;
  readonly cell: (row: Row, at: number) => ComponentChildren;
}

interface SmallTableProps<Row> {
  readonly caption?: string;
  readonly columns: readonly SmallColumn<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string | number;
}

export function SmallTable<Row>({ caption, columns, rows, keyOf }: SmallTableProps<Row>) {
  return (
    <table class="small">
      {caption !== undefined && <caption>{caption}</caption>}
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column.title} scope="col" class={classOf(column)} title={column.hint}>
              {column.title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, at) => (
          <tr key={keyOf(row)}>
            {columns.map((column) =>
              column.isName === true ? (
                <th key={column.title} scope="row">
                  {column.cell(row, at)}
                </th>
              ) : (
                <td key={column.title} class={classOf(column)}>
                  {column.cell(row, at)}
                </td>
              ),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const classOf = <Row,>({ align, look }: SmallColumn<Row>): string =>
  [align, look].filter((each) => each !== undefined).join(" ");

/** Scrolls sideways where it must, also by keyboard. */
export function Scroller({
  label,
  children,
}: {
  readonly label: string;
  readonly children: ComponentChildren;
}) {
  return (
    <div class="scroller" tabIndex={0} role="group" aria-label={label}>
      {children}
    </div>
  );
}
