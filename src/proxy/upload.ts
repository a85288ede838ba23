// Passes a request's body on as it comes and as fast as the upstream takes it, and knows whom it waits for.

export interface Upload {
  readonly body: ReadableStream<Uint8Array>;
  readonly isOver: () => boolean;
  /** True while the caller has to send; else the upstream has to take. */
  readonly awaitsCaller: () => boolean;
}

export interface UploadEvents {
  /** A part has come, has been asked for, or was the last. */
  readonly noteMove: () => void;
  /** The caller has left, or broke the framing. */
  readonly noteBreak: () => void;
}

export function watchUpload(
  source: ReadableStream<Uint8Array>,
  { noteMove, noteBreak }: UploadEvents,
): Upload {
  const reader = source.getReader();
  let isOver = false;
  let awaitsCaller = false;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        awaitsCaller = true;
        noteMove();
        const next = await reader.read().catch((error: unknown) => {
          noteBreak();
          throw error;
        });
        awaitsCaller = false;
        isOver = next.done;
        noteMove();
        if (next.done) controller.close();
        else controller.enqueue(next.value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    // Nothing is read ahead: the caller is held back as the upstream holds weir back.
    { highWaterMark: 0 },
  );
  return { body, isOver: () => isOver, awaitsCaller: () => awaitsCaller };
}
