// What the reader of the screen has chosen, and what each key does to it: a pure step from one state to the next.
import type { Order, Table } from "./table.ts";

export const TABS = ["Overview", "Providers", "Models", "Backends", "Keys", "Failures", "Log"] as const;
export type Tab = (typeof TABS)[number];

/** Where one is in a table. */
export interface Place {
  readonly chosen: number;
  readonly top: number;
  readonly order: Order | undefined;
}

export interface TopState {
  readonly tab: Tab;
  readonly places: Readonly<Record<Tab, Place>>;
  readonly filter: string;
  /** The filter is being typed. */
  readonly isTyping: boolean;
  readonly isPaused: boolean;
  readonly overlay: "none" | "help" | "details";
}

const START: Place = { chosen: 0, top: 0, order: undefined };

export const INITIAL: TopState = {
  tab: "Overview",
  places: {
    Overview: START,
    Providers: START,
    Models: START,
    Backends: START,
    Keys: START,
    Failures: START,
    Log: START,
  },
  filter: "",
  isTyping: false,
  isPaused: false,
  overlay: "none",
};

/** A key as the terminal names it, or the character typed. */
export interface Press {
  readonly name: string | undefined;
  readonly text: string | undefined;
  readonly ctrl: boolean;
  readonly shift: boolean;
}

/** The table shown, and how many rows of it fit. */
export interface Facts {
  readonly table: Table | undefined;
  readonly page: number;
}

const LONGEST_FILTER = 80;

/** Undefined: the end is wanted. */
export function press(state: TopState, key: Press, facts: Facts): TopState | undefined {
  if (key.ctrl && key.name === "c") return undefined;
  if (state.isTyping) return type(state, key);
  if (state.overlay !== "none") return closeOverlay(state, key);
  const digit = Number(key.text);
  if (Number.isInteger(digit) && digit >= 1 && digit <= TABS.length)
    return { ...state, tab: TABS[digit - 1] ?? state.tab };
  switch (key.text ?? "") {
    case "q":
      return undefined;
    case "?":
    case "h":
      return { ...state, overlay: "help" };
    case "/":
      return { ...state, isTyping: true };
    case "p":
    case " ":
      return { ...state, isPaused: !state.isPaused };
    case "s":
    case ">":
      return sortBy(state, facts, 1);
    case "<":
      return sortBy(state, facts, -1);
    case "S":
    case "r":
      return reverse(state);
    case "j":
      return move(state, facts, 1);
    case "k":
      return move(state, facts, -1);
    case "g":
      return move(state, facts, -Infinity);
    case "G":
      return move(state, facts, Infinity);
    default:
      return pressNamed(state, key, facts);
  }
}

function pressNamed(state: TopState, { name, shift }: Press, facts: Facts): TopState {
  switch (name ?? "") {
    case "tab":
      return turn(state, shift ? -1 : 1);
    case "right":
      return sortBy(state, facts, 1);
    case "left":
      return sortBy(state, facts, -1);
    case "up":
      return move(state, facts, -1);
    case "down":
      return move(state, facts, 1);
    case "pageup":
      return move(state, facts, -facts.page);
    case "pagedown":
      return move(state, facts, facts.page);
    case "home":
      return move(state, facts, -Infinity);
    case "end":
      return move(state, facts, Infinity);
    case "return":
    case "enter":
      return facts.table !== undefined && facts.table.count(state.filter) > 0
        ? { ...state, overlay: "details" }
        : state;
    case "escape":
      return setFilter(state, "");
    default:
      return state;
  }
}

function type(state: TopState, { name, text, ctrl }: Press): TopState {
  if (name === "return" || name === "enter") return { ...state, isTyping: false };
  if (name === "escape") return { ...setFilter(state, ""), isTyping: false };
  if (name === "backspace") return setFilter(state, state.filter.replace(/.$/u, ""));
  if (ctrl && name === "u") return setFilter(state, "");
  if (ctrl || text === undefined || /\p{Control}/u.test(text)) return state;
  return setFilter(state, (state.filter + text).slice(0, LONGEST_FILTER));
}

function closeOverlay(state: TopState, { name, text }: Press): TopState {
  const closes = ["q", "?", "h"].includes(text ?? "") || ["escape", "return", "enter"].includes(name ?? "");
  return closes ? { ...state, overlay: "none" } : state;
}

/** Another filter makes another list: it is read from its begin. */
function setFilter(state: TopState, filter: string): TopState {
  const places = { ...state.places };
  for (const tab of TABS) places[tab] = { ...places[tab], chosen: 0, top: 0 };
  return { ...state, filter, places };
}

function turn(state: TopState, step: number): TopState {
  const at = (TABS.indexOf(state.tab) + step + TABS.length) % TABS.length;
  return { ...state, tab: TABS[at] ?? state.tab };
}

function place(state: TopState, change: Partial<Place>): TopState {
  const { tab, places } = state;
  return { ...state, places: { ...places, [tab]: { ...places[tab], ...change } } };
}

function move(state: TopState, { table, page }: Facts, step: number): TopState {
  if (table === undefined) return state;
  const now = settle(state.places[state.tab], { page, rows: table.count(state.filter) });
  const next = { ...now, chosen: now.chosen + step };
  return place(state, settle(next, { page, rows: table.count(state.filter) }));
}

/** Within the list, and in sight: rows and the screen may have become fewer since. */
export function settle(
  place: Place,
  { rows, page }: { readonly rows: number; readonly page: number },
): Place {
  const chosen = Math.max(0, Math.min(place.chosen, rows - 1));
  const lowest = Math.max(0, Math.min(chosen, rows - page));
  const top = Math.max(chosen - page + 1, Math.min(place.top, lowest), 0);
  return { ...place, chosen, top };
}

/** Steps through the columns and, between last and first, the order that the rows come in. */
function sortBy(state: TopState, { table }: Facts, step: number): TopState {
  if (table === undefined) return state;
  const { order } = state.places[state.tab];
  const choices = [undefined, ...table.sortable];
  const at = choices.findIndex((choice) => choice?.title === order?.column);
  const next = choices[(at + step + choices.length) % choices.length];
  return place(state, {
    chosen: 0,
    top: 0,
    // Of numbers the largest is of interest, of names the first.
    order: next === undefined ? undefined : { column: next.title, descending: next.isNumber },
  });
}

function reverse(state: TopState): TopState {
  const { order } = state.places[state.tab];
  if (order === undefined) return state;
  return place(state, { chosen: 0, top: 0, order: { ...order, descending: !order.descending } });
}
