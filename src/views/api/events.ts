// `GET /api/events`: pushes status, new failures and new log lines once a second to everybody who looks.
import type { Page } from "../../core/page.ts";
import type { LogLine, StatusView } from "../../core/status.ts";
import { diffStatus, type StatusMessage } from "../../core/status-change.ts";
import { refuse } from "../../core/refusal.ts";
import { createEventStream, EVENT_HEADERS, eventText } from "./event-stream.ts";

export interface EventsTerms {
  readonly view: () => StatusView;
  readonly recentLines: () => readonly LogLine[];
  /** Calls again and again until it is ended. */
  readonly every: (intervalMs: number, act: () => void) => () => void;
}

export interface EventFeed {
  readonly page: Page;
  readonly stop: () => void;
}

/** A person has a few pages open, a team a few dozen. */
const MOST_READERS = 64;
const BEAT_MS = 1000;

/**
 * Events: `status` (a StatusMessage), `failure` (a FailureStatus), `log` (a LogLine). Work is done only while somebody
 * reads; all readers share one change a second.
 */
export function createEventFeed({ view, recentLines, every }: EventsTerms): EventFeed {
  const stream = createEventStream(MOST_READERS);
  let last: StatusView | undefined;
  let sent = { failure: 0, line: 0 };

  const news = (current: StatusView): readonly string[] => {
    const failures = current.failures.filter(({ seq }) => seq > sent.failure);
    const lines = recentLines().filter(({ seq }) => seq > sent.line);
    sent = { failure: failures.at(-1)?.seq ?? sent.failure, line: lines.at(-1)?.seq ?? sent.line };
    return [
      ...failures.map((failure) => eventText("failure", failure)),
      ...lines.map((line) => eventText("log", line)),
    ];
  };
  const greet = (): readonly string[] => {
    last ??= view();
    const message: StatusMessage = { kind: "whole", view: last };
    return [eventText("status", message)];
  };
  const beat = (): void => {
    if (stream.readers === 0) {
      last = undefined;
      return;
    }
    const before = last;
    const current = view();
    last = current;
    const message: StatusMessage =
      before === undefined ? { kind: "whole", view: current } : diffStatus(before, current);
    stream.send([...news(current), eventText("status", message)]);
  };

  const end = every(BEAT_MS, beat);
  return {
    page: {
      method: "GET",
      path: "/api/events",
      respond(request, _peer, maySee = () => true) {
        // A stream that nobody reads would stay.
        if (request.method === "HEAD") return new Response(null, { headers: EVENT_HEADERS });
        if (stream.readers === 0) {
          // What was before the first reader is in its first status, and in `/api/log`.
          last = view();
          sent = { failure: last.failures.at(-1)?.seq ?? 0, line: recentLines().at(-1)?.seq ?? 0 };
        }
        return stream.open({ signal: request.signal, greet, maySee }) ?? tooMany();
      },
    },
    stop() {
      end();
      stream.close();
    },
  };
}

const tooMany = (): Response =>
  refuse("openai", {
    status: 503,
    code: "too_many_readers",
    message: `cannot push events: at most ${MOST_READERS} read them at a time, and none while weir stops`,
    retryAfterMs: 5000,
  });
