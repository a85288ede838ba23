// A webhook's address to what is known of it: its form by prefix, by well-known host, or plain JSON.
import { Secret } from "../core/credential.ts";
import {
  WEBHOOK_DEFAULTS,
  WEBHOOK_FORMATS,
  type WebhookConfig,
  type WebhookFormat,
} from "../core/webhook.ts";
import type { Reading } from "./readers.ts";

const KNOWN_HOSTS: Readonly<Record<string, WebhookFormat>> = {
  "qyapi.weixin.qq.com": "wecom",
  "hooks.slack.com": "slack",
};

/** `https://…`, or `wecom+https://…` where the host does not tell the form. Everything else has its default. */
export function webhook(text: string): Reading<WebhookConfig> {
  const prefix = WEBHOOK_FORMATS.find((format) => text.startsWith(`${format}+`));
  const address = prefix === undefined ? text : text.slice(prefix.length + 1);
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const isHttp = url?.protocol === "http:" || url?.protocol === "https:";
  if (url === undefined || !isHttp || url.username !== "" || url.password !== "")
    return {
      kind: "unread",
      expected: "an http:// or https:// URL without user and password, maybe after wecom+, slack+ or json+",
    };
  const format = prefix ?? KNOWN_HOSTS[url.hostname] ?? "json";
  return { kind: "value", value: { ...WEBHOOK_DEFAULTS, url: new Secret(url.href), format } };
}
