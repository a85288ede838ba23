/** @jsxImportSource preact */
// The page: a link to weir, the bar, what nobody may miss, and the section that is chosen.
import { type FunctionComponent, render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type Live, openLive } from "./live.ts";
import { useNavigation, useReadable } from "./hooks.ts";
import type { Tab } from "./model/place.ts";
import { Banners } from "./parts/banners.tsx";
import { TopBar } from "./parts/top-bar.tsx";
import { Backends } from "./tabs/backends.tsx";
import { Charts } from "./tabs/charts.tsx";
import { Explain } from "./tabs/explain.tsx";
import { Keys } from "./tabs/keys.tsx";
import { Log } from "./tabs/log.tsx";
import { Overview } from "./tabs/overview.tsx";
import type { TabProps } from "./tabs/tab.ts";

const SECTIONS: Readonly<Record<Tab, FunctionComponent<TabProps>>> = {
  overview: Overview,
  backends: Backends,
  keys: Keys,
  charts: Charts,
  log: Log,
  explain: Explain,
};

function App({ live }: { readonly live: Live }) {
  const state = useReadable(live);
  const navigation = useNavigation();
  const nowMs = useSeconds();
  const { view, log, clockAheadMs, epoch } = state;
  const { tab } = navigation.place;
  const Section = SECTIONS[tab];
  return (
    <>
      <a class="skip" href="#main" onClick={skipToMain}>
        Skip to the content
      </a>
      <TopBar state={state} navigation={navigation} />
      <Banners state={state} nowMs={nowMs} onRetry={live.retryNow} />
      <main id="main" tabIndex={-1} class={state.link.kind === "lost" ? "stale" : ""}>
        {view === undefined ? (
          <p class="none">Waiting for weir.</p>
        ) : (
          <Section
            key={tab}
            view={view}
            log={log}
            nowMs={nowMs + clockAheadMs}
            epoch={epoch}
            navigation={navigation}
          />
        )}
      </main>
    </>
  );
}

/** The address holds the section, so a link to `#main` would lead away from it. */
function skipToMain(event: Event): void {
  event.preventDefault();
  document.querySelector<HTMLElement>("#main")?.focus();
}

/** This browser's clock, once a second while somebody looks: countdowns go on between pushes. */
function useSeconds(): number {
  const [nowMs, setNowMs] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) setNowMs(Date.now());
    }, 1000);
    return () => clearInterval(timer);
  }, []);
  return nowMs;
}

const root = document.querySelector("#root");
if (root !== null) render(<App live={openLive()} />, root);
