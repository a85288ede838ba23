/** @jsxImportSource preact */
// The pool in sums: one row for each provider, one for each model.
import type { ModelStatus, ProviderStatus } from "../../../../core/status.ts";
import { formatCount, formatMs, formatRatio, formatShare, NONE } from "../model/format.ts";
import { Scroller, type SmallColumn, SmallTable } from "./small-table.tsx";

const MOST_ROWS = 50;

type Sums = ModelStatus | ProviderStatus;

const BACKENDS: SmallColumn<Sums> = {
  title: "Backends",
  align: "end",
  cell: ({ backendsUsable, backendsTotal }) => <Parts usable={backendsUsable} total={backendsTotal} />,
};

const TRAFFIC: readonly SmallColumn<Sums>[] = [
  { title: "In flight", align: "end", cell: ({ inFlight }) => formatCount(inFlight) },
  { title: "Sent/min", align: "end", cell: ({ sentPerMinute }) => formatCount(sentPerMinute) },
  { title: "Tok/min", align: "end", cell: ({ tokensPerMinute }) => formatCount(tokensPerMinute) },
  { title: "First byte", align: "end", cell: ({ firstByte }) => formatMs(firstByte.p50Ms) },
  { title: "Success", align: "end", cell: ({ successShare }) => formatShare(successShare) },
  {
    title: "Engine",
    hint: "Running and waiting, as the engines say",
    align: "end",
    cell: ({ running, waiting }) =>
      running === null && waiting === null ? NONE : `${formatCount(running)} + ${formatCount(waiting)}`,
  },
];

const PROVIDER_COLUMNS: readonly SmallColumn<ProviderStatus>[] = [
  { title: "Provider", isName: true, cell: ({ name }) => name },
  {
    title: "Keys",
    align: "end",
    cell: ({ keysUsable, keysTotal }) => <Parts usable={keysUsable} total={keysTotal} />,
  },
  BACKENDS,
  ...TRAFFIC,
  {
    title: "Balance",
    hint: "Least to most used key, by weight",
    align: "end",
    cell: ({ balanceRatio }) => formatRatio(balanceRatio),
  },
];

const MODEL_COLUMNS: readonly SmallColumn<ModelStatus>[] = [
  {
    title: "Model",
    isName: true,
    cell: ({ name, kind }) => (kind === "other" ? <em>{name}</em> : <span title={name}>{name}</span>),
  },
  BACKENDS,
  ...TRAFFIC,
  { title: "Strategy", look: "roomy", cell: ({ strategy }) => strategy ?? NONE },
];

const nameOf = ({ name }: Sums): string => name;

export function ProviderTable({ providers }: { readonly providers: readonly ProviderStatus[] }) {
  return (
    <section class="panel" aria-labelledby="providers-title">
      <h2 id="providers-title">Providers</h2>
      <Scroller label="Table of providers">
        <SmallTable columns={PROVIDER_COLUMNS} rows={providers} keyOf={nameOf} />
        {providers.length === 0 && <p class="none">There are no providers.</p>}
      </Scroller>
    </section>
  );
}

export function ModelTable({ models }: { readonly models: readonly ModelStatus[] }) {
  // The busiest first: names without traffic may be many, since engines and providers list theirs.
  const sorted = [...models].sort((a, b) => b.sentPerMinute - a.sentPerMinute || b.attempts - a.attempts);
  return (
    <section class="panel" aria-labelledby="models-title">
      <h2 id="models-title">
        Models <span class="count">{models.length}</span>
      </h2>
      <Scroller label="Table of models">
        <SmallTable columns={MODEL_COLUMNS} rows={sorted.slice(0, MOST_ROWS)} keyOf={nameOf} />
        {sorted.length === 0 && <p class="none">No model is configured, listed or used yet.</p>}
        {sorted.length > MOST_ROWS && <p class="none">and {sorted.length - MOST_ROWS} with less traffic</p>}
      </Scroller>
    </section>
  );
}

function Parts({ usable, total }: { readonly usable: number; readonly total: number }) {
  const tone = total === 0 || usable === total ? "" : usable === 0 ? "tone-bad" : "tone-warn";
  return <span class={tone}>{total === 0 ? NONE : `${usable}/${total}`}</span>;
}
