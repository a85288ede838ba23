// Server-sent events to a bounded number of readers. A reader that does not keep up is left out until it does, and is
// told so; nothing is ever queued for it. One that may not see them any more gets no further one.

export interface EventStream {
  /** Undefined when there are too many readers, and after the close. */
  readonly open: (terms: ReaderTerms) => Response | undefined;
  /** Sends to every reader that keeps up; to one that missed something, what `greet` gives. */
  readonly send: (events: readonly string[]) => void;
  readonly readers: number;
  readonly close: () => void;
}

export const eventText = (name: string, data: unknown): string =>
  `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

export const EVENT_HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store",
  // nginx would else hold events back.
  "x-accel-buffering": "no",
};

export interface ReaderTerms {
  readonly signal: AbortSignal;
  readonly greet: () => readonly string[];
  /** Asked before anything is sent: a login ends, a key is changed. */
  readonly maySee: () => boolean;
}

interface Reader extends Pick<ReaderTerms, "greet" | "maySee"> {
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  hasMissed: boolean;
  readonly end: () => void;
}

const encoder = new TextEncoder();

export function createEventStream(mostReaders: number): EventStream {
  const readers = new Set<Reader>();
  let isClosed = false;
  const write = (reader: Reader, events: readonly string[]): void => {
    if (events.length > 0) reader.controller.enqueue(encoder.encode(events.join("")));
  };
  return {
    get readers() {
      return readers.size;
    },
    open({ signal, greet, maySee }) {
      if (isClosed || readers.size >= mostReaders) return undefined;
      let reader: Reader | undefined;
      const leave = (): void => {
        if (reader !== undefined) readers.delete(reader);
        signal.removeEventListener("abort", leave);
      };
      const body = new ReadableStream<Uint8Array>(
        {
          start(controller) {
            const end = (): void => {
              leave();
              controller.close();
            };
            reader = { controller, greet, maySee, hasMissed: false, end };
            readers.add(reader);
            signal.addEventListener("abort", leave, { once: true });
            // The comment lets the head of the answer go out at once.
            write(reader, [":\n\n", ...greet()]);
          },
          cancel: leave,
        },
        { highWaterMark: 1 },
      );
      return new Response(body, { headers: EVENT_HEADERS });
    },
    send(events) {
      for (const reader of readers) {
        const isBehind = (reader.controller.desiredSize ?? 0) <= 0;
        if (!reader.maySee()) reader.end();
        else if (isBehind) reader.hasMissed = true;
        else {
          write(reader, reader.hasMissed ? reader.greet() : events);
          reader.hasMissed = false;
        }
      }
    },
    close() {
      isClosed = true;
      for (const reader of readers) reader.end();
      readers.clear();
    },
  };
}
