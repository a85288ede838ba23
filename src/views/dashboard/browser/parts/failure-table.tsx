/** @jsxImportSource preact */
// Attempts that went wrong, the newest first, with what was said to be the cause.
import type { FailureStatus } from "../../../../core/status.ts";
import { formatClock, formatMs } from "../model/format.ts";
import { Scroller, type SmallColumn, SmallTable } from "./small-table.tsx";

const BRIEF: readonly SmallColumn<FailureStatus>[] = [
  { title: "Time", cell: ({ atMs }) => formatClock(atMs) },
  { title: "Cause", look: "cause", cell: ({ detail, outcome }) => <span title={outcome}>{detail}</span> },
  { title: "Backend", cell: ({ backend }) => backend },
  { title: "Model", cell: ({ model }) => model },
  { title: "Key", look: "wide", cell: ({ keyLabel }) => keyLabel },
  { title: "After", align: "end", look: "wide", cell: ({ durationMs }) => formatMs(durationMs) },
];

const FULL: readonly SmallColumn<FailureStatus>[] = [
  ...BRIEF,
  { title: "Request", look: "mono wide", cell: ({ requestId }) => requestId },
];

export function FailureTable({
  failures,
  isBrief = false,
}: {
  readonly failures: readonly FailureStatus[];
  /** Without what only a search needs. */
  readonly isBrief?: boolean;
}) {
  if (failures.length === 0) return <p class="none">No attempt has failed.</p>;
  return (
    <Scroller label="Table of failures">
      <SmallTable columns={isBrief ? BRIEF : FULL} rows={failures.toReversed()} keyOf={({ seq }) => seq} />
    </Scroller>
  );
}
