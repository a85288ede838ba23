// What a finished load test comes to: everything that the reports say, reckoned once.
import { type Course, tokensOf } from "./course.ts";
import type { WorkerState } from "./messages.ts";
import type { BenchPlan } from "./plan.ts";

export interface Outcome {
  readonly plan: BenchPlan;
  readonly course: Course;
  readonly startedAt: string;
  readonly endedBy: "plan" | "signal";
  /** From the end of the warm-up to the end of the last call. */
  readonly measuredMs: number;
  readonly requestsPerSecond: number;
  readonly tokensPerSecond: number;
  readonly client: ClientCost;
  /** What went wrong in the client itself. */
  readonly problems: readonly string[];
}

export interface ClientCost {
  readonly cpuMs: number;
  readonly cpuPerRequestUs: number | undefined;
  readonly cpuPerChunkUs: number | undefined;
  /** Of one core, by the busiest worker. */
  readonly busiestShare: number;
  readonly lagP99Ms: number;
  /** Figures are then those of the client, at least in part. */
  readonly isLimit: boolean;
}

/** From here on calls wait for the client's processor. */
const BUSY_SHARE = 0.9;
const LATE_MS = 20;

export interface OutcomeFacts {
  readonly plan: BenchPlan;
  readonly course: Course;
  readonly states: readonly WorkerState[];
  readonly startedAt: string;
  readonly endedBy: "plan" | "signal";
  readonly problems: readonly string[];
}

export function reckonOutcome({ states, course, ...facts }: OutcomeFacts): Outcome {
  const { counts, samples } = course.total;
  const measuredMs = Math.max(0, ...states.map((state) => state.measuredMs));
  const perSecond = (count: number): number => (measuredMs > 0 ? (count * 1000) / measuredMs : 0);
  const cpuMs = states.reduce((sum, state) => sum + state.cpuMs, 0);
  const done = counts.ok + counts.failed;
  const perUs = (count: number): number | undefined => (count === 0 ? undefined : (cpuMs * 1000) / count);
  const busiestShare = Math.max(
    0,
    ...states.map((state) => (state.measuredMs > 0 ? state.cpuMs / state.measuredMs : 0)),
  );
  const lagP99Ms = samples.lag.read()?.p99 ?? 0;
  return {
    ...facts,
    course,
    measuredMs,
    requestsPerSecond: perSecond(done),
    tokensPerSecond: perSecond(tokensOf(course.total)),
    client: {
      cpuMs,
      cpuPerRequestUs: perUs(done),
      cpuPerChunkUs: perUs(counts.chunks),
      busiestShare,
      lagP99Ms,
      isLimit: busiestShare > BUSY_SHARE || lagP99Ms > LATE_MS,
    },
  };
}
