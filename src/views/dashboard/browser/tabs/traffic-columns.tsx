/** @jsxImportSource preact */
// Columns that the tables of backends and of keys have in common.
import type { LimitStatus, Standing, Traffic } from "../../../../core/status.ts";
import type { Column } from "../parts/data-table.tsx";
import { LimitMeters } from "../parts/limit-meters.tsx";
import { StateMark } from "../parts/state-mark.tsx";
import { formatCount, formatMs, formatShare } from "../model/format.ts";
import { tightestShare } from "../model/limit-bars.ts";
import { RANK } from "../model/standing-order.ts";

/** The worst first, and of the resting ones those that last longest. */
const urgency = ({ state, untilAtMs }: Standing): number =>
  RANK[state] - Math.min(0.99, (untilAtMs ?? 0) / 1e14);

export const stateColumn: Column<Standing> = {
  id: "state",
  title: "State",
  rank: 0,
  sort: { by: urgency, first: "up" },
  cell: (row, nowMs) => <StateMark standing={row} nowMs={nowMs} />,
};

/** A column of names; cut where it is too narrow, and whole in its tooltip. */
export function textColumn<Row>(
  id: string,
  title: string,
  { rank, by }: { readonly rank: Column<Row>["rank"]; readonly by: (row: Row) => string },
): Column<Row> {
  return {
    id,
    title,
    rank,
    sort: { by, first: "up" },
    cell: (row) => <span title={by(row)}>{by(row)}</span>,
  };
}

const count = (
  id: string,
  title: string,
  { hint, rank, by }: { hint: string; rank: Column<Traffic>["rank"]; by: (row: Traffic) => number },
): Column<Traffic> => ({
  id,
  title,
  hint,
  rank,
  align: "end",
  sort: { by, first: "down" },
  cell: (row) => formatCount(by(row)),
});

export const inFlightColumn = count("inFlight", "In flight", {
  hint: "Begun and not ended",
  rank: 0,
  by: ({ inFlight }) => inFlight,
});

export const rateColumns: readonly Column<Traffic>[] = [
  count("sent", "Sent/min", {
    hint: "Attempts sent in the last minute",
    rank: 0,
    by: ({ sentPerMinute }) => sentPerMinute,
  }),
  count("completed", "Done/min", {
    hint: "Attempts that ended well in the last minute",
    rank: 3,
    by: ({ completedPerMinute }) => completedPerMinute,
  }),
  count("tokens", "Tok/min", {
    hint: "Tokens in and out in the last minute",
    rank: 2,
    by: ({ tokensPerMinute }) => tokensPerMinute,
  }),
];

export const qualityColumns: readonly Column<Traffic>[] = [
  {
    id: "firstByte",
    title: "First byte",
    hint: "Half of the good answers began within this time, in the last five minutes",
    rank: 1,
    align: "end",
    sort: { by: ({ firstByte }) => firstByte.p50Ms, first: "down" },
    cell: ({ firstByte }) => (
      <span title={`p95 ${formatMs(firstByte.p95Ms)}`}>{formatMs(firstByte.p50Ms)}</span>
    ),
  },
  {
    id: "success",
    title: "Success",
    hint: "Of the attempts that succeeded or failed, ever",
    rank: 1,
    align: "end",
    sort: { by: ({ successShare }) => successShare, first: "up" },
    cell: ({ successShare }) => formatShare(successShare),
  },
  count("attempts", "Attempts", { hint: "Sent, ever", rank: 3, by: ({ attempts }) => attempts }),
];

export const limitsColumn: Column<{ readonly limits: readonly LimitStatus[] }> = {
  id: "limits",
  title: "Limits",
  hint: "The tightest first",
  rank: 0,
  sort: { by: ({ limits }) => tightestShare(limits), first: "down" },
  cell: ({ limits }) => <LimitMeters limits={limits} most={2} />,
};
