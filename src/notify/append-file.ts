// Appends to a file that others may move, delete or truncate while we write: it is looked for again and made again.
import { type FileHandle, mkdir, open, stat } from "node:fs/promises";
import { dirname } from "node:path";

export interface AppendFile {
  readonly append: (text: string) => Promise<void>;
  /** As far as known; exact after each look. */
  readonly bytes: () => number;
  readonly close: () => Promise<void>;
}

/** For a group that collects logs; lines carry model names and paths of requests. */
const FILE_MODE = 0o640;
const FOLDER_MODE = 0o750;
/** At least this long between two looks at whether the file is still there. */
const LOOK_MS = 1000;

export function createAppendFile(path: string, now: () => number): AppendFile {
  let handle: FileHandle | undefined;
  let size = 0;
  let lookedMs = 0;
  /** The disk was full in the middle of a line: the next one begins anew. */
  let isTorn = false;

  const close = async (): Promise<void> => {
    const old = handle;
    handle = undefined;
    await old?.close();
  };

  const reopen = async (): Promise<FileHandle> => {
    await mkdir(dirname(path), { recursive: true, mode: FOLDER_MODE });
    handle = await open(path, "a", FILE_MODE);
    size = (await handle.stat()).size;
    return handle;
  };

  /** The file under our name may be another one by now: rotated by others, deleted, its folder too. */
  const look = async (current: FileHandle): Promise<FileHandle> => {
    const [own, named] = await Promise.all([current.stat(), stat(path).catch(() => undefined)]);
    if (named?.ino === own.ino && named.dev === own.dev) {
      size = own.size;
      return current;
    }
    await close();
    return reopen();
  };

  return {
    async append(text) {
      let target = handle ?? (await reopen());
      // Also when the clock has been set back.
      if (Math.abs(now() - lookedMs) >= LOOK_MS) {
        target = await look(target);
        lookedMs = now();
      }
      const bytes = Buffer.from(isTorn ? `\n${text}` : text);
      let done = 0;
      while (done < bytes.length) {
        const { bytesWritten } = await target.write(bytes, done);
        done += bytesWritten;
        size += bytesWritten;
        isTorn = done < bytes.length;
      }
    },
    bytes: () => size,
    close,
  };
}
