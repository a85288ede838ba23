// Events and views for tests of what counts and shows: plain values with the fields that matter given.
import type { AttemptFinished, AttemptNames, RequestFinished } from "../../src/core/event.ts";
import type { PoolSnapshot } from "../../src/core/pool.ts";
import type { StatusView } from "../../src/core/status.ts";
import { createTally, type Tally } from "../../src/core/tally.ts";
import { type Surroundings, viewStatus } from "../../src/core/view-status.ts";

export const tallyOf = (): Tally => createTally(0);

export function namesOf(backend: string, fields: Partial<AttemptNames> = {}): AttemptNames {
  return {
    requestId: "r-1",
    provider: "p",
    backend,
    key: "***",
    keyId: `key-${backend}`,
    route: "p",
    label: "other",
    attempt: 1,
    ...fields,
  };
}

export function startAttempt(tally: Tally, names: AttemptNames, nowMs: number): void {
  tally.take({ kind: "attempt_started", ...names }, nowMs);
}

export function finishAttempt(
  tally: Tally,
  names: AttemptNames,
  fields: Partial<AttemptFinished>,
  nowMs: number,
): void {
  if (fields.firstByteMs !== undefined)
    tally.take({ kind: "attempt_answered", ...names, firstByteMs: fields.firstByteMs }, nowMs);
  const event = { kind: "attempt_finished", outcome: "success", detail: "200 ok", durationMs: 10 } as const;
  tally.take({ ...event, ...names, ...fields }, nowMs);
}

export function requestEnd(fields: Partial<RequestFinished>): RequestFinished {
  return {
    kind: "request_finished",
    requestId: "r-1",
    family: "openai",
    method: "POST",
    path: "/v1/chat/completions",
    status: 200,
    attempts: 1,
    fallbacks: 0,
    ending: "complete",
    durationMs: 20,
    queuedMs: 0,
    overheadMs: 0.2,
    ...fields,
  };
}

const AROUND: Surroundings = {
  version: "0.0.0",
  startedMs: 0,
  readiness: { ready: true },
  draining: false,
  droppedLogLines: 0,
  process: {
    rssBytes: 1,
    eventLoopLagMs: 0,
    openConnections: null,
    openDescriptors: null,
    descriptorLimit: null,
    heldBodyBytes: 0,
  },
  inFlight: 0,
  queued: 0,
};

/** The wall stands at 1,000,000 s when the monotonic clock is 0. */
export function viewOf(snapshot: PoolSnapshot, tally: Tally, nowMs: number): StatusView {
  return viewStatus(snapshot, tally, { moment: { nowMs, wallMs: 1e9 + nowMs }, around: AROUND });
}
