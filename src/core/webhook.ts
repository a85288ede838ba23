// Where notifications go and when; read from files and variables, followed by the notifier.
import type { Secret } from "./credential.ts";

export const WEBHOOK_FORMATS = ["wecom", "slack", "json"] as const;
export type WebhookFormat = (typeof WEBHOOK_FORMATS)[number];

export const WEBHOOK_EVENTS = ["startup", "failure", "recovery", "key", "reload", "report"] as const;
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

export interface WebhookConfig {
  /** Carries the receiver's token: only its host is ever shown. */
  readonly url: Secret;
  readonly format: WebhookFormat;
  readonly events: readonly WebhookEvent[];
  /** What fails and is back within this time is not told. */
  readonly batchMs: number;
  /** After a message about something, the next failure of it is told this much later, if it still holds. */
  readonly cooldownMs: number;
  /** Between reports while there is traffic; 0: none. */
  readonly reportMs: number;
  /** Between reports while there is none; 0: none. */
  readonly reportIdleMs: number;
  /** Receivers on this machine or in a private network are allowed. */
  readonly allowPrivate?: boolean;
  /** Which proxy to go through; absent: none. */
  readonly proxyUrl?: string;
}

export const WEBHOOK_DEFAULTS = {
  events: WEBHOOK_EVENTS,
  batchMs: 60_000,
  cooldownMs: 300_000,
  reportMs: 3_600_000,
  reportIdleMs: 10_800_000,
} as const satisfies Partial<WebhookConfig>;
