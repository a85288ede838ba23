// How long this request may take in each phase: the configured time-outs, never longer than its caller will wait.
import type { Backend, RouteTimeouts } from "../core/backend.ts";
import type { Call } from "./call.ts";
import type { Timeouts } from "./settings.ts";

export interface Patience {
  /** For an attempt that begins now. */
  readonly firstByte: (nowMs: number) => FirstByteTime;
  /** False when the caller will have given up by then. */
  readonly allows: (untilMs: number) => boolean;
}

export interface FirstByteTime {
  readonly limitMs: number;
  /** True when the caller grants too little for its end to say anything about the backend. */
  readonly isHurried: boolean;
}

/** Whole answers take this long every day. Else one caller in a hurry would have backends rest for all the others. */
const TELLING_MS = 30_000;
/** An attempt with less time than this comes to nothing, but may be billed; timers may also fire a little early. */
const LEAST_USEFUL_MS = 10;

/** The backend's own time-outs stand before the route's, and those before the general ones. */
export function timeoutsFor(
  general: Timeouts,
  route: { readonly timeouts?: RouteTimeouts },
  backend: Backend,
): Timeouts {
  if (route.timeouts === undefined && backend.timeouts === undefined) return general;
  return { ...general, ...route.timeouts, ...backend.timeouts };
}

/** The SDKs of OpenAI and Anthropic tell their own time-out in seconds in `x-stainless-timeout`. */
export function deadlineOf({ request, startedMs }: Call): number {
  const told = Number(request.headers.get("x-stainless-timeout") ?? Number.NaN);
  return told > 0 ? startedMs + told * 1000 : Number.POSITIVE_INFINITY;
}

export function readPatience(call: Call, timeouts: Timeouts, stream: boolean): Patience {
  const deadlineMs = deadlineOf(call);
  const phaseMs = stream ? timeouts.streamFirstByteMs : timeouts.firstByteMs;
  return {
    firstByte(nowMs) {
      const leftMs = deadlineMs - nowMs;
      const limitMs = Math.max(1, Math.min(phaseMs, leftMs));
      return { limitMs, isHurried: leftMs < phaseMs && leftMs < TELLING_MS };
    },
    allows: (untilMs) => untilMs + LEAST_USEFUL_MS < deadlineMs,
  };
}

/** Waits, or returns early when the request is over. */
export function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", finish);
      resolve();
    };
    const timer = setTimeout(finish, delayMs);
    signal.addEventListener("abort", finish, { once: true });
    if (signal.aborted) finish();
  });
}
