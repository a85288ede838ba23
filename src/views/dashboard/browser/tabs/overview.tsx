/** @jsxImportSource preact */
// The first look: is all well, and where is it not.
import { FailureTable } from "../parts/failure-table.tsx";
import { ModelTable, ProviderTable } from "../parts/pool-tables.tsx";
import { SmallCharts } from "../parts/small-charts.tsx";
import { StateMark } from "../parts/state-mark.tsx";
import { Totals } from "../parts/totals.tsx";
import { listTroubles } from "../model/attention.ts";
import type { TabProps } from "./tab.ts";

const MOST_SHOWN = 8;

export function Overview({ view, nowMs, epoch, navigation }: TabProps) {
  return (
    <>
      <Totals view={view} />
      <SmallCharts view={view} epoch={epoch} />
      <div class="columns">
        <div class="stack">
          <Attention view={view} nowMs={nowMs} navigation={navigation} />
          <ProviderTable providers={view.providers} />
        </div>
        <div class="stack">
          <section class="panel" aria-labelledby="failures-title">
            <h2 id="failures-title">
              Recent failures <span class="count">{view.failures.length}</span>
              <a href={navigation.hrefOf("log")}>all</a>
            </h2>
            <FailureTable failures={view.failures.slice(-MOST_SHOWN)} isBrief />
          </section>
          <ModelTable models={view.models} />
        </div>
      </div>
    </>
  );
}

function Attention({ view, nowMs, navigation }: Pick<TabProps, "view" | "nowMs" | "navigation">) {
  const troubles = listTroubles(view);
  return (
    <section class="panel" aria-labelledby="attention-title">
      <h2 id="attention-title">
        Needs attention <span class="count">{troubles.length}</span>
      </h2>
      {troubles.length === 0 ? (
        <p class="none">Every key and backend can take requests.</p>
      ) : (
        <ul class="troubles">
          {troubles.slice(0, MOST_SHOWN).map((trouble) => (
            <li key={`${trouble.what} ${trouble.id}`}>
              <button
                type="button"
                class="plain"
                onClick={() =>
                  navigation.goTo(trouble.what === "key" ? "keys" : "backends", { open: trouble.id })
                }
              >
                <span class="what">{trouble.what}</span> {trouble.title}
              </button>
              <span class="provider">{trouble.provider}</span>
              <StateMark standing={trouble} nowMs={nowMs} />
            </li>
          ))}
          {troubles.length > MOST_SHOWN && (
            <li>
              <a href={navigation.hrefOf("keys")}>and {troubles.length - MOST_SHOWN} more</a>
            </li>
          )}
        </ul>
      )}
    </section>
  );
}
