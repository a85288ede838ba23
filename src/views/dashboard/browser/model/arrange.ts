// Which rows of a table are shown, and in what order. Pure, so that a thousand rows can be arranged once a second.
import type { StateWord } from "../../../../core/status.ts";

export type Sortable = string | number | null;

/** What a column sorts by, and in which direction first. */
export interface SortKey<Row> {
  readonly by: (row: Row) => Sortable;
  /** Numbers usually begin with the greatest. */
  readonly first: "up" | "down";
}

export interface Sorting {
  readonly column: string;
  readonly direction: "up" | "down";
}

export interface Arrangement {
  /** Words; each must be found in some text of the row. `-word` must not be. */
  readonly query: string;
  /** Undefined for all. */
  readonly state: StateWord | undefined;
  readonly sorting: Sorting;
}

export interface Arrangeable<Row> {
  readonly textsOf: (row: Row) => readonly string[];
  readonly keys: Readonly<Record<string, SortKey<Row>>>;
}

export function arrange<Row extends { readonly state: StateWord }>(
  rows: readonly Row[],
  { query, state, sorting }: Arrangement,
  { textsOf, keys }: Arrangeable<Row>,
): readonly Row[] {
  const matches = matcher(query);
  const kept = rows.filter((row) => (state === undefined || row.state === state) && matches(textsOf(row)));
  const key = keys[sorting.column];
  if (key === undefined) return kept;
  const sign = sorting.direction === "up" ? 1 : -1;
  // Rows of equal rank stay in the order of the configuration: sort is stable.
  return kept
    .map((row) => ({ row, by: key.by(row) }))
    .sort((a, b) => compare(a.by, b.by, sign))
    .map(({ row }) => row);
}

/** The order of before, for rows that must not move now; new ones go to the end. */
export function holdOrder<Row extends { readonly id: string }>(
  rows: readonly Row[],
  before: readonly Row[],
): readonly Row[] {
  const places = new Map(before.map(({ id }, at) => [id, at]));
  const placeOf = ({ id }: Row): number => places.get(id) ?? before.length;
  return [...rows].sort((a, b) => placeOf(a) - placeOf(b));
}

/** Unknown values go last in both directions. */
function compare(a: Sortable, b: Sortable, sign: number): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  if (typeof a === "number" && typeof b === "number") return (a - b) * sign;
  return NATURAL.compare(String(a), String(b)) * sign;
}

/** gpu-2 before gpu-10. */
const NATURAL = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** Case does not matter. */
export function matcher(query: string): (texts: readonly string[]) => boolean {
  const words = query
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "" && word !== "-");
  if (words.length === 0) return () => true;
  return (texts) => {
    const text = texts.join("\n").toLowerCase();
    return words.every((word) =>
      word.startsWith("-") ? !text.includes(word.slice(1)) : text.includes(word),
    );
  };
}

/** A click on a column's head: its first direction, then the other one. */
export function toggleSort<Row>(
  { column, direction }: Sorting,
  clicked: string,
  keys: Readonly<Record<string, SortKey<Row>>>,
): Sorting {
  if (column !== clicked) return { column: clicked, direction: keys[clicked]?.first ?? "up" };
  return { column, direction: direction === "up" ? "down" : "up" };
}

/** As it stands in the address: `-inFlight` for down. */
export const writeSort = ({ column, direction }: Sorting): string =>
  direction === "down" ? `-${column}` : column;

/** What the address does not say, or says wrongly, is the default. */
export function readSort(
  text: string | undefined,
  keys: Readonly<Record<string, unknown>>,
  fallback: Sorting,
): Sorting {
  if (text === undefined) return fallback;
  const column = text.replace(/^-/, "");
  if (!Object.hasOwn(keys, column)) return fallback;
  return { column, direction: text.startsWith("-") ? "down" : "up" };
}
