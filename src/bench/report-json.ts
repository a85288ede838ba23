// The report for machines. Fields are only added, unless the number of the schema changes.
import { describeLoad } from "./describe.ts";
import type { Outcome } from "./outcome.ts";

const SCHEMA = "weir.bench/1";
const MOST_ERRORS = 1000;

export function writeJson(outcome: Outcome): string {
  const { plan, course, client, measuredMs } = outcome;
  const { counts, samples } = course.total;
  const done = counts.ok + counts.failed;
  const report = {
    schema: SCHEMA,
    startedAt: outcome.startedAt,
    endedBy: outcome.endedBy,
    plan: {
      url: plan.url,
      api: plan.api,
      stream: plan.isStream,
      models: plan.models,
      /** Never the keys. */
      apiKeys: plan.apiKeys.length,
      promptTokens: plan.promptTokens ?? null,
      promptsFile: plan.promptsFile ?? null,
      maxTokens: plan.maxTokens,
      load: { ...plan.load, text: describeLoad(plan) },
      calls: plan.calls ?? null,
      durationMs: plan.durationMs ?? null,
      warmUpMs: plan.warmUpMs,
      timeoutMs: plan.timeoutMs,
      drainMs: plan.drainMs,
      workers: plan.workers,
    },
    measuredMs,
    requests: {
      started: counts.started,
      done,
      ok: counts.ok,
      failed: counts.failed,
      unfinished: counts.unfinished,
      warmUp: counts.warmUp,
      successShare: done === 0 ? null : counts.ok / done,
      perSecond: outcome.requestsPerSecond,
    },
    latencyMs: samples.latency.read() ?? null,
    failedLatencyMs: samples.failedLatency.read() ?? null,
    firstTokenMs: samples.firstToken.read() ?? null,
    gapMs: samples.gap.read() ?? null,
    chunksPerSecondOfAStream: samples.streamRate.read() ?? null,
    tokensOfAnAnswer: samples.answerTokens.read() ?? null,
    tokens: {
      chunks: counts.chunks,
      reportedInput: counts.inputTokens,
      reportedOutput: counts.outputTokens,
      perSecond: outcome.tokensPerSecond,
    },
    receivedBytes: counts.bytes,
    errors: course.total.topErrors(MOST_ERRORS),
    client: {
      ...client,
      cpuPerRequestUs: client.cpuPerRequestUs ?? null,
      cpuPerChunkUs: client.cpuPerChunkUs ?? null,
      connections: counts.connections,
      resent: counts.resent,
      timersLateMs: samples.lag.read() ?? null,
    },
    seconds: course.seconds.map((second) => ({
      ...second,
      latencyP50Ms: second.latencyP50Ms ?? null,
      latencyP95Ms: second.latencyP95Ms ?? null,
      firstTokenP50Ms: second.firstTokenP50Ms ?? null,
    })),
    problems: outcome.problems,
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}
