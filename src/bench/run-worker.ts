// One process of a load test: sends its share of the calls and tells its figures once a second.
import { Figures } from "./figures.ts";
import { headersOf } from "./headers.ts";
import type { FromWorker, ToWorker, WorkerState } from "./messages.ts";
import { createClosedPace, createOpenPace, type PaceTerms } from "./pace.ts";
import type { WorkerPlan } from "./plan.ts";
import { createQuestions, type FilePrompt } from "./questions.ts";
import { createCalls } from "./run-calls.ts";
import { createSocketTransport } from "./socket-transport.ts";

/** How a worker hears its parent and answers. */
export interface WorkerLine {
  readonly tell: (message: FromWorker) => void;
  readonly listen: (hear: (message: ToWorker) => void) => void;
  /** Calls back when the parent is gone. */
  readonly onLost: (act: () => void) => void;
}

export interface WorkerTools {
  readonly line: WorkerLine;
  readonly now: () => number;
  readonly random: () => number;
  /** Milliseconds of CPU that this process has used. */
  readonly cpuMs: () => number;
}

const TELL_MS = 1000;
/** How often calls are looked at whose time may be up, and the lateness of timers is taken. */
const BEAT_MS = 100;

/** Resolves when everything is told, or the parent is gone. */
export async function runWorker(tools: WorkerTools): Promise<void> {
  const { line } = tools;
  const asked = Promise.withResolvers<Extract<ToWorker, { kind: "plan" }> | undefined>();
  const begin = Promise.withResolvers<void>();
  const stop = new AbortController();
  line.listen((message) => {
    if (message.kind === "plan") asked.resolve(message);
    else if (message.kind === "go") begin.resolve();
    else stop.abort();
  });
  line.onLost(() => {
    asked.resolve(undefined);
    begin.resolve();
    stop.abort();
  });
  const task = await asked.promise;
  if (task === undefined) return;
  line.tell({ kind: "ready" });
  await begin.promise;
  await measure(tools, task, stop.signal);
}

interface Task {
  readonly plan: WorkerPlan;
  readonly prompts: readonly FilePrompt[] | undefined;
}

async function measure(
  { line, now, random, cpuMs }: WorkerTools,
  { plan, prompts }: Task,
  stop: AbortSignal,
): Promise<void> {
  const figures = new Figures();
  const transport = createSocketTransport(plan, headersOf(plan));
  const fromMs = now();
  const measuredFromMs = fromMs + plan.warmUpMs;
  const endMs = plan.durationMs === undefined ? Infinity : measuredFromMs + plan.durationMs;
  const nextBody = createQuestions(plan, prompts, random);
  const calls = createCalls(plan, { figures, transport, nextBody, now }, () => measuredFromMs);
  let claimed = 0;
  let phase: WorkerState["phase"] = plan.warmUpMs > 0 ? "warm-up" : "sending";
  let cpuFromMs = cpuMs();
  let lastEndMs = measuredFromMs;

  const terms: PaceTerms = {
    calls,
    now,
    random,
    endMs,
    mayStart(intendedMs) {
      if (stop.aborted || intendedMs >= endMs) return false;
      if (intendedMs < measuredFromMs) return true;
      if (claimed >= (plan.calls ?? Infinity)) return false;
      claimed += 1;
      return true;
    },
  };
  const pace =
    plan.load.kind === "closed"
      ? createClosedPace(plan.load, terms)
      : createOpenPace(plan.load, { ...terms, fromMs, phase: plan.worker / plan.workers });

  let resent = 0;
  let opened = 0;
  const report = (kind: "figures" | "done"): void => {
    const counts = transport.counts();
    figures.counts.resent += counts.resent - resent;
    figures.counts.connections += counts.opened - opened;
    ({ resent, opened } = counts);
    const measuredMs = Math.max(0, (kind === "done" ? lastEndMs : now()) - measuredFromMs);
    const state = { inFlight: calls.inFlight, cpuMs: cpuMs() - cpuFromMs, measuredMs, phase };
    line.tell({ kind, figures: figures.take(), state });
  };

  let beatMs = now();
  const beat = setInterval(() => {
    const nowMs = now();
    figures.samples.lag.add(nowMs - beatMs - BEAT_MS);
    beatMs = nowMs;
    calls.expire();
    if (phase === "warm-up" && nowMs >= measuredFromMs) {
      phase = "sending";
      cpuFromMs = cpuMs();
    }
  }, BEAT_MS);
  const teller = setInterval(() => report("figures"), TELL_MS);
  const onStop = (): void => pace.stop();
  stop.addEventListener("abort", onStop, { once: true });
  try {
    pace.begin();
    if (stop.aborted) pace.stop();
    await pace.ended;
    phase = "draining";
    await drain();
  } finally {
    clearInterval(beat);
    clearInterval(teller);
    lastEndMs = Math.max(measuredFromMs, now());
    calls.cut();
    phase = "done";
    report("done");
    transport.close();
  }

  /** Until the last call ends; no longer than the plan says, unless the calls were counted: then their own time-out is the bound. */
  async function drain(): Promise<void> {
    const isCounted = claimed >= (plan.calls ?? Infinity);
    const untilMs = now() + (isCounted ? plan.timeoutMs : plan.drainMs);
    while (calls.inFlight > 0 && now() < untilMs && !stop.aborted) await Bun.sleep(DRAIN_LOOK_MS);
  }
}

const DRAIN_LOOK_MS = 5;
