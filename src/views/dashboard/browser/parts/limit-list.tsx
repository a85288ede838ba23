/** @jsxImportSource preact */
// Every limit of a row in full: whose it is, who says so, what is left, and when all of it is back.
import type { LimitStatus } from "../../../../core/status.ts";
import { formatCountdown, formatExact, NONE } from "../model/format.ts";
import { LimitMeters } from "./limit-meters.tsx";
import { type SmallColumn, SmallTable } from "./small-table.tsx";

export function LimitList({
  limits,
  nowMs,
}: {
  readonly limits: readonly LimitStatus[];
  readonly nowMs: number;
}) {
  if (limits.length === 0) return <p class="none">No limit is set or known.</p>;
  const columns: readonly SmallColumn<LimitStatus>[] = [
    {
      title: "Limit",
      isName: true,
      cell: ({ name, of, learned }) => (
        <>
          {name} of the {of}
          <span class="note">{learned ? "the provider says" : "configured"}</span>
        </>
      ),
    },
    { title: "Used", cell: (limit) => <LimitMeters limits={[limit]} most={1} /> },
    { title: "Left", align: "end", cell: ({ remaining }) => formatExact(remaining) },
    {
      title: "Back in",
      align: "end",
      cell: ({ resetAtMs }) => (resetAtMs === null ? NONE : formatCountdown(resetAtMs - nowMs)),
    },
  ];
  return (
    <SmallTable
      caption="Limits"
      columns={columns}
      rows={limits}
      keyOf={({ of, name, learned }) => `${of} ${name} ${learned}`}
    />
  );
}
