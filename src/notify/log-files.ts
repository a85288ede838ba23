// Log files of one folder: begun anew by size and age, deleted by count and age. Only files that weir named are touched.
import { lstat, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type AppendFile, createAppendFile } from "./append-file.ts";
import type { WriteText } from "./sink.ts";

export interface LogFileTerms {
  readonly dir: string;
  readonly maxBytes: number;
  /** The one being written included. */
  readonly maxFiles: number;
  /** 0: whatever their age. */
  readonly maxAgeMs: number;
  readonly wall: () => number;
}

export interface LogFiles {
  readonly write: WriteText;
  readonly close: () => Promise<void>;
}

/** `weir-20261121T125333123Z.log`: when it was begun, so that names sort by age. */
const OWN = /^weir-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z\.log$/;
/** Files grow old without growing, too. */
const PRUNE_MS = 3_600_000;

interface Current {
  readonly file: AppendFile;
  readonly begunMs: number;
}

/** A start goes on with the newest file while that has room: a restart each minute would else push out all that matters. */
export function createLogFiles({ dir, maxBytes, maxFiles, maxAgeMs, wall }: LogFileTerms): LogFiles {
  let current: Current | undefined;
  let lastBegunMs = 0;
  let prunedMs = Number.NEGATIVE_INFINITY;

  const isTooOld = (ms: number): boolean => maxAgeMs > 0 && wall() - ms > maxAgeMs;

  const take = (name: string, begunMs: number): Current => ({
    file: createAppendFile(join(dir, name), wall),
    begunMs,
  });

  const findRoom = async (): Promise<Current | undefined> => {
    const newest = (await ownFiles(dir)).at(-1);
    if (newest === undefined) return undefined;
    const { size } = await lstat(join(dir, newest.name));
    return size < maxBytes && !isTooOld(newest.begunMs) ? take(newest.name, newest.begunMs) : undefined;
  };

  const begin = (): Current => {
    // Two within a millisecond would be one file.
    lastBegunMs = Math.max(wall(), lastBegunMs + 1);
    return take(`weir-${new Date(lastBegunMs).toISOString().replaceAll(/[-:.]/g, "")}.log`, lastBegunMs);
  };

  const prune = async (): Promise<void> => {
    prunedMs = wall();
    const older = (await ownFiles(dir)).filter(({ begunMs }) => begunMs !== current?.begunMs);
    const spare = older.length - (maxFiles - 1);
    for (const [at, { name }] of older.entries()) {
      const path = join(dir, name);
      const { mtimeMs } = await lstat(path);
      if (at < spare || isTooOld(mtimeMs)) await rm(path, { force: true });
    }
  };

  return {
    async write(text) {
      if (current === undefined) current = (await findRoom()) ?? begin();
      else if (current.file.bytes() + Buffer.byteLength(text) > maxBytes || isTooOld(current.begunMs)) {
        await current.file.close();
        current = begin();
        prunedMs = Number.NEGATIVE_INFINITY;
      }
      await current.file.append(text);
      if (Math.abs(wall() - prunedMs) > PRUNE_MS) await prune();
    },
    async close() {
      await current?.file.close();
    },
  };
}

/** Oldest first; none when there is no folder yet. */
async function ownFiles(dir: string): Promise<readonly { name: string; begunMs: number }[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  });
  return entries
    .filter((entry) => entry.isFile() && OWN.test(entry.name))
    .map(({ name }) => ({ name, begunMs: Date.parse(name.replace(OWN, "$1-$2-$3T$4:$5:$6.$7Z")) }))
    .sort((a, b) => a.begunMs - b.begunMs);
}
