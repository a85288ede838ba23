// A plan in words, for the view, the report and the JSON.
import { writeAmount } from "./amount.ts";
import { formatCount } from "./format.ts";
import type { BenchPlan } from "./plan.ts";

export function describeLoad({ load, workers }: BenchPlan): string {
  const by = `${workers} ${workers === 1 ? "process" : "processes"}`;
  if (load.kind === "closed") return `closed loop, ${formatCount(load.concurrency)} at a time, ${by}`;
  return `open loop, ${load.perSecond} a second (${load.arrivals}), at most ${formatCount(load.mostInFlight)} in flight, ${by}`;
}

export function describeCalls(plan: BenchPlan): string {
  const models = plan.models.map(({ model, weight }) => (weight === 1 ? model : `${model}*${weight}`));
  const prompt =
    plan.promptsFile !== undefined
      ? "prompts from a file"
      : plan.promptTokens === undefined
        ? "short prompts"
        : `prompts of ${writeAmount(plan.promptTokens)} tokens`;
  const form = plan.isStream ? "streamed" : "whole";
  const bound = plan.api === "embeddings" ? "" : `, at most ${writeAmount(plan.maxTokens)} tokens`;
  return inert(
    `${plan.api}, ${form}${models.length === 0 ? "" : `, ${models.join(" ")}`}, ${prompt}${bound}`,
  );
}

/** A model's name can hold anything. */
const inert = (text: string): string => text.replaceAll(/[^ -~]/gu, "?");
