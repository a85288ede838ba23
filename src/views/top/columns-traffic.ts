// What the tables of providers, models, backends and keys have in common: the columns and the details of their traffic.
import type { Percentiles, Traffic } from "../../core/status.ts";
import { formatAgo, formatCount, formatShare, formatMs } from "../dashboard/browser/model/format.ts";
import { numberColumn } from "./column-kinds.ts";
import type { Cell, Column, Detail } from "./table.ts";

export function trafficColumns<Row extends Traffic>(nowMs: number): Column<Row>[] {
  return [
    numberColumn({ title: "Now", width: 5, rank: 0 }, (row) => row.inFlight),
    numberColumn({ title: "Sent/m", width: 6, rank: 1 }, (row) => row.sentPerMinute),
    numberColumn({ title: "Done/m", width: 6, rank: 7 }, (row) => row.completedPerMinute),
    numberColumn({ title: "Tok/m", width: 6, rank: 3 }, (row) => row.tokensPerMinute),
    numberColumn({ title: "Total", width: 6, rank: 2 }, (row) => row.attempts),
    {
      ...numberColumn<Row>({ title: "OK", width: 6, rank: 1 }, (row) => row.successShare),
      cell: (row) => successCell(row.successShare),
    },
    numberColumn({ title: "Failed", width: 6, rank: 5 }, (row) => row.failed),
    numberColumn({ title: "429", width: 5, rank: 6 }, (row) => row.rateLimited),
    numberColumn({ title: "p50", width: 7, rank: 4 }, (row) => row.firstByte.p50Ms, formatMs),
    numberColumn({ title: "p95", width: 7, rank: 4 }, (row) => row.firstByte.p95Ms, formatMs),
    numberColumn(
      { title: "Last used", width: 14, rank: 9 },
      (row) => row.lastUsedAtMs,
      (atMs) => formatAgo(atMs, nowMs),
    ),
  ];
}

export function successCell(share: number | null): Exclude<Cell, string> {
  const tone = share === null ? "dim" : share >= 0.99 ? "good" : share >= 0.9 ? "warn" : "bad";
  return { text: formatShare(share), tone };
}

const percentilesText = ({ p50Ms, p95Ms, p99Ms, samples }: Percentiles): string =>
  `p50 ${formatMs(p50Ms)}, p95 ${formatMs(p95Ms)}, p99 ${formatMs(p99Ms)} of ${formatCount(samples)}`;

export function trafficDetails(row: Traffic, nowMs: number): Detail[] {
  return [
    { label: "in flight", text: formatCount(row.inFlight) },
    {
      label: "a minute",
      text: `${formatCount(row.sentPerMinute)} sent, ${formatCount(row.completedPerMinute)} completed, ${formatCount(row.tokensPerMinute)} tokens`,
    },
    {
      label: "attempts",
      text: `${formatCount(row.attempts)}: ${formatCount(row.succeeded)} succeeded (${formatShare(row.successShare)}), ${formatCount(row.failed)} failed, ${formatCount(row.rateLimited)} of them rate limited`,
    },
    { label: "tokens", text: `${formatCount(row.inputTokens)} in, ${formatCount(row.outputTokens)} out` },
    { label: "first byte", text: percentilesText(row.firstByte) },
    { label: "last used", text: formatAgo(row.lastUsedAtMs, nowMs) },
  ];
}
