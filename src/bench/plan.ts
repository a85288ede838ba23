// What a load test does, when everything is decided: read from the command line, split among worker processes.
import type { Amount } from "./amount.ts";
import type { ApiName } from "./apis.ts";

export type Load =
  | { readonly kind: "closed"; readonly concurrency: number; readonly rampUpMs: number }
  | {
      readonly kind: "open";
      readonly perSecond: number;
      readonly arrivals: Arrivals;
      /** A call that comes due while so many run is not sent, and told as an error. */
      readonly mostInFlight: number;
    };

export type Arrivals = "poisson" | "even";

export interface WeightedModel {
  readonly model: string;
  readonly weight: number;
}

export interface BenchPlan {
  /** Where the calls go; nowhere else does anything go. */
  readonly url: string;
  /** What stands between, for https only. Never shown: it may have a login. */
  readonly proxy?: string | undefined;
  readonly api: ApiName;
  readonly isStream: boolean;
  readonly models: readonly WeightedModel[];
  /** Taken in turn. Never shown. */
  readonly apiKeys: readonly string[];
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Undefined: a short fixed question. */
  readonly promptTokens: Amount | undefined;
  readonly promptsFile: string | undefined;
  readonly maxTokens: Amount;
  readonly load: Load;
  /** Measured calls; undefined: no bound. */
  readonly calls: number | undefined;
  /** How long calls are sent, after the warm-up; undefined: no bound. */
  readonly durationMs: number | undefined;
  /** Calls sent before this are left out of the figures. */
  readonly warmUpMs: number;
  readonly timeoutMs: number;
  /** How long calls in flight may go on once nothing more is sent. */
  readonly drainMs: number;
  readonly workers: number;
}

/** One worker's part, and which one it is. */
export interface WorkerPlan extends BenchPlan {
  readonly worker: number;
}

/** Counts are split evenly, the first workers take what is over; a worker without anything to do is not started. */
export function splitPlan(plan: BenchPlan): WorkerPlan[] {
  const width = plan.load.kind === "closed" ? plan.load.concurrency : plan.load.mostInFlight;
  const workers = Math.max(1, Math.min(plan.workers, width, plan.calls ?? Infinity));
  const share = (total: number, worker: number): number =>
    Math.floor(total / workers) + (worker < total % workers ? 1 : 0);
  return Array.from({ length: workers }, (_, worker) => ({
    ...plan,
    workers,
    worker,
    calls: plan.calls === undefined ? undefined : share(plan.calls, worker),
    load:
      plan.load.kind === "closed"
        ? { ...plan.load, concurrency: share(plan.load.concurrency, worker) }
        : {
            ...plan.load,
            perSecond: plan.load.perSecond / workers,
            mostInFlight: share(plan.load.mostInFlight, worker),
          },
  }));
}
