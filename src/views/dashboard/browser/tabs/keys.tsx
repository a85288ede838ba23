/** @jsxImportSource preact */
// Every key: what it carries, how long it has rested and why.
import type { RestCause } from "../../../../core/rest.ts";
import type { KeyStatus } from "../../../../core/status.ts";
import { formatMs, formatShare, formatSpan, NONE } from "../model/format.ts";
import type { Column } from "../parts/data-table.tsx";
import { Drawer, type Fact } from "../parts/drawer.tsx";
import { LimitList } from "../parts/limit-list.tsx";
import { Bar } from "../parts/limit-meters.tsx";
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

const restedOf = ({ restedSeconds }: KeyStatus): number =>
  Object.values(restedSeconds).reduce((sum, seconds) => sum + seconds, 0);

const CAUSES: Readonly<Record<RestCause, string>> = {
  rate_limit: "rate limits",
  quota: "quota",
  revoked: "refused",
  failures: "failures",
  down: "down",
};

const COLUMNS: readonly Column<KeyStatus>[] = [
  {
    id: "name",
    title: "Key",
    rank: 0,
    sort: { by: ({ label }) => label, first: "up" },
    cell: ({ label, provider }) => <RowName name={label} note={provider} />,
  },
  stateColumn,
  textColumn("provider", "Provider", { rank: 1, by: ({ provider }) => provider }),
  inFlightColumn,
  ...rateColumns,
  ...qualityColumns,
  {
    id: "share",
    title: "Share",
    hint: "Of the attempts of its provider",
    rank: 2,
    sort: { by: ({ share }) => share, first: "down" },
    cell: ({ share }) => (
      <span class="meter meter-calm">
        <Bar share={share} />
        <span class="meter-text">{formatShare(share)}</span>
      </span>
    ),
  },
  {
    id: "rested",
    title: "Rested",
    hint: "Ever, for any cause",
    rank: 3,
    align: "end",
    sort: { by: restedOf, first: "down" },
    cell: (row) => (restedOf(row) === 0 ? NONE : formatSpan(restedOf(row) * 1000)),
  },
  limitsColumn,
];

const textsOf = (row: KeyStatus): readonly string[] => [
  row.id,
  row.label,
  row.provider,
  row.state,
  row.reason,
];

export function Keys({ view, nowMs, navigation }: TabProps) {
  return (
    <RowBrowser
      what="keys"
      rows={view.keys}
      columns={COLUMNS}
      textsOf={textsOf}
      firstSorting={{ column: "state", direction: "up" }}
      nowMs={nowMs}
      navigation={navigation}
      details={(row, close) => (
        <Drawer key={row.id} title={row.label} facts={factsOf(row, nowMs)} onClose={close}>
          <LimitList limits={row.limits} nowMs={nowMs} />
          <p>
            <button type="button" onClick={() => navigation.goTo("backends", { q: row.label })}>
              Show its {row.backends} {row.backends === 1 ? "backend" : "backends"}
            </button>
          </p>
        </Drawer>
      )}
    />
  );
}

function factsOf(row: KeyStatus, nowMs: number): readonly Fact[] {
  const { duration, restedSeconds } = row;
  const rests = Object.entries(restedSeconds)
    .filter(([, seconds]) => seconds > 0)
    .map(([cause, seconds]) => `${formatSpan(seconds * 1000)} for ${CAUSES[cause as RestCause]}`);
  return [
    stateFact(row, nowMs),
    ["Provider", row.provider],
    ["Share", `${formatShare(row.share)} of its provider's attempts`],
    ["In flight", String(row.inFlight)],
    ...trafficFacts(row, nowMs),
    ["Duration", `p50 ${formatMs(duration.p50Ms)}, p95 ${formatMs(duration.p95Ms)}`],
    ["Rested", rests.length === 0 ? "never" : rests.join(", ")],
  ];
}
