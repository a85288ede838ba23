// What carries a call and brings its answer back, piece by piece.
import type { AnswerReader } from "./parse-answer.ts";

export interface Ask {
  /** Which of the header sets that the transport was made with. */
  readonly headers: number;
  readonly body: string;
}

export interface AnswerSink extends AnswerReader {
  /** Instead of the end: why there is none. */
  readonly onFailure: (reason: string) => void;
}

export interface Transport {
  /** Returns what abandons the call; nothing is told of it after that. */
  readonly send: (ask: Ask, sink: AnswerSink) => () => void;
  readonly close: () => void;
  /** Connections opened, and calls sent once more because a kept connection had been closed by the server. */
  readonly counts: () => { readonly opened: number; readonly resent: number };
}

export type HeaderSet = readonly (readonly [name: string, value: string])[];
