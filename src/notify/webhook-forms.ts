// Every form of webhook by its name in configurations.
import type { WebhookFormat } from "../core/webhook.ts";
import type { WebhookForm } from "./webhook-form.ts";
import { json } from "./webhook-json.ts";
import { slack } from "./webhook-slack.ts";
import { wecom } from "./webhook-wecom.ts";

export const WEBHOOK_FORMS: Readonly<Record<WebhookFormat, WebhookForm>> = { wecom, slack, json };
