/** @jsxImportSource preact */
// The first look: is all well, and where is it not.
import { PHONE, useMedia } from "../hooks.ts";
import { FailureTable } from "../parts/failure-table.tsx";
import { ModelTable, ProviderTable } from "../parts/pool-tables.tsx";
import { SmallCharts } from "../parts/small-charts.tsx";
import { StateMark } from "../parts/state-mark.tsx";
import { Totals } from "../parts/totals.tsx";
import { listTroubles } from "../model/attention.ts";
import type { TabProps } from "./tab.ts";

const MOST_SHOWN = 8;

export function Overview({ view, nowMs, epoch, navigation }: TabProps) {
  const isPhone = useMedia(PHONE);
  const attention = <Attention view={view} nowMs={nowMs} navigation={navigation} />;
  return (
    <>
      <Totals view={view} />
      {/* Under the charts it would be two screens away there. */}
      {isPhone && <div class="first">{attention}</div>}
      <SmallCharts view={view} epoch={epoch} />
      <div class="columns">
        <div class="stack">
          {!isPhone && attention}
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
  const hidden = troubles[MOST_SHOWN];
  return (
    <section class="panel" aria-labelledby="attention-title">
      <h2 id="attention-title">
        Needs attention <span class="count">{troubles.length}</span>
      </h2>
      {troubles.length === 0 ? (
        <p class="none">
          {view.backends.length === 0
            ? "No backend is configured yet."
            : "Every key and backend can take requests."}
        </p>
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
          {hidden !== undefined && (
            <li>
              <a href={navigation.hrefOf(hidden.what === "key" ? "keys" : "backends")}>
                and {troubles.length - MOST_SHOWN} more
              </a>
            </li>
          )}
        </ul>
      )}
    </section>
  );
}
