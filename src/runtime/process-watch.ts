// What the process says of itself: memory, lateness of its timers, descriptors. For displays and metrics.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { ProcessStatus } from "../core/status.ts";
import { every } from "./every.ts";

export interface ProcessWatch {
  readonly read: () => Omit<ProcessStatus, "heldBodyBytes">;
  readonly stop: () => void;
}

const BEAT_MS = 250;
/** The lag shown is the worst of this many beats. */
const BEATS = 20;
/** Looking at descriptors costs a system call each; more often would be felt. */
const LOOK_MS = 5000;
const MOST_LOOKED_AT = 4000;

/** `now`: monotonic milliseconds of the real clock. */
export function watchProcess(now: () => number): ProcessWatch {
  const lags: number[] = [];
  let beatMs = now();
  const stop = every(BEAT_MS, () => {
    const lateMs = now() - beatMs - BEAT_MS;
    beatMs = now();
    lags.push(Math.max(0, lateMs));
    if (lags.length > BEATS) lags.shift();
  });
  const limit = readDescriptorLimit();
  let lookedMs = Number.NEGATIVE_INFINITY;
  let open = { descriptors: null as number | null, sockets: null as number | null };
  return {
    stop,
    read() {
      if (now() - lookedMs >= LOOK_MS) {
        open = countDescriptors();
        lookedMs = now();
      }
      return {
        rssBytes: process.memoryUsage.rss(),
        eventLoopLagMs: Math.round(Math.max(0, ...lags) * 100) / 100,
        openConnections: open.sockets,
        openDescriptors: open.descriptors,
        descriptorLimit: limit,
      };
    },
  };
}

/** Linux tells; elsewhere nobody knows. */
function countDescriptors(): { descriptors: number | null; sockets: number | null } {
  let names: readonly string[];
  try {
    names = readdirSync("/proc/self/fd");
  } catch {
    return { descriptors: null, sockets: null }; // no such folder: not Linux
  }
  if (names.length > MOST_LOOKED_AT) return { descriptors: names.length, sockets: null };
  return { descriptors: names.length, sockets: names.filter(isSocket).length };
}

function isSocket(name: string): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${name}`).startsWith("socket:");
  } catch {
    return false; // closed since it was listed
  }
}

function readDescriptorLimit(): number | null {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
    return soft === undefined ? null : Number(soft);
  } catch {
    return null; // not Linux
  }
}
