// WeCom group robots: markdown of at most 4,096 bytes, 20 messages a minute, errors under status 200.
import { type Item, type Message, sentenceOf, timeOf } from "./message.ts";
import { fitLines, plain, type WebhookForm } from "./webhook-form.ts";

/** developer.work.weixin.qq.com, group robots: markdown content is at most 4,096 bytes of UTF-8. */
const MOST_BYTES = 4096;

/** Its markdown knows no escape, and `<@user>` calls people: what has a meaning becomes a look-alike that has none. */
const LOOK_ALIKES: Readonly<Record<string, string>> = {
  "<": "＜",
  ">": "＞",
  "*": "＊",
  "[": "［",
  "]": "］",
  "`": "ˋ",
};

const escaped = (text: string): string =>
  plain(text).replaceAll(/[<>*[\]`]/g, (char) => LOOK_ALIKES[char] ?? char);

const COLOURS: Readonly<Record<Message["event"], string>> = {
  startup: "info",
  recovery: "info",
  report: "comment",
  failure: "warning",
  key: "warning",
  reload: "warning",
};

const lineOf = (item: Item): string => `> **${escaped(item.name)}** ${escaped(sentenceOf(item))}`;

export const wecom: WebhookForm = {
  write(message) {
    const { event, host, atMs, title, items } = message;
    const head = `### weir on ${escaped(host)}\n<font color="${COLOURS[event]}">${escaped(title)}</font>\n${timeOf(atMs)}`;
    const content = fitLines({ head, items, lineOf, mostBytes: MOST_BYTES });
    return JSON.stringify({ msgtype: "markdown", markdown: { content } });
  },
  findFault(body) {
    const [, code] = /"errcode"\s*:\s*(-?\d+)/.exec(body) ?? [];
    return code === undefined || code === "0" ? undefined : `errcode ${code}`;
  },
};
