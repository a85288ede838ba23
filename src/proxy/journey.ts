// The bookkeeping of one request from arrival to its last byte: who can end it, what it came to, told once.
import type { RequestFinished } from "../core/event.ts";
import type { OutcomeKind } from "../core/outcome.ts";
import type { TokenUsage } from "../core/usage.ts";
import type { Call, Parts } from "./call.ts";
import { CLIENT_LEFT, WEIR_STOPS } from "./call-ended.ts";
import type { Course } from "./reply.ts";

export interface Journey {
  /** The controller for the next attempt, ended by the client's leaving or by weir's stop. */
  readonly nextAbort: () => AbortController;
  readonly isOver: () => boolean;
  /** Over because weir stops: the client is still there. */
  readonly isStopped: () => boolean;
  readonly noteModel: (model: string | undefined) => void;
  readonly noteRoute: (route: string) => void;
  readonly noteFallback: () => void;
  readonly noteAttempt: (backend: string) => void;
  readonly noteAttemptEnd: (outcome: OutcomeKind, durationMs: number) => void;
  /** Time that is not weir's own: waiting for a slot or between attempts, or for the client's body. */
  readonly noteWait: (on: "queue" | "client", waitedMs: number) => void;
  readonly noteFirstByte: () => void;
  /** So far. `sinceMs`: when the attempt began that still runs; absent: none does. */
  readonly course: (sinceMs?: number) => Course;
  readonly attempts: number;
  readonly lastOutcome: OutcomeKind | undefined;
  readonly backend: string | undefined;
  /** The body has ended or nothing will be sent; later calls do nothing. */
  readonly finish: (end: JourneyEnd) => void;
}

export interface JourneyEnd {
  readonly status: number;
  readonly code?: string;
  readonly ending: RequestFinished["ending"];
  readonly usage?: TokenUsage | undefined;
}

export function beginJourney(call: Call, { live, clock, emit }: Parts): Journey {
  const { request } = call;
  const entry = { abort: new AbortController() };
  const leave = () => entry.abort.abort(CLIENT_LEFT);
  let attempts = 0;
  let model: string | undefined;
  let route: string | undefined;
  let backend: string | undefined;
  let fallbacks = 0;
  let lastOutcome: OutcomeKind | undefined;
  const waited = { queue: 0, client: 0 };
  let attemptsMs = 0;
  let firstByteMs: number | undefined;
  let open = true;
  const course = (sinceMs?: number): Course => {
    const nowMs = clock.now();
    const durationMs = nowMs - call.startedMs;
    const others = waited.queue + waited.client + attemptsMs + (sinceMs === undefined ? 0 : nowMs - sinceMs);
    return { model, fallbacks, durationMs, overheadMs: Math.max(0, durationMs - others) };
  };
  live.add(entry);
  // Without options: `once` doubles the cost of a listener in Bun, and a signal fires once anyway.
  request.signal.addEventListener("abort", leave);
  if (request.signal.aborted) leave();

  return {
    get attempts() {
      return attempts;
    },
    get lastOutcome() {
      return lastOutcome;
    },
    get backend() {
      return backend;
    },
    nextAbort() {
      // An attempt that timed out leaves an aborted controller behind; a client that left stays gone.
      const { signal } = entry.abort;
      if (signal.aborted && !isEnd(signal)) entry.abort = new AbortController();
      return entry.abort;
    },
    isOver: () => isEnd(entry.abort.signal),
    isStopped: () => entry.abort.signal.reason === WEIR_STOPS,
    noteModel(name) {
      model = name;
    },
    noteRoute(name) {
      route = name;
    },
    noteFallback() {
      fallbacks += 1;
    },
    noteAttemptEnd(outcome, durationMs) {
      lastOutcome = outcome;
      attemptsMs += durationMs;
    },
    noteWait(on, waitedMs) {
      waited[on] += waitedMs;
    },
    noteAttempt(id) {
      attempts += 1;
      backend = id;
    },
    noteFirstByte() {
      firstByteMs ??= clock.now() - call.startedMs;
    },
    course,
    finish({ status, code, ending, usage }) {
      if (!open) return;
      open = false;
      live.remove(entry);
      request.signal.removeEventListener("abort", leave);
      call.release();
      const { durationMs, overheadMs } = course();
      emit({
        kind: "request_finished",
        requestId: call.requestId,
        family: call.operation.family,
        method: request.method,
        path: call.path,
        model,
        route,
        backend,
        status,
        code,
        attempts,
        last: lastOutcome,
        fallbacks,
        ending,
        firstByteMs,
        durationMs,
        queuedMs: waited.queue,
        overheadMs,
        usage,
      });
    },
  };
}

/** True when the signal was ended for the whole request, not for one attempt. */
function isEnd(signal: AbortSignal): boolean {
  return signal.aborted && (signal.reason === CLIENT_LEFT || signal.reason === WEIR_STOPS);
}
