/** @jsxImportSource preact */
// Every backend: one model route at one address with one key.
import type { BackendStatus } from "../../../../core/status.ts";
import { formatCount, formatShare, NONE } from "../model/format.ts";
import { Bar } from "../parts/limit-meters.tsx";
import type { Column } from "../parts/data-table.tsx";
import { Drawer, type Fact } from "../parts/drawer.tsx";
import { LimitList } from "../parts/limit-list.tsx";
import { RowBrowser, RowName } from "../parts/row-browser.tsx";
import { stateFact, trafficFacts } from "../parts/traffic-facts.tsx";
import type { TabProps } from "./tab.ts";
import {
  inFlightColumn,
  limitsColumn,
  qualityColumns,
  rateColumns,
  stateColumn,
  textColumn,
} from "./traffic-columns.tsx";

const COLUMNS: readonly Column<BackendStatus>[] = [
  {
    id: "name",
    title: "Backend",
    rank: 0,
    sort: { by: ({ id }) => id, first: "up" },
    cell: ({ id, address }) => <RowName name={id} note={address} />,
  },
  stateColumn,
  textColumn("model", "Model", { rank: 1, by: ({ model }) => model }),
  textColumn("key", "Key", { rank: 3, by: ({ keyLabel }) => keyLabel }),
  inFlightColumn,
  ...rateColumns,
  ...qualityColumns,
  {
    id: "engine",
    title: "Engine",
    hint: "Running and waiting requests, and how full the cache of the GPU is, as the engine says",
    rank: 2,
    sort: {
      by: ({ engine }) => (engine === null ? null : engine.waiting * 1e6 + engine.running),
      first: "down",
    },
    cell: ({ engine }) => <EngineCell engine={engine} />,
  },
  limitsColumn,
];

const textsOf = (row: BackendStatus): readonly string[] => [
  row.id,
  row.provider,
  row.model,
  row.address,
  row.keyLabel,
  row.state,
  row.reason,
  row.engine?.name ?? "",
  ...row.routes,
];

export function Backends({ view, nowMs, navigation }: TabProps) {
  return (
    <RowBrowser
      what="backends"
      rows={view.backends}
      columns={COLUMNS}
      textsOf={textsOf}
      firstSorting={{ column: "state", direction: "up" }}
      nowMs={nowMs}
      navigation={navigation}
      details={(row, close) => (
        <Drawer key={row.id} title={row.id} facts={factsOf(row, nowMs)} onClose={close}>
          <LimitList limits={row.limits} nowMs={nowMs} />
        </Drawer>
      )}
    />
  );
}

function EngineCell({ engine }: Pick<BackendStatus, "engine">) {
  if (engine === null) return <span class="none">{NONE}</span>;
  const { name, running, waiting, cacheShare } = engine;
  const cache = cacheShare === null ? "" : `, cache ${formatShare(cacheShare)}`;
  return (
    <span
      class={`meter meter-${(cacheShare ?? 0) >= 0.95 ? "near" : "calm"}`}
      title={`${name}: ${running} running, ${waiting} waiting${cache}`}
    >
      <span class="meter-name">{`${formatCount(running)}+${formatCount(waiting)}`}</span>
      <Bar share={cacheShare} />
      <span class="meter-text">{cacheShare === null ? "" : `${Math.round(cacheShare * 100)} %`}</span>
    </span>
  );
}

function factsOf(row: BackendStatus, nowMs: number): readonly Fact[] {
  const { engine } = row;
  return [
    stateFact(row, nowMs),
    ["Provider", `${row.provider} (${row.kind})`],
    ["Address", row.address],
    ["Model", row.model],
    ["Routes", row.routes.length === 0 ? NONE : row.routes.join(", ")],
    ["Key", row.keyLabel],
    ["Speaks", row.families.join(", ")],
    ["Weight, priority", `${row.weight}, ${row.priority}`],
    ["In flight", `${row.inFlight}, ${row.pending} without an answer yet`],
    ...trafficFacts(row, nowMs),
    ...(engine === null ? [] : [["Engine", engineFacts(engine)] as const]),
  ];
}

function engineFacts(engine: NonNullable<BackendStatus["engine"]>): string {
  const tokens = `${formatCount(engine.promptTokens)} prompt and ${formatCount(engine.generationTokens)} generated tokens`;
  return `${engine.name}: ${engine.running} running, ${engine.waiting} waiting, cache ${formatShare(engine.cacheShare)}, ${tokens}`;
}
