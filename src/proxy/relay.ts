// Passes an answer's body on, chunk by chunk as it comes and as fast as the client reads, and tells how it ended.
import type { Outcome } from "../core/outcome.ts";
import { CallEnded, CLIENT_LEFT } from "./call-ended.ts";
import { classifyFailure } from "./send.ts";

export type Ending =
  /** The upstream closed its body properly. */
  | { readonly kind: "complete" }
  /** The upstream broke, stalled, or ended before its terminal event. */
  | { readonly kind: "broken"; readonly outcome: Outcome }
  | { readonly kind: "abandoned" };

export interface RelayTerms {
  /** What was read of the body already. */
  readonly prefix: readonly Uint8Array[];
  readonly reader: ReadableStreamDefaultReader<Uint8Array>;
  /** The controller whose signal the upstream call was given. */
  readonly abort: AbortController;
  readonly idleMs: number;
  /** Until the body must have ended. */
  readonly leftMs: number;
  readonly now: () => number;
  readonly observe: (chunk: Uint8Array) => void;
  /** After a clean end: what is wrong with it, if anything. */
  readonly findFault: () => Outcome | undefined;
  /** What to send in place of a clean end when the body broke; undefined: the client's connection is reset instead. */
  readonly lastWords: (outcome: Outcome) => string | undefined;
  /** Called once, whatever happens, before the client's body is closed. */
  readonly end: (ending: Ending) => void;
}

/**
 * A direct stream: the cheapest wrapper that sees end, error and abort. Back-pressure holds only because the promise that
 * `write` returns is awaited; a stalled reader would else collect the whole answer in memory.
 */
export function relay(terms: RelayTerms): ReadableStream<Uint8Array> {
  const { reader } = terms;
  const prefix = [...terms.prefix];
  const { signal } = terms.abort;
  let ended = false;
  let isWriting = false;
  let stopWaiting = doNothing;
  const watch = watchSilence(terms);
  const finish = (ending: Ending): void => {
    ended = true;
    watch.stop();
    signal.removeEventListener("abort", stopWaiting);
    terms.end(ending);
  };

  const stream: Bun.DirectUnderlyingSource<Uint8Array> = {
    type: "direct",
    async pull(sink) {
      // A client that never reads again would hold its lease for ever; set once, since a listener for every chunk costs
      // more than the chunk.
      stopWaiting = () => {
        if (isWriting && !ended) closeBroken(sink, classifyFailure(undefined, signal));
      };
      signal.addEventListener("abort", stopWaiting, { once: true });
      try {
        for (;;) {
          const early = prefix.shift();
          watch.waiting();
          const next = early === undefined ? await reader.read() : { done: false, value: early };
          if (ended) return; // cancelled while waiting
          watch.received();
          if (next.done || next.value === undefined) break;
          terms.observe(next.value);
          const written = sink.write(next.value);
          if (typeof written !== "number") {
            isWriting = true;
            await written;
            isWriting = false;
          }
          if (ended) return;
        }
      } catch (error) {
        if (ended) return; // the client is gone already: the sink may not be touched
        const outcome = classifyFailure(error, signal);
        closeBroken(sink, outcome);
        return;
      }
      const fault = terms.findFault();
      if (fault !== undefined) return closeBroken(sink, fault);
      finish({ kind: "complete" });
      sink.close();
    },
    cancel() {
      if (ended) return;
      finish({ kind: "abandoned" });
      terms.abort.abort(CLIENT_LEFT);
      // The abort has ended the body; the reader only has to let go of it.
      reader.cancel().catch(() => undefined);
    },
  };

  /** Says what happened where the protocol can, else breaks the connection; a broken answer never ends politely. */
  function closeBroken(sink: Parameters<typeof stream.pull>[0], outcome: Outcome): void {
    if (signal.reason === CLIENT_LEFT) return finish({ kind: "abandoned" });
    finish({ kind: "broken", outcome });
    const words = terms.lastWords(outcome);
    if (words === undefined) {
      sink.close(new Error("upstream disconnected"));
      return;
    }
    void sink.write(words);
    sink.close();
  }

  // The types of a source know only the queued kinds; the runtime takes this one.
  return new ReadableStream(stream as unknown as UnderlyingDefaultSource<Uint8Array>);
}

interface SilenceWatch {
  readonly waiting: () => void;
  readonly received: () => void;
  readonly stop: () => void;
}

/** One timer a body, set again only when it runs out: a chunk costs two assignments. A slow client is not silence. */
function watchSilence({ abort, idleMs, leftMs, now }: RelayTerms): SilenceWatch {
  const deadlineMs = now() + leftMs;
  let waitingSinceMs: number | undefined;
  let timer: ReturnType<typeof setTimeout>;
  const check = (): void => {
    const nowMs = now();
    if (nowMs >= deadlineMs)
      return abort.abort(new CallEnded({ kind: "failed", timedOut: true, detail: "answer took too long" }));
    const silentMs = waitingSinceMs === undefined ? 0 : nowMs - waitingSinceMs;
    if (silentMs >= idleMs)
      return abort.abort(
        new CallEnded({
          kind: "failed",
          timedOut: true,
          detail: `silent for ${Math.round(silentMs / 1000)} s`,
        }),
      );
    arm(Math.min(idleMs - silentMs, deadlineMs - nowMs));
  };
  const arm = (delayMs: number): void => {
    timer = setTimeout(check, Math.max(1, Math.ceil(delayMs)));
  };
  arm(Math.min(idleMs, leftMs));
  return {
    waiting() {
      waitingSinceMs = now();
    },
    received() {
      waitingSinceMs = undefined;
    },
    stop() {
      clearTimeout(timer);
    },
  };
}

function doNothing(): void {}
