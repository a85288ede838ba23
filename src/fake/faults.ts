// The table of faults: what each one does and which parameters it takes, with their defaults.
// A new fault is a row here and a case where it acts (perform.ts for bytes, call.ts for what precedes an answer).

/** Parameters a fault may take, after parsing. */
export interface FaultParameters {
  /** Number of stream chunks (for unstreamed answers: 0 none, else half of the body) that come first. */
  readonly after?: number;
  readonly bytes?: number;
  readonly intervalMs?: number;
  readonly count?: number;
  readonly location?: string;
  readonly text?: string;
}

interface FaultRow {
  readonly does: string;
  readonly takes: FaultParameters;
  /** True when no provider answer is involved: key checks are skipped. */
  readonly alone?: boolean;
}

export const FAULTS = {
  refuse: { does: "closes the connection without a byte", takes: {}, alone: true },
  hang_headers: { does: "never answers", takes: {}, alone: true },
  hang_stream: { does: "falls silent after n chunks", takes: { after: 3 } },
  reset: { does: "resets the connection: at once, or with `after` in mid-stream", takes: {} },
  early_end: {
    does: "ends the stream politely after n chunks, without a terminal event",
    takes: { after: 3 },
  },
  short_body: { does: "promises more bytes than it sends, then closes", takes: { after: 3 } },
  bad_chunk: { does: "sends a broken chunk size after n chunks", takes: { after: 3 } },
  error_first: { does: "status 200, then an error as the first event", takes: {} },
  error_later: { does: "an error event after n chunks, then the end", takes: { after: 3 } },
  garbage_headers: { does: "sends a head that is not HTTP", takes: {}, alone: true },
  huge_headers: { does: "adds so many bytes of headers", takes: { bytes: 300_000 } },
  drip: { does: "sends the body some bytes at an interval", takes: { bytes: 1, intervalMs: 20 } },
  split: { does: "sends the body in pieces of n bytes, each its own chunk", takes: { bytes: 1 } },
  redirect: {
    does: "answers 301 to a location",
    takes: { location: "http://127.0.0.1:9/elsewhere" },
    alone: true,
  },
  gzip: { does: "compresses the answer unasked", takes: {} },
  set_cookie: { does: "adds set-cookie, alt-svc and other headers that must not pass a proxy", takes: {} },
  echo_key: { does: "answers 401 with the whole key in the body", takes: {}, alone: true },
  informational: { does: "sends so many 1xx answers first", takes: { count: 100 } },
  close_on_reuse: { does: "closes a kept connection when the next request arrives on it", takes: {} },
  raw: { does: "sends `text` literally as the whole answer, then closes", takes: { text: "" }, alone: true },
} as const satisfies Record<string, FaultRow>;

export type FaultName = keyof typeof FAULTS;

export interface Fault extends FaultParameters {
  readonly kind: FaultName;
}

/** The row of a fault, in the general form. */
export const faultRow = (kind: FaultName): FaultRow => FAULTS[kind];

export const isFaultName = (text: string): text is FaultName => Object.hasOwn(FAULTS, text);

/** Whether the fault stands alone, without any provider's answer behind it. */
export const standsAlone = (fault: Fault): boolean =>
  faultRow(fault.kind).alone === true || (fault.kind === "reset" && fault.after === undefined);
