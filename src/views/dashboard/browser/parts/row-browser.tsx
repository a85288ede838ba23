/** @jsxImportSource preact */
// A long list to look through: filter, states, order, rows, and one row's facts at the side. All choices are in the
// address.
import type { ComponentChildren } from "preact";
import { useMemo, useRef, useState } from "preact/hooks";
import type { StateWord } from "../../../../core/status.ts";
import {
  arrange,
  type Arrangeable,
  holdOrder,
  matcher,
  readSort,
  type SortKey,
  type Sorting,
  toggleSort,
  writeSort,
} from "../model/arrange.ts";
import type { Navigation } from "../hooks.ts";
import { countStates, STATES } from "../model/standing-order.ts";
import { type Column, DataTable } from "./data-table.tsx";
import { TableTools } from "./table-tools.tsx";

interface RowBrowserProps<Row> {
  /** In the plural. */
  readonly what: string;
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  /** What the filter looks at. */
  readonly textsOf: (row: Row) => readonly string[];
  readonly firstSorting: Sorting;
  readonly nowMs: number;
  readonly navigation: Navigation;
  readonly details: (row: Row, close: () => void) => ComponentChildren;
}

interface AnyRow {
  readonly id: string;
  readonly state: StateWord;
}

export function RowBrowser<Row extends AnyRow>(props: RowBrowserProps<Row>) {
  const { what, rows, columns, textsOf, firstSorting, nowMs, navigation, details } = props;
  const { choices } = navigation.place;
  const query = choices["q"] ?? "";
  const state = STATES.find((each) => each === choices["state"]);
  const plan = useMemo((): Arrangeable<Row> => ({ textsOf, keys: keysOf(columns) }), [columns, textsOf]);
  const sorting = readSort(choices["sort"], plan.keys, firstSorting);
  const arrangement = [query, state, writeSort(sorting)].join("\n");
  const [isPointed, setPointed] = useState(false);
  const before = useRef({ arrangement, rows: [] as readonly Row[] });
  const fresh = arrange(rows, { query, state, sorting }, plan);
  // No row moves away from under the mouse.
  const isHeld = isPointed && before.current.arrangement === arrangement;
  const shown = isHeld ? holdOrder(fresh, before.current.rows) : fresh;
  before.current = { arrangement, rows: shown };
  const matches = matcher(query);
  const counts = countStates(query === "" ? rows : rows.filter((row) => matches(textsOf(row))));
  const sortBy = (column: string): void =>
    navigation.choose({ sort: writeSort(toggleSort(sorting, column, plan.keys)) });
  const opened = rows.find(({ id }) => id === choices["open"]);
  return (
    <section class="browser" aria-label={what}>
      <TableTools
        what={what}
        query={query}
        onQuery={(q) => navigation.choose({ q })}
        counts={counts}
        state={state}
        onState={(next) => navigation.choose({ state: next ?? "" })}
        columns={columns}
        sorting={sorting}
        onSort={sortBy}
        shown={shown.length}
        total={rows.length}
        isHeld={isHeld && shown.some(({ id }, at) => id !== fresh[at]?.id)}
      />
      <DataTable
        caption={what}
        columns={columns}
        rows={shown}
        idOf={idOf}
        nowMs={nowMs}
        sorting={sorting}
        onSort={sortBy}
        onOpen={(id) => navigation.choose({ open: id })}
        onPoint={setPointed}
        empty={
          rows.length === 0 ? `There are no ${what}.` : `None of ${rows.length} ${what} fits the filter.`
        }
      />
      {opened !== undefined && details(opened, () => navigation.shut(opened.id))}
    </section>
  );
}

const idOf = ({ id }: AnyRow): string => id;

function keysOf<Row>(columns: readonly Column<Row>[]): Readonly<Record<string, SortKey<Row>>> {
  return Object.fromEntries(columns.flatMap(({ id, sort }) => (sort === undefined ? [] : [[id, sort]])));
}

/** The cell by which a row is named: a button, for those who have no mouse. The whole row can be clicked too. */
export function RowName({ name, note }: { readonly name: string; readonly note?: string }) {
  return (
    <>
      <button type="button" class="plain row-name" title={name} aria-haspopup="dialog">
        {name}
      </button>
      {note !== undefined && (
        <span class="note" title={note}>
          {note}
        </span>
      )}
    </>
  );
}
