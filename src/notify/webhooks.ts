// Tells the configured receivers what an operator wants to know. Looks at the pool once in a while, never from a request.
import { lookup } from "node:dns/promises";
import type { ProxyEvent } from "../core/event.ts";
import type { Clock, Slot } from "../core/seams.ts";
import type { WebhookConfig } from "../core/webhook.ts";
import { type AlertState, nextAlerts, NO_ALERTS } from "./alerts.ts";
import type { Entry } from "./entry.ts";
import {
  describeRecovery,
  describeRejection,
  describeReport,
  describeStartup,
  describeTroubles,
  type Figures,
  type Message,
  type Origin,
} from "./message.ts";
import { findTroubles, subjectIds, type Trouble } from "./trouble.ts";
import { WEBHOOK_FORMS } from "./webhook-forms.ts";
import { type LookUp, postMessage } from "./webhook-post.ts";
import { createWebhookQueue, type Turn, type WebhookQueue } from "./webhook-queue.ts";

export interface WebhooksTerms {
  readonly webhooks: readonly WebhookConfig[];
  /** Of the current pool. */
  readonly slots: () => readonly Slot[];
  readonly figures: () => Figures;
  readonly clock: Clock;
  /** This machine's name. */
  readonly host: string;
  readonly redact: (text: string) => string;
  readonly note: (entry: Entry) => void;
  /** Further certificate authorities, PEM. */
  readonly ca: () => string | undefined;
  /** For tests: in place of the defaults. */
  readonly lookUp?: LookUp;
  readonly retryMs?: number;
}

export interface Webhooks {
  readonly emit: (event: ProxyEvent) => void;
  /** A reload's list: receivers that stay keep what they know and what is on its way. */
  readonly update: (webhooks: readonly WebhookConfig[]) => void;
  readonly stop: () => Promise<void>;
}

interface Receiver {
  config: WebhookConfig;
  readonly queue: WebhookQueue;
  alerts: AlertState;
  reportedMs: number;
  /** Finished requests at that time. */
  reportedRequests: number;
  /** What the last report told; undefined before the first. */
  reported?: Figures["totals"];
}

const POLL_MS = 1000;
const LEAST_POLL_MS = 100;

export function startWebhooks(terms: WebhooksTerms): Webhooks {
  const { figures, clock, host, redact, note, lookUp = lookUpAll, retryMs } = terms;
  let receivers: readonly Receiver[] = [];
  let requests = 0;
  let timer: ReturnType<typeof setInterval> | undefined;
  const leaving = new Set<Promise<void>>();

  const originNow = (): Origin => ({ host, atMs: clock.wall(), nowMs: clock.now() });

  const tell = ({ config, queue }: Receiver, message: Message): void => {
    if (config.events.includes(message.event))
      queue.push(message.event, WEBHOOK_FORMS[config.format].write(withoutSecrets(message, redact)));
  };

  const look = (): void => {
    const now = originNow();
    const slots = terms.slots();
    const troubles = findTroubles(slots, now.nowMs);
    for (const receiver of receivers) {
      lookFor(receiver, { slots, troubles, now });
      if (isReportDue(receiver, now.nowMs)) {
        receiver.reportedMs = now.nowMs;
        receiver.reportedRequests = requests;
        const current = figures();
        tell(receiver, describeReport(current, receiver.reported, now));
        receiver.reported = current.totals;
      }
    }
  };

  const lookFor = (receiver: Receiver, { slots, troubles, now }: Sighting): void => {
    const { events, batchMs, cooldownMs } = receiver.config;
    let subjects: ReadonlySet<string> | undefined;
    const { state, failed, recovered } = nextAlerts(receiver.alerts, {
      troubles: troubles.filter(({ event }) => events.includes(event)),
      isConfigured: ({ id }) => (subjects ??= subjectIds(slots)).has(id),
      nowMs: now.nowMs,
      batchMs,
      cooldownMs,
    });
    receiver.alerts = state;
    for (const event of ["failure", "key"] as const) {
      const own = failed.filter((trouble) => trouble.event === event);
      if (own.length > 0) tell(receiver, describeTroubles(event, own, now));
    }
    if (recovered.length > 0) tell(receiver, describeRecovery(recovered, now));
  };

  const isReportDue = ({ config, reportedMs, reportedRequests }: Receiver, nowMs: number): boolean => {
    const everyMs = requests > reportedRequests ? config.reportMs : config.reportIdleMs;
    return config.events.includes("report") && everyMs > 0 && nowMs - reportedMs >= everyMs;
  };

  const join = (config: WebhookConfig): Receiver => {
    const receiver: Receiver = {
      config,
      alerts: NO_ALERTS,
      reportedMs: clock.now(),
      reportedRequests: requests,
      queue: createWebhookQueue({
        post: (body, signal) => postMessage(receiver.config, body, { lookUp, signal, ca: terms.ca() }),
        onTurn: (turn) => note(entryOf(turn, new URL(config.url.reveal()).host)),
        ...(retryMs === undefined ? {} : { retryMs }),
      }),
    };
    return receiver;
  };

  const leave = ({ queue }: Receiver): void => {
    const left = queue.stop().finally(() => leaving.delete(left));
    leaving.add(left);
  };

  const update = (webhooks: readonly WebhookConfig[]): void => {
    // Two rows may lead to one place, with other events and times: they are told apart by their order.
    const before = Map.groupBy(receivers, ({ config }) => nameOf(config));
    receivers = webhooks.map((config) => {
      const known = before.get(nameOf(config))?.shift();
      if (known === undefined) return join(config);
      known.config = config;
      return known;
    });
    for (const gone of before.values()) gone.forEach(leave);
    clearInterval(timer);
    const shortest = Math.min(...webhooks.map(({ batchMs }) => batchMs));
    if (webhooks.length > 0) {
      timer = setInterval(look, Math.max(LEAST_POLL_MS, Math.min(POLL_MS, shortest / 4)));
      timer.unref();
    }
  };

  update(terms.webhooks);
  if (receivers.length > 0) {
    const startup = describeStartup(figures(), originNow());
    for (const receiver of receivers) tell(receiver, startup);
  }

  return {
    emit(event) {
      if (event.kind === "request_finished") requests += 1;
      if (event.kind !== "reload_rejected") return;
      const message = describeRejection(event.problems, originNow());
      for (const receiver of receivers) tell(receiver, message);
    },
    update,
    async stop() {
      clearInterval(timer);
      for (const receiver of receivers) leave(receiver);
      await Promise.all(leaving);
    },
  };
}

interface Sighting {
  readonly slots: readonly Slot[];
  readonly troubles: readonly Trouble[];
  readonly now: Origin;
}

const nameOf = ({ url, format }: WebhookConfig): string => `${format} ${url.reveal()}`;

function withoutSecrets(message: Message, redact: (text: string) => string): Message {
  const items = message.items.map((item) => ({
    ...item,
    name: redact(item.name),
    detail: redact(item.detail),
  }));
  return { ...message, items };
}

function entryOf(turn: Turn, host: string): Entry {
  switch (turn.kind) {
    case "failing":
      return {
        level: "warn",
        message: "webhook cannot be delivered, trying again",
        fields: { host, reason: turn.reason },
      };
    case "works":
      return {
        level: "info",
        message: "webhook is delivered again",
        fields: { host, lost: turn.lost === 0 ? undefined : turn.lost },
      };
    case "left":
      return {
        level: "warn",
        message: "webhook messages were not delivered",
        fields: { host, messages: turn.messages },
      };
  }
}

const lookUpAll: LookUp = async (name) => (await lookup(name, { all: true })).map(({ address }) => address);
