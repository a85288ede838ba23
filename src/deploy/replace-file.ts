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
  mkdirSync(dirname(target), { recursive: true });
  const draft = join(dirname(target), `.${basename(target)}.${process.pid}.new`);
  rmSync(draft, { force: true });
  try {
    // `wx`: never through a link that somebody put there.
    const file = openSync(draft, "wx", kept);
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

function ifThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
