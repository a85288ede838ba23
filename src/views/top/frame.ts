// One frame of the screen from what is known and what the reader has chosen: lines of exactly the screen's size at most.
import { backendTable, keyTable, troubleTable } from "./columns-pool.ts";
import { modelTable, providerTable } from "./columns-groups.ts";
import { failureTable, logTable } from "./columns-news.ts";
import type { TopData } from "./data.ts";
import { HELP_LINES } from "./help-lines.ts";
import { type Facts, type Place, settle, type Tab, TABS, type TopState } from "./state.ts";
import { summaryPieces, titlePieces } from "./summary.ts";
import type { Table } from "./table.ts";
import { clip, fit, flow, inert, type Line, span, widthOf, wrap } from "./text.ts";

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export interface Frame {
  readonly lines: readonly Line[];
  /** What the next key needs to know. */
  readonly facts: Facts;
}

export function layFrame(state: TopState, data: TopData, size: Size): Frame {
  const { columns: width, rows } = size;
  const title = flow(titlePieces(data, state.isPaused), width, rows < 12 ? 1 : 2);
  const isOpen = state.overlay !== "none";
  const summary = isOpen || rows < 8 ? [] : flow(summaryPieces(data), width, Math.floor(rows / 5));
  const head = [...title, ...summary, ...(rows < 5 ? [] : [tabLine(state.tab, width)])];
  const height = Math.max(0, rows - head.length - 1);
  const table = tableOf(state.tab, data);
  const facts: Facts = { table, page: Math.max(1, height - 1) };
  const body = isOpen
    ? layOverlay(state, facts, width)
    : table === undefined
      ? layOverview(data, state.filter, { columns: width, rows: height })
      : layTable(state, facts, width);
  const blank = Array.from({ length: Math.max(0, height - body.length) }, (): Line => []);
  const isLost = data.link.kind === "lost";
  const shown = [...summary, ...head.slice(title.length + summary.length), ...body.slice(0, height)];
  const lines = [...title, ...(isLost ? shown.map(grey) : shown), ...blank, footer(state, facts, width)];
  return { lines: lines.slice(0, rows).map((line) => clip(line, width)), facts };
}

const grey = (line: Line): Line => line.map(({ text }) => span(text, "dim"));

/** Undefined: several at once. */
function tableOf(tab: Tab, { view, log }: TopData): Table | undefined {
  const nowMs = view.instance.atMs;
  switch (tab) {
    case "Overview":
      return undefined;
    case "Providers":
      return providerTable(view.providers, nowMs);
    case "Models":
      return modelTable(view.models, nowMs);
    case "Backends":
      return backendTable(view.backends, nowMs);
    case "Keys":
      return keyTable(view.keys, nowMs);
    case "Failures":
      return failureTable(view.failures);
    case "Log":
      return logTable(log);
  }
}

/** The one that is shown is in brackets, for those who see no colour. */
function tabLine(tab: Tab, width: number): Line {
  const isNarrow = width < 72;
  return TABS.flatMap((name, at) => {
    const isShown = name === tab;
    const text = isNarrow && !isShown ? `${at + 1}` : `${at + 1} ${name}`;
    return [isShown ? span(`[${text}]`, "chosen") : span(` ${text} `, "accent")];
  });
}

const placeOf = ({ places, tab, filter }: TopState, { table, page }: Facts): Place =>
  settle(places[tab], { page, rows: table?.count(filter) ?? 0 });

function layTable(state: TopState, facts: Facts, width: number): Line[] {
  const { table, page } = facts;
  if (table === undefined) return [];
  const lines = table.lay({ width, height: page, filter: state.filter, ...placeOf(state, facts) });
  if (lines.length > 1) return lines;
  return [...lines, [span(table.total === 0 ? " none" : " none that matches the filter", "dim")]];
}

/** Gives every table its share of the rows, a row at a time; those that need less leave theirs to the others. */
function layOverview(data: TopData, filter: string, { columns, rows }: Size): Line[] {
  const { view } = data;
  const nowMs = view.instance.atMs;
  const news = [failureTable(view.failures), logTable(data.log)];
  const tables = [
    troubleTable(view, nowMs),
    providerTable(view.providers, nowMs),
    modelTable(view.models, nowMs),
    ...(rows < ROOMY ? [] : [backendTable(view.backends, nowMs)]),
    ...news,
  ]
    .map((table) => ({ table, wanted: table.count(filter), given: 0 }))
    .filter(({ wanted }) => wanted > 0)
    .slice(0, Math.max(1, Math.floor(rows / 3)));
  const gaps = rows < ROOMY ? 0 : tables.length - 1;
  let left = rows - tables.length - gaps;
  for (let isGiven = true; isGiven && left > 0;) {
    isGiven = false;
    for (const each of tables) {
      if (left === 0 || each.given === each.wanted) continue;
      each.given += 1;
      left -= 1;
      isGiven = true;
    }
  }
  const laid = tables.map(({ table, wanted, given }) =>
    table.lay({
      width: columns,
      height: given,
      // Of what happened, there is always more.
      hidden: news.includes(table) ? 0 : wanted - given,
      top: 0,
      chosen: undefined,
      order: undefined,
      filter,
    }),
  );
  return laid.flatMap((lines, at) => (at > 0 && gaps > 0 ? [[], ...lines] : lines));
}

/** From so many rows on there is room for more than the most needed. */
const ROOMY = 30;

function layOverlay(state: TopState, facts: Facts, width: number): Line[] {
  if (state.overlay === "help") return HELP_LINES.map((line) => [span(line)]);
  const details = facts.table?.details({
    width,
    height: facts.page,
    filter: state.filter,
    ...placeOf(state, facts),
  });
  return (details ?? []).flatMap(({ label, text }) => {
    const lead = Math.min(LABEL_COLUMNS, Math.floor(width / 3));
    return wrap(inert(text), width - lead - 1).map((part, at): Line => [
      span(`${fit(at === 0 ? inert(label) : "", lead)} `, "accent"),
      span(part),
    ]);
  });
}

const LABEL_COLUMNS = 20;

function footer(state: TopState, facts: Facts, width: number): Line {
  if (state.isTyping) {
    const found = facts.table === undefined ? "" : `  ${facts.table.count(state.filter)} found`;
    return [
      span("filter: ", "accent"),
      span(`${inert(state.filter)}_`, "strong"),
      span(`${found}  (words; -word leaves out; Enter keeps, Esc clears)`, "dim"),
    ];
  }
  if (state.overlay !== "none") return [span(" Esc closes", "dim")];
  const where = describePlace(state, facts);
  const keys = " ? help  q quit  1-7 views  / filter  s sort  p pause";
  const room = width - widthOf(where) - 1;
  return [span(fit(room < 8 ? "" : keys, Math.max(0, room)), "dim"), span(where)];
}

/** `sorted by p95, filter "gpt", 1-20 of 300` */
function describePlace(state: TopState, facts: Facts): string {
  const { table, page } = facts;
  const filter = state.filter === "" ? [] : [`filter "${inert(state.filter)}"`];
  if (table === undefined) return filter.join("");
  const { top, order } = placeOf(state, facts);
  const count = table.count(state.filter);
  const sorted = order === undefined ? [] : [`by ${order.column}`];
  const rows = count === 0 ? "none" : `${top + 1}-${Math.min(count, top + page)} of ${count}`;
  return [...sorted, ...filter, rows].join(", ");
}
