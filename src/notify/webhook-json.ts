// Plain JSON, for receivers of one's own: {source, event, host, at, title, items: [{name, detail, since?, until?}], more}.
import type { Item } from "./message.ts";
import { plain, type WebhookForm } from "./webhook-form.ts";

const MOST_ITEMS = 200;

const isoOf = (ms: number): string => new Date(ms).toISOString();

const rowOf = ({ name, detail, sinceMs, untilMs }: Item) => ({
  name: plain(name),
  detail: plain(detail),
  ...(sinceMs === undefined ? {} : { since: isoOf(sinceMs) }),
  ...(untilMs === undefined ? {} : { until: isoOf(untilMs) }),
});

/** Times are ISO 8601 in UTC; `more` is how many items were left out. */
export const json: WebhookForm = {
  write: ({ event, host, atMs, title, items }) =>
    JSON.stringify({
      source: "weir",
      event,
      host,
      at: isoOf(atMs),
      title: plain(title),
      items: items.slice(0, MOST_ITEMS).map(rowOf),
      more: Math.max(0, items.length - MOST_ITEMS),
    }),
};
