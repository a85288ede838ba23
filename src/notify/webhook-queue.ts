// Messages on their way to one receiver, one after another, until each is taken. Bounded: reports are given up first.
import type { WebhookEvent } from "../core/webhook.ts";
import type { Posted } from "./webhook-post.ts";

/** The first failure, the first success after one, and an end with messages left. */
export type Turn =
  | { readonly kind: "failing"; readonly reason: string }
  /** `lost`: given up in between, because there were too many. */
  | { readonly kind: "works"; readonly lost: number }
  | { readonly kind: "left"; readonly messages: number };

export interface QueueTerms {
  readonly post: (body: string, signal: AbortSignal) => Promise<Posted>;
  readonly onTurn: (turn: Turn) => void;
  /** Wait after the first failure; doubles. */
  readonly retryMs?: number;
}

export interface WebhookQueue {
  readonly push: (event: WebhookEvent, body: string) => void;
  readonly waiting: () => number;
  /** One more try for what is queued, within a second. */
  readonly stop: () => Promise<void>;
}

export const MOST_MESSAGES = 100;
const RETRY_MS = 1000;
const LONGEST_RETRY_MS = 60_000;
const LAST_WORDS_MS = 1000;

interface Parcel {
  readonly event: WebhookEvent;
  readonly body: string;
}

export function createWebhookQueue({ post, onTurn, retryMs = RETRY_MS }: QueueTerms): WebhookQueue {
  const parcels: Parcel[] = [];
  const abort = new AbortController();
  let lost = 0;
  let failures = 0;
  let isOver = false;
  let running: Promise<void> | undefined;
  let wake: (() => void) | undefined;

  /** A pause that stop cuts short. */
  const pause = (delayMs: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      timer.unref();
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const makeRoom = (): void => {
    // The first one may be on its way.
    const report = parcels.findIndex(({ event }, at) => event === "report" && at > 0);
    parcels.splice(report === -1 ? 1 : report, 1);
    lost += 1;
  };

  const run = async (): Promise<void> => {
    for (;;) {
      const [parcel] = parcels;
      if (parcel === undefined) return;
      const posted = await post(parcel.body, abort.signal);
      if (posted.kind === "taken") {
        parcels.shift();
        if (failures > 0) onTurn({ kind: "works", lost });
        failures = 0;
        lost = 0;
        continue;
      }
      if (isOver) return;
      if (failures === 0) onTurn({ kind: "failing", reason: posted.reason });
      failures += 1;
      const backoffMs = Math.min(retryMs * 2 ** Math.min(failures - 1, 16), LONGEST_RETRY_MS);
      await pause(Math.max(backoffMs, posted.afterMs ?? 0));
    }
  };

  const start = (): void => {
    running ??= run().finally(() => {
      running = undefined;
    });
  };

  return {
    push(event, body) {
      if (isOver) return;
      if (parcels.length >= MOST_MESSAGES) makeRoom();
      parcels.push({ event, body });
      start();
    },
    waiting: () => parcels.length,
    async stop() {
      isOver = true;
      wake?.();
      const timer = setTimeout(() => abort.abort(), LAST_WORDS_MS);
      await running;
      clearTimeout(timer);
      if (parcels.length > 0) onTurn({ kind: "left", messages: parcels.length });
    },
  };
}
