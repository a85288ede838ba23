/** @jsxImportSource preact */
// The answer to who would serve a model: the verdict, how the name was found, who would, who would not and why.
import type { ComponentChildren } from "preact";
import type { Candidate, Excluded, ExplainedBackend, Explanation } from "../../../../core/explain.ts";
import { formatClock, formatCountdown, formatShare, NONE } from "../model/format.ts";
import { LimitMeters } from "./limit-meters.tsx";
import { Scroller, type SmallColumn, SmallTable } from "./small-table.tsx";

export function Told({
  explanation,
  atMs,
  onNear,
}: {
  readonly explanation: Explanation;
  readonly atMs: number;
  readonly onNear: (model: string) => void;
}) {
  const { resolution, near, candidates, excluded, fallbacks, verdict, family } = explanation;
  return (
    <>
      <p class={`verdict ${candidates.length > 0 ? "tone-good" : "tone-bad"}`}>{verdict}</p>
      <p class="none">As of {formatClock(atMs)}.</p>
      {near.length > 0 && (
        <p class="near">
          Near names:{" "}
          {near.map((name) => (
            <button key={name} type="button" onClick={() => onNear(name)}>
              {name}
            </button>
          ))}
        </p>
      )}
      {resolution !== null && (
        <dl class="fact-list inline">
          <Fact name="Route">{resolution.route}</Fact>
          <Fact name="Found by">{resolution.by.replaceAll("_", " ")}</Fact>
          {resolution.aliasOf !== null && <Fact name="Alias of">{resolution.aliasOf}</Fact>}
          <Fact name="Strategy">{resolution.strategy}</Fact>
          <Fact name="Affinity">{resolution.affinity ?? "none"}</Fact>
          <Fact name="API">{family}</Fact>
          <Fact name="Fallbacks">{fallbacks.length === 0 ? "none" : fallbacks.join(", then ")}</Fact>
        </dl>
      )}
      {candidates.length > 0 && (
        <Scroller label="Candidates">
          <SmallTable
            caption="Would serve it, the likeliest first"
            columns={CANDIDATE_COLUMNS}
            rows={candidates}
            keyOf={({ backend }) => backend}
          />
        </Scroller>
      )}
      {excluded.length > 0 && (
        <Scroller label="Excluded">
          <SmallTable
            caption="Would not, and why"
            columns={EXCLUDED_COLUMNS}
            rows={excluded}
            keyOf={({ backend }) => backend}
          />
        </Scroller>
      )}
    </>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

const NAMED: readonly SmallColumn<ExplainedBackend>[] = [
  {
    title: "Backend",
    isName: true,
    cell: ({ backend, address }) => <span title={address ?? NONE}>{backend}</span>,
  },
];

const CANDIDATE_COLUMNS: readonly SmallColumn<Candidate>[] = [
  { title: "#", align: "end", cell: (_, at) => at + 1 },
  ...NAMED,
  { title: "Provider", cell: ({ provider }) => provider },
  { title: "Sent as", cell: ({ sentModel }) => sentModel },
  { title: "Key", cell: ({ key }) => key ?? NONE },
  { title: "Weight", align: "end", cell: ({ weight }) => weight },
  {
    title: "Share",
    hint: "Of the usable weight of its priority",
    align: "end",
    cell: ({ share }) => formatShare(share),
  },
  { title: "Priority", align: "end", cell: ({ priority }) => priority },
  { title: "In flight", align: "end", cell: ({ inFlight }) => inFlight },
  {
    title: "Limits",
    cell: ({ limits }) => (
      <LimitMeters
        limits={limits.map(({ kind, ...limit }) => ({
          ...limit,
          name: kind,
          learned: false,
          resetAtMs: null,
        }))}
        most={2}
      />
    ),
  },
];

const EXCLUDED_COLUMNS: readonly SmallColumn<Excluded>[] = [
  ...NAMED,
  { title: "Reason", look: "cause", cell: ({ reason }) => reason },
  {
    title: "Over in",
    align: "end",
    cell: ({ forMs }) => (forMs === null ? NONE : formatCountdown(forMs)),
  },
  { title: "Provider", cell: ({ provider }) => provider },
  { title: "Key", cell: ({ key }) => key ?? NONE },
];
