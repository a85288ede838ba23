// Writes text to standard error or output in a way that stalls nothing but itself.
import { write } from "node:fs";
import type { WriteText } from "./sink.ts";

/** A pipe that somebody else has made non-blocking says so when it is full. */
const FULL_MS = 20;

/**
 * Not `process.stderr.write`: on a terminal that is stopped by Ctrl-S it holds up the whole process, on a full pipe it
 * buffers without bound, and with its reader gone it ends the process when nobody listens for `error` (all three
 * measured with Bun 1.4.4). This one uses a thread of Bun's pool; one write at a time, so that one thread may get stuck.
 */
export function createFdWriter(fd: number): WriteText {
  /** Failed in the middle of a line: the next one begins anew. */
  let isTorn = false;
  return (text) =>
    new Promise((resolve, reject) => {
      let bytes = Buffer.from(isTorn ? `\n${text}` : text);
      const step = (): void => {
        write(fd, bytes, (error, written) => {
          if (error?.code === "EAGAIN") setTimeout(step, FULL_MS);
          else if (error !== null) reject(error);
          else if (written >= bytes.length) {
            isTorn = false;
            resolve();
          } else {
            isTorn = true;
            bytes = bytes.subarray(written);
            step();
          }
        });
      };
      step();
    });
}
