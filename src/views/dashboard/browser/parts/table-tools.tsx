/** @jsxImportSource preact */
// Above a table: the filter, the states with their counts, and on phones, where there are no heads, the order.
import { useEffect, useRef } from "preact/hooks";
import type { StateWord } from "../../../../core/status.ts";
import type { Sorting } from "../model/arrange.ts";
import { type StateCounts, STATES } from "../model/standing-order.ts";
import type { Column } from "./data-table.tsx";

interface TableToolsProps<Row> {
  readonly what: string;
  readonly query: string;
  readonly onQuery: (query: string) => void;
  readonly counts: StateCounts;
  readonly state: StateWord | undefined;
  readonly onState: (state: StateWord | undefined) => void;
  readonly columns: readonly Column<Row>[];
  readonly sorting: Sorting;
  readonly onSort: (column: string) => void;
  readonly shown: number;
  readonly total: number;
  /** Rows stay where they are for now. */
  readonly isHeld: boolean;
}

export function TableTools<Row>(props: TableToolsProps<Row>) {
  const { what, query, onQuery, counts, state, onState, columns, sorting, onSort, shown, total, isHeld } =
    props;
  const sortable = columns.filter((column) => column.sort !== undefined);
  return (
    <div class="tools">
      <FilterBox label={`Filter ${what}`} query={query} onQuery={onQuery} />
      <div class="choice" role="group" aria-label="State">
        <button type="button" aria-pressed={state === undefined} onClick={() => onState(undefined)}>
          all<span class="note">{total}</span>
        </button>
        {STATES.map((each) => (
          <button
            key={each}
            type="button"
            class={`state-${each}`}
            aria-pressed={state === each}
            disabled={counts[each] === 0 && state !== each}
            onClick={() => onState(state === each ? undefined : each)}
          >
            <span class="mark" aria-hidden="true" />
            {each}
            <span class="note">{counts[each]}</span>
          </button>
        ))}
      </div>
      <div class="order">
        <span id="order-name">Order</span>
        <select
          aria-labelledby="order-name"
          value={sorting.column}
          onChange={(event) => onSort(event.currentTarget.value)}
        >
          {sortable.map(({ id, title }) => (
            <option key={id} value={id}>
              {title}
            </option>
          ))}
        </select>
        <button type="button" onClick={() => onSort(sorting.column)} aria-label="Reverse the order">
          {sorting.direction === "up" ? "▲" : "▼"}
        </button>
      </div>
      <p class="shown" role="status">
        {shown === total ? `${total} ${what}` : `${shown} of ${total} ${what}`}
        {isHeld && <span class="held"> · order held</span>}
      </p>
    </div>
  );
}

/** `/` leads to it from anywhere on the page. */
export function FilterBox({
  label,
  query,
  onQuery,
}: {
  readonly label: string;
  readonly query: string;
  readonly onQuery: (query: string) => void;
}) {
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const isTyping = event.target instanceof HTMLElement && event.target.matches("input, select, textarea");
      if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      box.current?.focus();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  return (
    <input
      ref={box}
      type="search"
      class="filter"
      aria-label={label}
      placeholder={`${label}  ( / )`}
      title="Words that must be found; -word for those that must not"
      value={query}
      onInput={(event) => onQuery(event.currentTarget.value)}
      autocomplete="off"
      spellcheck={false}
    />
  );
}
