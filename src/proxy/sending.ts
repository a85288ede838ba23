// Watches one attempt until the head of its answer: it may be stuck in connecting, in sending its body, or in waiting.
import { CALLER_STALLED, CallEnded, CLIENT_LEFT } from "./call-ended.ts";
import type { DialCheck } from "./dial.ts";
import type { FirstByteTime } from "./patience.ts";
import type { PhaseTimer } from "./phase-timer.ts";
import type { Timeouts } from "./settings.ts";
import { watchUpload } from "./upload.ts";

export interface Shipment {
  readonly url: string;
  /** For the connect check: the backend's origin, or the proxy in front of it. */
  readonly dialOrigin: string;
  readonly method: string;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | undefined;
  readonly proxyUrl: string | undefined;
  readonly session: Bun.FetchSession | undefined;
  readonly timeouts: Pick<Timeouts, "connectMs" | "idleMs">;
  /** From sending to the head of the answer; a body that streams through is sent when its end is. */
  readonly firstByte: FirstByteTime;
  /** Aborted when the client leaves or weir stops; also ends the body later. */
  readonly abort: AbortController;
}

export interface Sending {
  /** To send in place of the shipment's. */
  readonly body: Shipment["body"];
  /** The head is there, or never will be. */
  readonly stop: () => void;
}

/** Aborts the shipment when a phase takes too long. */
export function watchSending(shipment: Shipment, dialCheck: DialCheck, timer: PhaseTimer): Sending {
  const { abort, body, firstByte, dialOrigin } = shipment;
  const { connectMs, idleMs } = shipment.timeouts;
  let isWaiting = true;
  let isConnecting = connectMs < firstByte.limitMs;
  const upload =
    body instanceof ReadableStream
      ? watchUpload(body, { noteMove, noteBreak: () => abort.abort(CLIENT_LEFT) })
      : undefined;

  if (isConnecting)
    timer.enter(connectMs, () => {
      isConnecting = false;
      enterNext(connectMs);
      void dialCheck.canConnect(dialOrigin, connectMs).then((connected) => {
        // The verdict may come when the answer already has.
        if (!connected && isWaiting)
          abort.abort(new CallEnded({ kind: "unreachable", timedOut: true, detail: "connect time-out" }));
      });
    });
  else enterNext(0);

  function enterNext(waitedMs: number): void {
    if (upload?.isOver() === false) timer.enter(idleMs, endForStall);
    else timer.enter(firstByte.limitMs - waitedMs, endForSilence);
  }

  /** A file may take hours on a slow line; as long as it moves, nobody is late. */
  function noteMove(): void {
    if (isWaiting && !isConnecting) enterNext(0);
  }

  /** Of a body that still moved when its time was over, nobody can say who was slow. */
  function endForStall(isTotal: boolean): void {
    if (isTotal || upload?.awaitsCaller() === true) abort.abort(CALLER_STALLED);
    else abort.abort(late("failed", `the body was not taken for ${seconds(idleMs)} s`));
  }

  function endForSilence(): void {
    const kind = firstByte.isHurried ? "abandoned" : "failed";
    abort.abort(late(kind, `no answer within ${seconds(firstByte.limitMs)} s`));
  }

  return {
    body: upload?.body ?? body,
    stop() {
      isWaiting = false;
    },
  };
}

const late = (kind: "failed" | "abandoned", detail: string): CallEnded =>
  new CallEnded({ kind, timedOut: true, detail });

const seconds = (ms: number): number => Math.round(ms / 100) / 10;
