// Tables of providers and of models: what belongs together, in one row each.
import type { ModelStatus, ProviderStatus } from "../../core/status.ts";
import { numberColumn, textColumn } from "./column-kinds.ts";
import { trafficColumns, trafficDetails } from "./columns-traffic.ts";
import { formatCount, formatShare, NONE } from "../dashboard/browser/model/format.ts";
import { type Cell, type Column, createTable, type Detail, type Table } from "./table.ts";

export function providerTable(providers: readonly ProviderStatus[], nowMs: number): Table {
  return createTable<ProviderStatus>({
    rows: providers,
    columns: [
      textColumn({ title: "Provider", width: 14, most: 28, rank: 0 }, ({ name }) => name),
      textColumn({ title: "Kind", width: 6, rank: 9 }, ({ kind }) => kind),
      usableColumn(),
      {
        ...numberColumn<ProviderStatus>({ title: "Keys", width: 7, rank: 1 }, (row) => row.keysUsable),
        cell: (row) => usable(row.keysUsable, row.keysTotal),
      },
      ...trafficColumns<ProviderStatus>(nowMs),
      ...engineColumns<ProviderStatus>(providers),
      numberColumn({ title: "Balance", width: 7, rank: 8 }, (row) => row.balanceRatio, formatShare),
    ],
    words: ({ name, kind, families }) => [name, kind, ...families],
    details: (row) => [
      { label: "provider", text: `${row.name} (${row.kind}; ${row.families.join(", ")})` },
      { label: "backends", text: `${row.backendsUsable} of ${row.backendsTotal} usable` },
      { label: "keys", text: row.keysTotal === 0 ? NONE : `${row.keysUsable} of ${row.keysTotal} usable` },
      { label: "balance", text: `${formatShare(row.balanceRatio)} (least to most used key)` },
      ...trafficDetails(row, nowMs),
      ...engineDetails(row),
    ],
  });
}

export function modelTable(models: readonly ModelStatus[], nowMs: number): Table {
  return createTable<ModelStatus>({
    rows: models,
    columns: [
      textColumn({ title: "Model", width: 18, most: 40, rank: 0 }, ({ name }) => name),
      textColumn({ title: "Kind", width: 7, rank: 9 }, ({ kind }) => kind),
      usableColumn(),
      ...trafficColumns<ModelStatus>(nowMs),
      ...engineColumns<ModelStatus>(models),
      textColumn({ title: "Strategy", width: 10, most: 28, rank: 8 }, ({ strategy }) => strategy),
    ],
    words: ({ name, kind, strategy }) => [name, kind, strategy ?? ""],
    details: (row) => [
      { label: "model", text: `${row.name} (${row.kind})` },
      { label: "strategy", text: row.strategy ?? NONE },
      { label: "backends", text: `${row.backendsUsable} of ${row.backendsTotal} usable` },
      ...trafficDetails(row, nowMs),
      ...engineDetails(row),
    ],
  });
}

interface Grouped {
  readonly backendsUsable: number;
  readonly backendsTotal: number;
  readonly running: number | null;
  readonly waiting: number | null;
}

const usableColumn = <Row extends Grouped>(): Column<Row> => ({
  ...numberColumn<Row>({ title: "Bkds", width: 7, rank: 0 }, (row) => row.backendsUsable),
  cell: (row) => usable(row.backendsUsable, row.backendsTotal),
});

/** `3/4`: by number and by colour. */
function usable(count: number, total: number): Cell {
  const tone = total === 0 ? "dim" : count === 0 ? "bad" : count < total ? "warn" : "good";
  return { text: total === 0 ? NONE : `${count}/${total}`, tone };
}

function engineColumns<Row extends Grouped>(rows: readonly Row[]): Column<Row>[] {
  if (rows.every(({ running, waiting }) => running === null && waiting === null)) return [];
  return [
    numberColumn({ title: "Run", width: 5, rank: 5 }, ({ running }) => running),
    numberColumn({ title: "Wait", width: 5, rank: 5 }, ({ waiting }) => waiting),
  ];
}

const engineDetails = ({ running, waiting }: Grouped): Detail[] =>
  running === null && waiting === null
    ? []
    : [{ label: "engines", text: `${formatCount(running)} running, ${formatCount(waiting)} waiting` }];
