// What components share: reading the store, the second hand, the address, the width of the screen.
import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import { type Place, readPlace, type Tab, writePlace } from "./model/place.ts";

export interface Readable<T> {
  readonly current: () => T;
  readonly subscribe: (changed: () => void) => () => void;
}

/** The newest value, at most once a frame. */
export function useReadable<T>(source: Readable<T>): T {
  const [value, setValue] = useState(source.current);
  useEffect(() => {
    let frame = 0;
    const take = (): void => {
      frame = 0;
      setValue(() => source.current());
    };
    const stop = source.subscribe(() => {
      if (frame === 0) frame = requestAnimationFrame(take);
    });
    take();
    return () => {
      cancelAnimationFrame(frame);
      stop();
    };
  }, [source]);
  return value;
}

export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const take = (): void => setMatches(list.matches);
    take();
    list.addEventListener("change", take);
    return () => list.removeEventListener("change", take);
  }, [query]);
  return matches;
}

export const PHONE = "(max-width: 720px)";

export interface Navigation {
  readonly place: Place;
  readonly hrefOf: (tab: Tab) => string;
  readonly goTo: (tab: Tab, choices?: Readonly<Record<string, string>>) => void;
  /**
   * Changes choices of this tab; an empty text takes one away. No new step for the back button.
   * Does nothing once the address names another tab.
   */
  readonly choose: (choices: Readonly<Record<string, string>>) => void;
  /** No longer shows that row's facts. A drawer tells that it closed a moment later: another may be open by then. */
  readonly shut: (id: string) => void;
}

export function useNavigation(): Navigation {
  const home: Tab = location.pathname.endsWith("/charts") ? "charts" : "overview";
  const [hash, setHash] = useState(location.hash);
  const place = readPlace(hash, home);
  useEffect(() => {
    const take = (): void => setHash(location.hash);
    addEventListener("hashchange", take);
    return () => removeEventListener("hashchange", take);
  }, []);
  // A tab begins at its top.
  useLayoutEffect(() => scrollTo(0, 0), [place.tab]);
  const choose: Navigation["choose"] = (choices) => {
    const now = readPlace(location.hash, home);
    if (now.tab !== place.tab) return;
    const next = writePlace({ tab: now.tab, choices: { ...now.choices, ...choices } });
    history.replaceState(null, "", next);
    setHash(next);
  };
  return {
    place,
    hrefOf: (tab) => writePlace({ tab, choices: {} }),
    goTo(tab, choices = {}) {
      location.hash = writePlace({ tab, choices });
    },
    choose,
    shut(id) {
      if (readPlace(location.hash, home).choices["open"] === id) choose({ open: "" });
    },
  };
}
