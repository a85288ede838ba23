// The terminal view at work: joins the event stream, the keys and the screen, until the reader has seen enough.
import { applyStatus } from "../../core/status-change.ts";
import type { Address, Snapshot } from "./ask.ts";
import { addFailure, addLines, type Link, type TopData } from "./data.ts";
import { type FeedNews, followEvents } from "./feed.ts";
import { layFrame } from "./frame.ts";
import type { Look } from "./paint.ts";
import { type Facts, INITIAL, press, type Press } from "./state.ts";
import { openTerminal, type Streams } from "./terminal.ts";

export interface TopTerms {
  readonly address: Address;
  readonly first: Snapshot;
  readonly streams: Streams;
  readonly look: Look;
  readonly random: () => number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** Many lines of the log in one moment make one frame. */
const FRAME_MS = 50;
/** While the line is lost, the time to the next try is counted down. */
const COUNTDOWN_MS = 1000;

/** Resolves when the reader or the signal ends it; rejects with what went wrong, the terminal restored in either case. */
export async function runTop({
  address,
  first,
  streams,
  look,
  random,
  now,
  signal,
}: TopTerms): Promise<void> {
  const end = new AbortController();
  const over = Promise.withResolvers<void>();
  let state = INITIAL;
  let link: Lost | undefined;
  let known: Snapshot = first;
  let paused: Snapshot | undefined;
  let facts: Facts = { table: undefined, page: 1 };
  let frame: ReturnType<typeof setTimeout> | undefined;

  /** For what is called from outside: an error must not leave the terminal as it is. */
  const guarded =
    <T extends unknown[]>(act: (...args: T) => void) =>
    (...args: T): void => {
      try {
        act(...args);
      } catch (error) {
        over.reject(error);
      }
    };
  const draw = guarded(() => {
    clearTimeout(frame);
    frame = undefined;
    const data: TopData = { url: address.url, ...(paused ?? known), link: linkOf(link, now()) };
    const laid = layFrame(state, data, terminal.size());
    ({ facts } = laid);
    terminal.draw(laid.lines);
  });
  const drawSoon = (): void => {
    frame ??= setTimeout(draw, FRAME_MS);
  };
  const onKey = guarded((key: Press) => {
    if (key.ctrl && key.name === "z") return terminal.suspend();
    const next = press(state, key, facts);
    if (next === undefined) return over.resolve();
    if (next.isPaused !== state.isPaused) paused = next.isPaused ? known : undefined;
    state = next;
    draw();
  });
  const terminal = openTerminal({ streams, look, onKey, onChange: draw, onGone: () => over.resolve() });
  const countdown = setInterval(() => {
    if (link !== undefined) draw();
  }, COUNTDOWN_MS);
  const tell = (news: FeedNews): void => {
    link = news.kind === "lost" ? { reason: news.reason, retryAtMs: now() + news.waitMs } : undefined;
    known = learn(known, news);
    drawSoon();
  };
  signal.addEventListener("abort", () => over.resolve(), { once: true });
  if (signal.aborted) over.resolve();
  try {
    draw();
    const followed = followEvents({ address, tell, random, signal: end.signal });
    followed.catch((error: unknown) => over.reject(error));
    await over.promise;
    end.abort();
    await followed;
  } finally {
    end.abort();
    clearInterval(countdown);
    clearTimeout(frame);
    terminal.close();
  }
}

interface Lost {
  readonly reason: string;
  readonly retryAtMs: number;
}

const linkOf = (lost: Lost | undefined, nowMs: number): Link =>
  lost === undefined
    ? { kind: "live" }
    : { kind: "lost", reason: lost.reason, retryInMs: Math.max(0, lost.retryAtMs - nowMs) };

export function learn(known: Snapshot, news: FeedNews): Snapshot {
  const { view, log } = known;
  switch (news.kind) {
    case "status": {
      const next = applyStatus(view, news.message) ?? view;
      // Another process numbers its lines anew. A change is of the same one: its start moves when a clock is set.
      const isSame =
        news.message.kind === "change" || next.instance.startedAtMs === view.instance.startedAtMs;
      return { view: next, log: isSame ? log : [] };
    }
    case "failure":
      return { view: addFailure(view, news.failure), log };
    case "line":
      return { view, log: addLines(log, [news.line]) };
    case "log":
      return { view, log: addLines(log, news.lines) };
    case "lost":
      return known;
  }
}
