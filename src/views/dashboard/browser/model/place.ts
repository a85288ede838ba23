// Where in the page the reader is, as the part of the address behind `#`: it can be bookmarked, sent on and reloaded.

export const TABS = ["overview", "backends", "keys", "charts", "log", "explain"] as const;
export type Tab = (typeof TABS)[number];

export interface Place {
  readonly tab: Tab;
  /** Choices within the tab; what is at its default is left out. */
  readonly choices: Readonly<Record<string, string>>;
}

/** `#backends?q=gpu&sort=-inFlight`. Anything unknown leads to `home`. */
export function readPlace(hash: string, home: Tab): Place {
  const [name = "", query = ""] = hash.replace(/^#/, "").split("?", 2);
  const tab = TABS.find((each) => each === name);
  if (tab === undefined) return { tab: home, choices: {} };
  return { tab, choices: Object.fromEntries(new URLSearchParams(query)) };
}

export function writePlace({ tab, choices }: Place): string {
  const query = new URLSearchParams(Object.entries(choices).filter(([, value]) => value !== "")).toString();
  return query === "" ? `#${tab}` : `#${tab}?${query}`;
}
