// The page's link to weir: one stream of events, held open while somebody looks, tried again ever more rarely when lost.
import { type FailureStatus, type LogLine, MOST_FAILURES, type StatusView } from "../../../core/status.ts";
import { applyStatus, type StatusMessage } from "../../../core/status-change.ts";
import { backOffMs } from "./model/back-off.ts";
import type { Readable } from "./hooks.ts";
import { addLines } from "./model/log-lines.ts";

export type Link =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  /** Times of this browser's clock. */
  | { readonly kind: "lost"; readonly sinceMs: number; readonly retryAtMs: number };

export interface LiveState {
  readonly link: Link;
  /** Undefined until weir has said something. */
  readonly view: StatusView | undefined;
  /** Add it to this browser's clock to get weir's. */
  readonly clockAheadMs: number;
  readonly log: readonly LogLine[];
  /** Goes up with each new connection: what was loaded before has a gap. */
  readonly epoch: number;
}

export interface Live extends Readable<LiveState> {
  readonly retryNow: () => void;
}

/** A stream that says nothing for so long is dead: something between may have dropped it without a word. */
const SILENCE_MS = 20_000;

export function openLive(): Live {
  const listeners = new Set<() => void>();
  let state: LiveState = {
    link: { kind: "connecting" },
    view: undefined,
    clockAheadMs: 0,
    log: [],
    epoch: 0,
  };
  let stream: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;

  const set = (change: Partial<LiveState>): void => {
    state = { ...state, ...change };
    for (const listener of listeners) listener();
  };
  const close = (): void => {
    clearTimeout(timer);
    stream?.close();
    stream = undefined;
  };
  const lose = (): void => {
    close();
    failures += 1;
    const nowMs = Date.now();
    const waitMs = backOffMs(failures, Math.random());
    const sinceMs = state.link.kind === "lost" ? state.link.sinceMs : nowMs;
    set({ link: { kind: "lost", sinceMs, retryAtMs: nowMs + waitMs } });
    timer = setTimeout(connect, waitMs);
    void leaveIfDenied();
  };
  const hear = (): void => {
    clearTimeout(timer);
    timer = setTimeout(lose, SILENCE_MS);
  };
  function connect(): void {
    close();
    if (document.hidden) return;
    const opened = new EventSource("api/events");
    stream = opened;
    let isFirst = true;
    hear();
    const on = <Data>(name: string, take: (data: Data) => void): void =>
      opened.addEventListener(name, (event) => {
        hear();
        take(JSON.parse(String(event.data)) as Data);
      });
    on("status", (message: StatusMessage) => {
      const view = applyStatus(isFirst ? undefined : state.view, message);
      if (view === undefined) return;
      const before = state.view?.instance;
      // Another version may bring another page.
      if (isFirst && before !== undefined && before.version !== view.instance.version) location.reload();
      const isAnother = isFirst && before?.startedAtMs !== view.instance.startedAtMs;
      set({
        view,
        link: { kind: "live" },
        clockAheadMs: view.instance.atMs - Date.now(),
        ...(isFirst ? { epoch: state.epoch + 1 } : {}),
        // Another process counts its lines from 1 again.
        ...(isAnother ? { log: [] } : {}),
      });
      if (isFirst) void loadLog();
      isFirst = false;
      failures = 0;
    });
    on("failure", (failure: FailureStatus) => {
      if (state.view !== undefined) set({ view: addFailure(state.view, failure) });
    });
    on("log", (line: LogLine) => set({ log: addLines(state.log, [line]) }));
    // The browser's own retry knows no back-off and cannot tell a refusal from a dead line.
    opened.addEventListener("error", () => {
      if (stream === opened) lose();
    });
  }
  const loadLog = async (): Promise<void> => {
    try {
      const response = await fetch("api/log");
      if (!response.ok) return;
      const { lines } = (await response.json()) as { readonly lines: readonly LogLine[] };
      set({ log: addLines(lines, state.log) });
    } catch {
      // weir has just gone: the stream says so, and the next one loads the lines again
    }
  };

  // A page that nobody sees does no work; whoever comes back gets the whole picture at once.
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : connect()));
  connect();

  return {
    current: () => state,
    subscribe(changed) {
      listeners.add(changed);
      return () => listeners.delete(changed);
    },
    retryNow: connect,
  };
}

/** A status does not hold those that were pushed after the first one. */
function addFailure(view: StatusView, failure: FailureStatus): StatusView {
  const isKnown = view.failures.some(({ seq }) => seq === failure.seq);
  return isKnown ? view : { ...view, failures: [...view.failures, failure].slice(-MOST_FAILURES) };
}

/** A login that has run out looks like a dead line to a stream; asked for as a page, weir shows its login. */
export async function leaveIfDenied(): Promise<void> {
  try {
    const response = await fetch(location.pathname, { headers: { accept: "text/html" }, cache: "no-store" });
    if (response.status === 401 || response.status === 403) location.reload();
  } catch {
    // weir cannot be reached: the page says so already
  }
}
