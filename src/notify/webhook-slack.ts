// Slack's incoming webhooks, and what speaks like them: text in mrkdwn.
import { type Item, sentenceOf, timeOf } from "./message.ts";
import { fitLines, plain, type WebhookForm } from "./webhook-form.ts";

/** Slack splits longer texts into several messages at 4,000 characters. */
const MOST_BYTES = 3800;

/** docs.slack.dev, formatting: these three and no others; `<!channel>` would call everybody. */
const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

const escaped = (text: string): string => plain(text).replaceAll(/[&<>]/g, (char) => ENTITIES[char] ?? char);

/** A star in a name would end the bold. */
const bold = (text: string): string => `*${escaped(text).replaceAll("*", "∗")}*`;

const lineOf = (item: Item): string => `• ${bold(item.name)} ${escaped(sentenceOf(item))}`;

export const slack: WebhookForm = {
  write({ host, atMs, title, items }) {
    const head = `${bold(`weir on ${host}: ${title}`)}\n${timeOf(atMs)}`;
    return JSON.stringify({ text: fitLines({ head, items, lineOf, mostBytes: MOST_BYTES }), mrkdwn: true });
  },
};
