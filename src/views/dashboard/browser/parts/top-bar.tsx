/** @jsxImportSource preact */
// The bar that stays: where one is, whether what one sees is live, the theme, and the way out.
import { useState } from "preact/hooks";
import type { LiveState } from "../live.ts";
import { formatSpan } from "../model/format.ts";
import type { Navigation } from "../hooks.ts";
import { TABS, type Tab } from "../model/place.ts";
import { applyTheme, rememberedTheme, rememberTheme, type Theme, THEMES } from "../theme.ts";

const TITLES: Readonly<Record<Tab, string>> = {
  overview: "Overview",
  backends: "Backends",
  keys: "Keys",
  charts: "Charts",
  log: "Log",
  explain: "Explain",
};

/** Weir says so to whoever came with a session; without an admin key there is none to end. */
const HAS_LOGIN = document.documentElement.dataset["login"] === "yes";

export function TopBar({
  state,
  navigation,
}: {
  readonly state: LiveState;
  readonly navigation: Navigation;
}) {
  const { view, link } = state;
  const { place, hrefOf } = navigation;
  return (
    <header class="top">
      <h1>weir</h1>
      <nav aria-label="Sections">
        {TABS.map((tab) => (
          <a key={tab} href={hrefOf(tab)} aria-current={tab === place.tab ? "page" : undefined}>
            {TITLES[tab]}
          </a>
        ))}
      </nav>
      <div class="facts">
        {view !== undefined && (
          <span class="version">
            {view.instance.version} · up {formatSpan(view.instance.uptimeMs)}
          </span>
        )}
        <span class={`link link-${link.kind}`} role="status">
          <span class="mark" aria-hidden="true" />
          {link.kind === "live" ? "live" : link.kind === "lost" ? "not connected" : "connecting"}
        </span>
        <ThemeSwitch />
        {HAS_LOGIN && (
          <form method="post" action="dashboard/logout">
            <button>Log out</button>
          </form>
        )}
      </div>
    </header>
  );
}

function ThemeSwitch() {
  const [theme, setTheme] = useState(rememberedTheme);
  const choose = (next: Theme): void => {
    rememberTheme(next);
    applyTheme(next);
    setTheme(next);
    dispatchEvent(new Event("weir-theme"));
  };
  return (
    <label class="theme">
      <span class="unseen">Theme</span>
      <select
        value={theme}
        onChange={(event) => choose(THEMES.find((each) => each === event.currentTarget.value) ?? "auto")}
      >
        <option value="auto">Auto</option>
        <option value="light">Light</option>
        <option value="dark">Dark</option>
      </select>
    </label>
  );
}
