// `webhooks` of the own format: rows, or texts as the variable has them.
import { WEBHOOK_EVENTS, WEBHOOK_FORMATS, type WebhookConfig } from "../core/webhook.ts";
import { definedOf } from "./draft-backends.ts";
import { leaf, leafList } from "./leaf.ts";
import { boolean, duration, oneOf } from "./readers.ts";
import { field, fieldsOf, listOf, mapped, type Shape, shortOrLong } from "./shape.ts";
import { webhook } from "./webhooks.ts";

const addressed = leaf(webhook, { isSecret: true });

const webhookRow: Shape<WebhookConfig> = mapped(
  fieldsOf(
    {
      url: field("Where messages are sent; never shown, for it carries a token.", addressed),
      format: field(
        "Form of messages: wecom, slack or json. Without it, the host's own, else json.",
        leaf(oneOf(WEBHOOK_FORMATS)),
      ),
      events: field(
        `What is told: ${WEBHOOK_EVENTS.join(", ")}. Default: all.`,
        leafList(oneOf(WEBHOOK_EVENTS)),
      ),
      batch: field(
        "What fails and is back within this time is not told. Default: 60s.",
        leaf(duration("0s")),
      ),
      cooldown: field(
        "After a message about something, the next about it is this much later. Default: 300s.",
        leaf(duration("0s")),
      ),
      report: field(
        "Between reports while there is traffic; 0s sends none. Default: 1h.",
        leaf(duration("0s")),
      ),
      report_idle: field(
        "Between reports while there is no traffic; 0s sends none. Default: 3h.",
        leaf(duration("0s")),
      ),
      allow_private: field(
        "Allows receivers on this machine and in private networks. Default: false.",
        leaf(boolean),
      ),
    },
    ["url"],
  ),
  ({ values }) =>
    values.url === undefined
      ? undefined
      : {
          ...values.url,
          ...definedOf({
            format: values.format,
            events: values.events,
            batchMs: values.batch,
            cooldownMs: values.cooldown,
            reportMs: values.report,
            reportIdleMs: values.report_idle,
            allowPrivate: values.allow_private,
          }),
        },
);

export const webhooksShape: Shape<readonly WebhookConfig[]> = listOf(
  shortOrLong(addressed, webhookRow),
  "webhooks",
);
