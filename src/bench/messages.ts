// What the parent and its workers say to each other.
import type { EncodedFigures } from "./figures.ts";
import type { FilePrompt } from "./questions.ts";
import type { WorkerPlan } from "./plan.ts";

export type ToWorker =
  | {
      readonly kind: "plan";
      readonly plan: WorkerPlan;
      readonly prompts: readonly FilePrompt[] | undefined;
    }
  /** All workers are there: begin. */
  | { readonly kind: "go" }
  /** Send nothing more, cut what runs, report. */
  | { readonly kind: "stop" };

export type FromWorker =
  | { readonly kind: "ready" }
  | { readonly kind: "figures"; readonly figures: EncodedFigures; readonly state: WorkerState }
  | { readonly kind: "done"; readonly figures: EncodedFigures; readonly state: WorkerState };

export interface WorkerState {
  readonly inFlight: number;
  /** CPU since the measuring began, of all its threads. */
  readonly cpuMs: number;
  /** How long it has measured. */
  readonly measuredMs: number;
  readonly phase: "warm-up" | "sending" | "draining" | "done";
}
