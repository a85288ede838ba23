// A plan to start from.
import type { WorkerPlan } from "../../src/bench/plan.ts";

export const samplePlan: WorkerPlan = {
  url: "http://127.0.0.1:9/v1/chat/completions",
  api: "chat",
  isStream: false,
  models: [{ model: "m", weight: 1 }],
  apiKeys: [],
  headers: [],
  promptTokens: undefined,
  promptsFile: undefined,
  maxTokens: { kind: "fixed", value: 16 },
  load: { kind: "closed", concurrency: 1, rampUpMs: 0 },
  calls: 1,
  durationMs: undefined,
  warmUpMs: 0,
  timeoutMs: 10_000,
  drainMs: 1000,
  workers: 1,
  worker: 0,
};
