// Lets one process at a time read, change and replace a file. The lock is a link beside it that names its owner: made in one
// step, on network file systems too, it is never half written, and what a killed owner left is known by its process.
import { readFileSync, readlinkSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";

/** A change takes milliseconds; who holds a file for longer will not let it go. */
const PATIENCE_MS = 10_000;
const LOOK_MS = 20;

/** Blocks while another process has the file. Where no link can be made, `work` finds out itself what else cannot be. */
export function holdFile<T>(path: string, work: () => T, patienceMs = PATIENCE_MS): T {
  const target = resolved(path);
  const lock = join(dirname(target), `.${basename(target)}.lock`);
  for (let waitedMs = 0; ; waitedMs += LOOK_MS) {
    const taken = take(lock);
    if (taken === "taken") break;
    if (taken === "impossible") return work();
    const owner = ownerOf(lock);
    if (owner === undefined || removeDead(lock, owner)) continue;
    if (waitedMs >= patienceMs) throw new FileBusy(lock, owner);
    Bun.sleepSync(LOOK_MS);
  }
  try {
    return work();
  } finally {
    rmSync(lock, { force: true });
  }
}

class FileBusy extends Error {
  readonly code = "EBUSY";

  constructor(lock: string, owner: string) {
    const [pid, host] = owner.split(" ");
    super(`process ${pid} on ${host} holds it; remove ${lock} if that is gone`);
  }
}

function take(lock: string): "taken" | "held" | "impossible" {
  try {
    symlinkSync(`${process.pid} ${PLACE}`, lock);
    return "taken";
  } catch (error) {
    return codeOf(error) === "EEXIST" ? "held" : "impossible";
  }
}

/** Only one may remove what is dead, or a second one would remove the lock of whoever came next. */
function removeDead(lock: string, owner: string): boolean {
  if (!isDead(owner)) return false;
  const right = `${lock}.dead`;
  if (take(right) !== "taken") return false;
  try {
    if (ownerOf(lock) === owner) rmSync(lock, { force: true });
    return true;
  } finally {
    rmSync(right, { force: true });
  }
}

/** Undefined: let go meanwhile. */
function ownerOf(lock: string): string | undefined {
  try {
    return readlinkSync(lock);
  } catch (error) {
    return codeOf(error) === "ENOENT" ? undefined : "? ?";
  }
}

/** Of a process of another machine, or of another container, nothing is known here. */
function isDead(owner: string): boolean {
  const [pid, ...place] = owner.split(" ");
  if (place.join(" ") !== PLACE) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return codeOf(error) === "ESRCH";
  }
}

/** Where a process's number means the same process. */
const PLACE = [
  hostname(),
  quietly(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()),
  quietly(() => readlinkSync("/proc/self/ns/pid")),
].join(" ");

function quietly(read: () => string): string {
  try {
    return read();
  } catch {
    return "-"; // not Linux
  }
}

function resolved(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // not there yet
  }
}

const codeOf = (error: unknown): unknown =>
  error instanceof Error && "code" in error ? error.code : undefined;
