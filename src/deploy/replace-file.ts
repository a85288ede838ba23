// Replaces a file at once: a reader, such as a running weir, sees the old text or the new one, never a half.
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";

/** Undefined when there is none. */
export function readIfThere(path: string): string | undefined {
  return ifThere(() => readFileSync(path, "utf8"));
}

/** Links stay links, and permissions stay; `mode` is for a new file. */
export function replaceFile(path: string, text: string, mode: number): void {
  const target = ifThere(() => realpathSync(path)) ?? path;
  const kept = ifThere(() => statSync(target).mode & 0o7777) ?? mode;
  const draft = draftBeside(target);
  try {
    const file = openSync(draft, AS_NEW, kept);
    try {
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, target);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/** What would keep `replaceFile` from its work, by its code; tried beside the file, which is not touched. */
export function findHindrance(path: string): string | undefined {
  try {
    const draft = draftBeside(ifThere(() => realpathSync(path)) ?? path);
    closeSync(openSync(draft, AS_NEW));
    rmSync(draft);
    return undefined;
  } catch (error) {
    if (error instanceof Error && "code" in error) return String(error.code);
    throw error;
  }
}

/** Never through a link that somebody put there. */
const AS_NEW = "wx";

/** Where the new text is written first; its folder is made. */
function draftBeside(target: string): string {
  mkdirSync(dirname(target), { recursive: true });
  const draft = join(dirname(target), `.${basename(target)}.${process.pid}.new`);
  rmSync(draft, { force: true });
  return draft;
}

function ifThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
