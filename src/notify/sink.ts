// A place for lines that may be slow, full or gone. Lines wait in a bounded queue or are dropped and counted; whoever
// writes one never waits.

/** Resolves when the text is written, rejects when it cannot be; returns nothing when it is done at once. */
export type WriteText = (text: string) => Promise<void> | void;

export interface Sink {
  readonly put: (line: string) => void;
  /** Lines lost since the start. */
  readonly dropped: () => number;
  /** Writes what is queued, as far as that is done in time; resolves in any case. */
  readonly stop: () => Promise<void>;
}

export interface SinkTerms {
  readonly write: WriteText;
  /** The line that stands where `count` lines are missing. */
  readonly describeGap: (count: number) => string;
  /** It cannot be written to; told once, until it works again. */
  readonly onFailure?: (reason: string) => void;
  readonly close?: () => Promise<void>;
  readonly retryMs?: number;
  /** Characters that may wait. */
  readonly mostQueued?: number;
}

interface Batch {
  readonly text: string;
  readonly lines: number;
  /** Dropped lines that it tells of. */
  readonly told: number;
}

/** About 5,000 lines: some seconds of heavy traffic. */
const MOST_QUEUED = 1024 ** 2;
/** Bytes in one write: what a pipe takes at once on Linux. */
const BATCH = 65_536;
const RETRY_MS = 1000;
/** Between two writes: at thousands of lines a second each write costs more than its line, and nobody reads that fast. */
const PAUSE_MS = 5;
const LAST_WORDS_MS = 1000;

export function createSink({
  write,
  describeGap,
  onFailure,
  close,
  retryMs = RETRY_MS,
  mostQueued = MOST_QUEUED,
}: SinkTerms): Sink {
  const queue: string[] = [];
  let queued = 0;
  let dropped = 0;
  /** Dropped and not yet said. */
  let gap = 0;
  let isBusy = false;
  let isFailing = false;
  let isOver = false;
  let onIdle: (() => void) | undefined;

  const lose = (count: number): void => {
    dropped += count;
    gap += count;
  };

  const settle = (): void => {
    isBusy = false;
    if (queue.length > 0 || gap > 0) next();
    else onIdle?.();
  };

  const send = ({ text, lines, told }: Batch): void => {
    const writing = write(text);
    if (!(writing instanceof Promise)) return;
    isBusy = true;
    writing.then(
      () => {
        isFailing = false;
        setTimeout(settle, PAUSE_MS).unref();
      },
      (error: unknown) => {
        lose(lines);
        gap += told;
        if (!isFailing) onFailure?.(reasonOf(error));
        isFailing = true;
        if (isOver) onIdle?.();
        else setTimeout(settle, retryMs).unref();
      },
    );
  };

  /** The gap first: it is also what finds out whether a place that failed works again. */
  const next = (): void => {
    if (gap > 0) {
      const told = gap;
      gap = 0;
      send({ text: describeGap(told), lines: 0, told });
      return;
    }
    let size = 0;
    let lines = 0;
    while (lines < queue.length && size < BATCH) {
      size += queue[lines]?.length ?? 0;
      lines += 1;
    }
    queued -= size;
    send({ text: queue.splice(0, lines).join(""), lines, told: 0 });
  };

  return {
    put(line) {
      if (!isBusy) send({ text: line, lines: 1, told: 0 });
      else if (queued + line.length > mostQueued) lose(1);
      else {
        queue.push(line);
        queued += line.length;
      }
    },
    dropped: () => dropped,
    async stop() {
      isOver = true;
      if (isBusy && !isFailing)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, LAST_WORDS_MS);
          onIdle = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      // A write that is stuck would hold up its end, too.
      if (!isBusy) await close?.();
    },
  };
}

/** The system's code, such as ENOSPC: messages may carry more than is wanted. */
function reasonOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : "unknown error";
}
