// Sends calls and takes their measure: one place for both loops, which only decide when.
import { APIS } from "./apis.ts";
import type { Figures } from "./figures.ts";
import { createJudge, type Judge } from "./judge-answer.ts";
import type { WorkerPlan } from "./plan.ts";
import type { Transport } from "./transport.ts";

export interface Calls {
  readonly inFlight: number;
  /** `intendedMs`: when it should have been sent; everything is measured from there. */
  readonly start: (intendedMs: number, onEnd: (end: CallEnd) => void) => void;
  /** One that should have been sent and was not. */
  readonly refuse: (intendedMs: number, reason: string) => void;
  /** Fails what has run too long. To be called often. */
  readonly expire: () => void;
  /** Ends what still runs, as unfinished. */
  readonly cut: () => void;
}

interface Call {
  readonly isMeasured: boolean;
  readonly startedMs: number;
  readonly abandon: () => void;
  readonly finish: (end: CallEnd) => void;
}

/** Failed: there was no whole answer; what is wrong in an answer is judged later. */
export type CallEnd =
  | { readonly kind: "answered" }
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "unfinished" };

export interface CallTools {
  readonly figures: Figures;
  readonly transport: Transport;
  readonly nextBody: () => string;
  readonly now: () => number;
}

/** `measuredFromMs`: calls that should have been sent before that are left out. */
export function createCalls(
  plan: WorkerPlan,
  { figures, transport, nextBody, now }: CallTools,
  measuredFromMs: () => number,
): Calls {
  const api = APIS[plan.api];
  /** In the order they were sent, which is the order in which their time runs out. */
  const running = new Set<Call>();
  let count = plan.worker;

  const start = (intendedMs: number, onEnd: (end: CallEnd) => void): void => {
    const { counts, samples } = figures;
    const isMeasured = intendedMs >= measuredFromMs();
    if (isMeasured) counts.started += 1;
    else counts.warmUp += 1;
    const judge: Judge = createJudge(api, plan.isStream);
    let firstMs = 0;
    let lastMs = 0;
    let chunks = 0;
    const finish = (end: CallEnd): void => {
      if (!running.delete(call)) return;
      if (isMeasured) record(end);
      onEnd(end);
    };
    const record = (end: CallEnd): void => {
      if (end.kind === "unfinished") {
        counts.unfinished += 1;
        return;
      }
      const tookMs = now() - intendedMs;
      const verdict = end.kind === "failed" ? { error: end.reason } : judge.end();
      if (verdict.error !== undefined) {
        counts.failed += 1;
        figures.addError(verdict.error);
        samples.failedLatency.add(tookMs);
        return;
      }
      counts.ok += 1;
      samples.latency.add(tookMs);
      if ("inputTokens" in verdict) {
        counts.inputTokens += verdict.inputTokens;
        counts.outputTokens += verdict.outputTokens;
        if (verdict.outputTokens + chunks > 0) samples.answerTokens.add(verdict.outputTokens || chunks);
      }
      if (chunks > 1 && lastMs > firstMs) samples.streamRate.add(((chunks - 1) * 1000) / (lastMs - firstMs));
    };
    const takeBody = (bytes: Uint8Array, from: number, to: number): void => {
      const pieces = judge.takeBody(bytes, from, to);
      if (!isMeasured) return;
      counts.bytes += to - from;
      if (pieces === 0) return;
      const nowMs = now();
      counts.chunks += pieces;
      if (chunks === 0) {
        firstMs = nowMs;
        samples.firstToken.add(nowMs - intendedMs);
      } else samples.gap.add(nowMs - lastMs);
      // What came in one read has no gap between it.
      for (let piece = 1; piece < pieces; piece += 1) samples.gap.add(0);
      lastMs = nowMs;
      chunks += pieces;
    };
    let abandon: (() => void) | undefined;
    const call: Call = { isMeasured, startedMs: now(), abandon: () => abandon?.(), finish };
    running.add(call);
    const ask = { headers: count % Math.max(1, plan.apiKeys.length), body: nextBody() };
    count += 1;
    abandon = transport.send(ask, {
      onHead: judge.takeHead,
      onBody: takeBody,
      onEnd: () => finish({ kind: "answered" }),
      onFailure: (reason) => finish({ kind: "failed", reason }),
    });
  };

  return {
    get inFlight() {
      return running.size;
    },
    start,
    refuse(intendedMs, reason) {
      if (intendedMs < measuredFromMs()) return;
      figures.counts.started += 1;
      figures.counts.failed += 1;
      figures.addError(reason);
    },
    expire() {
      const tooOldMs = now() - plan.timeoutMs;
      for (const call of running) {
        if (call.startedMs > tooOldMs) return;
        call.abandon();
        call.finish({ kind: "failed", reason: "timeout" });
      }
    },
    cut() {
      for (const call of running) {
        call.abandon();
        call.finish({ kind: "unfinished" });
      }
    },
  };
}
