// Reads the text files that options and variables name; what cannot be read is a problem, what can is watched.
import { MOST_FILE_BYTES } from "./tree-limits.ts";
import { type Notes, quoted } from "./problem.ts";

/** Throws when the file cannot be read. Paths are as users wrote them: the caller knows what they are relative to. */
export type ReadFile = (path: string) => string;

export interface FileMention {
  readonly path: string;
  readonly where: string;
}

/** The text without byte order mark; undefined after telling the problem. Watched in any case: it may come back. */
export function readTextFile(readFile: ReadFile, mention: FileMention, notes: Notes): string | undefined {
  const { path, where } = mention;
  if (!notes.watched.includes(path)) notes.watched.push(path);
  try {
    return readFile(path).replace(/^\ufeff/, "");
  } catch (error) {
    const found = `${quoted(path)} (${reasonOf(error)})`;
    notes.problems.push({ kind: "configuration", where, expected: "a readable file", found });
    return undefined;
  }
}

/** The system's code says why; messages repeat the path. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: "no such file",
    EACCES: "permission denied",
    EISDIR: "a directory",
    EFBIG: `larger than ${MOST_FILE_BYTES / 1024 ** 2} MiB`,
  };
  return reasons[code] ?? (code === "" ? "cannot be read" : code);
}
