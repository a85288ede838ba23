// Everything at once as plain text, for pipes, files and terminals that cannot move their cursor.
import type { Snapshot } from "./ask.ts";
import { backendTable, keyTable } from "./columns-pool.ts";
import { modelTable, providerTable } from "./columns-groups.ts";
import { failureTable, logTable } from "./columns-news.ts";
import { plainLine } from "./paint.ts";
import { summaryPieces, titlePieces } from "./summary.ts";
import { clip, flow, type Line, span } from "./text.ts";

export interface OnceTerms {
  readonly url: string;
  /** Undefined: as wide as it gets, so that nothing is cut. */
  readonly columns: number | undefined;
  readonly isUnicode: boolean;
}

/** Wide enough for every column of any table. */
const UNBOUND = 1000;
const SUMMARY_COLUMNS = 120;
const MOST_LINES = 1000;
const NEWS = 20;

export function printOnce({ view, log }: Snapshot, { url, columns, isUnicode }: OnceTerms): string {
  const data = { url, view, log, link: { kind: "live" } } as const;
  const width = columns ?? UNBOUND;
  const nowMs = view.instance.atMs;
  const tables = [
    ["Providers", providerTable(view.providers, nowMs), view.providers.length],
    ["Models", modelTable(view.models, nowMs), view.models.length],
    ["Backends", backendTable(view.backends, nowMs), view.backends.length],
    ["Keys", keyTable(view.keys, nowMs), view.keys.length],
    ["Recent failures", failureTable(view.failures), NEWS],
    ["Log", logTable(log), NEWS],
  ] as const;
  const parts = tables.flatMap(([title, table, height]): Line[] => [
    [],
    [span(table.total === 0 ? `${title}: none` : title)],
    ...(table.total === 0
      ? []
      : table.lay({ width, height, top: 0, chosen: undefined, order: undefined, filter: "" })),
  ]);
  const head = flow(
    [...titlePieces(data, false), ...summaryPieces(data)],
    columns ?? SUMMARY_COLUMNS,
    MOST_LINES,
  );
  return `${[...head, ...parts].map((line) => plainLine(clip(line, width), isUnicode)).join("\n")}\n`;
}
