// Notices when the content of files, or what is in folders, changes, for reload. Polls: fs.watch goes silent after the first atomic rename, and
// sees nothing of a Kubernetes `..data` swap or of many network and container mounts.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, type Stats, statSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { MOST_FILE_BYTES } from "./tree-limits.ts";

export interface WatchOptions {
  readonly intervalMs?: number;
  readonly signal?: AbortSignal;
  /** Hears what `onChange` throws; watching goes on. */
  readonly onError: (error: unknown) => void;
}

export interface Watch {
  /** No call begins after this. */
  readonly stop: () => void;
  /** Watches these from now on; what was watched before keeps what is known of it. */
  readonly update: (paths: readonly string[]) => void;
}

export type OnChange = (changed: readonly string[]) => void | Promise<void>;

/** What is known of a file. A missing or unreadable one has neither. */
interface Sight {
  readonly stamp?: string;
  readonly hash?: string;
}

const INTERVAL_MS = 250;
/** A change is told once the file has been still for this long: writers truncate first and write then. */
const SETTLE_MS = 40;
/** A file that never is still is told nevertheless. */
const MOST_SETTLE_LOOKS = 10;
/** Within this, a second write may leave size and time as they were; later ones move the time. */
const FRESH_MS = 2000;

/** Calls `onChange` once for each change of content, one call at a time. What is there now is known already. */
export function watchFiles(paths: readonly string[], onChange: OnChange, options: WatchOptions): Watch {
  const { intervalMs = INTERVAL_MS, signal, onError } = options;
  let sights = new Map(paths.map((path) => [path, lookNow(path)]));
  let stopped = signal?.aborted ?? false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const poll = async (): Promise<void> => {
    let changed = await lookAtAll(sights);
    for (let look = 0; changed.size > 0 && look < MOST_SETTLE_LOOKS; look += 1) {
      await Bun.sleep(SETTLE_MS);
      const later = await lookAtAll(sights);
      const still = sameSights(changed, later);
      changed = later;
      if (still) break;
    }
    // `update` may have taken some away meanwhile.
    const told = [...sights.keys()].filter((path) => changed.has(path));
    if (stopped || told.length === 0) return;
    for (const path of told) sights.set(path, changed.get(path) ?? {});
    await onChange(told);
  };
  const next = (): void => {
    if (stopped) return;
    timer = setTimeout(() => {
      void poll().catch(onError).finally(next);
    }, intervalMs);
    timer.unref();
  };
  const stop = (): void => {
    stopped = true;
    clearTimeout(timer);
  };
  signal?.addEventListener("abort", stop, { once: true });
  next();
  return {
    stop,
    update(now) {
      sights = new Map(now.map((path) => [path, sights.get(path) ?? lookNow(path)]));
    },
  };
}

/** The files whose content differs from what is known. A new stamp on old content is noted, not told. */
async function lookAtAll(sights: Map<string, Sight>): Promise<Map<string, Sight>> {
  const changed = new Map<string, Sight>();
  await Promise.all(
    [...sights].map(async ([path, known]) => {
      const sight = await look(path, known);
      if (sight.hash !== known.hash) changed.set(path, sight);
      else if (sights.get(path) === known) sights.set(path, sight);
    }),
  );
  return changed;
}

/** Follows symlinks: a swapped `..data` leads to another inode. */
async function look(path: string, known: Sight): Promise<Sight> {
  try {
    const seen = await stat(path);
    const stamp = stampOf(seen);
    if (stamp === known.stamp && Date.now() - seen.mtimeMs > FRESH_MS) return known;
    if (isStream(seen)) return STREAM;
    if (seen.size > MOST_FILE_BYTES) return { stamp, hash: stamp };
    return { stamp, hash: hashOf(seen.isDirectory() ? listing(await readdir(path)) : await readFile(path)) };
  } catch {
    return {}; // missing, or not readable: that is a sight too
  }
}

function lookNow(path: string): Sight {
  try {
    const seen = statSync(path);
    if (isStream(seen)) return STREAM;
    if (seen.size > MOST_FILE_BYTES) return { stamp: stampOf(seen), hash: stampOf(seen) };
    const content = seen.isDirectory() ? listing(readdirSync(path)) : readFileSync(path);
    return { stamp: stampOf(seen), hash: hashOf(content) };
  } catch {
    return {};
  }
}

/** A pipe or device: looking at it would take what it has from whoever reads it, or wait for more. */
export const isStream = (seen: Pick<Stats, "isFile" | "isDirectory">): boolean =>
  !seen.isFile() && !seen.isDirectory();
const STREAM: Sight = { hash: "stream" };

const stampOf = ({ mtimeMs, ctimeMs, size, ino, dev }: Stats): string =>
  [mtimeMs, ctimeMs, size, ino, dev].join(" ");

/** Of a folder its names count; the files in it are watched by themselves. */
const listing = (names: readonly string[]): string => names.toSorted().join("\0");

const hashOf = (content: Uint8Array | string): string =>
  createHash("sha256").update(content).digest("base64");

const sameSights = (a: ReadonlyMap<string, Sight>, b: ReadonlyMap<string, Sight>): boolean =>
  a.size === b.size && [...a].every(([path, sight]) => b.get(path)?.hash === sight.hash && b.has(path));
