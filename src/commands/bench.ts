// `weir bench`: a load test of a server of LLM calls, with a live view and a report.
import { readFileSync, writeFileSync } from "node:fs";
import { APIS } from "../bench/apis.ts";
import { findModel } from "../bench/find-model.ts";
import { headersOf } from "../bench/headers.ts";
import { benchHelp } from "../bench/options.ts";
import type { Screen } from "../bench/live/line.ts";
import type { Outcome } from "../bench/outcome.ts";
import type { BenchPlan } from "../bench/plan.ts";
import { type FilePrompt, readPrompts } from "../bench/questions.ts";
import { type BenchRequest, readOptions } from "../bench/read-options.ts";
import { writeJson } from "../bench/report-json.ts";
import { writeReport } from "../bench/report.ts";
import { runBench, type View } from "../bench/run-bench.ts";
import { runWorker } from "../bench/run-worker.ts";
import type { FromWorker, ToWorker } from "../bench/messages.ts";
import { realClock, realRandom } from "../runtime/clock.ts";
import { openTerminal } from "../views/top/terminal.ts";
import { findProxy } from "./bench-proxy.ts";
import { type Command, EXIT, type Invocation } from "./invocation.ts";
import { listenForStop } from "./stop-signal.ts";
import { isUnicodeTerminal } from "./unicode.ts";

/** Starts a process as one of the workers; not for users. */
const WORKER_FLAG = "--as-worker";

export const runBenchCommand: Command = async (invocation) => {
  const { args, env, out, err } = invocation;
  if (args[0] === WORKER_FLAG) return beWorker(invocation);
  const read = readOptions(args, env);
  if (read.kind === "help") {
    out(benchHelp());
    return EXIT.fine;
  }
  if (read.kind === "problems") {
    err(`${read.problems.join("\n")}\n`);
    return EXIT.usage;
  }
  const { request } = read;
  const way = findProxy(request.plan.url, env);
  if (way.kind === "problem") {
    err(`${way.problem}\n`);
    return EXIT.usage;
  }
  const prepared = await prepare({ ...request, plan: { ...request.plan, proxy: way.proxy?.href } });
  if (typeof prepared === "string") {
    err(`${prepared}\n`);
    return EXIT.failed;
  }
  for (const warn of [warnOfDescriptors, warnOfProxy]) {
    const warning = warn(prepared.plan);
    if (warning !== undefined) err(`${warning}\n`);
  }
  const outcome = await run(invocation, request, prepared);
  if (outcome === undefined) return EXIT.interrupted;
  const { jsonFile } = request;
  out(jsonFile === "-" ? writeJson(outcome) : writeReport(outcome));
  if (jsonFile !== undefined && jsonFile !== "-") {
    try {
      writeFileSync(jsonFile, writeJson(outcome));
    } catch (error) {
      err(`cannot write ${jsonFile}: ${codeOf(error)}\n`);
      return EXIT.failed;
    }
  }
  return outcome.course.total.counts.ok > 0 && outcome.problems.length === 0 ? EXIT.fine : EXIT.failed;
};

interface Prepared {
  readonly plan: BenchPlan;
  readonly prompts: readonly FilePrompt[] | undefined;
}

/** Everything that must be known before the first call, or why it cannot be. */
async function prepare({ plan, jsonFile }: BenchRequest): Promise<Prepared | string> {
  let prompts: readonly FilePrompt[] | undefined;
  if (plan.promptsFile !== undefined) {
    const found = readPromptsFile(plan.promptsFile);
    if (typeof found === "string") return found;
    prompts = found;
  }
  if (jsonFile !== undefined && jsonFile !== "-") {
    try {
      writeFileSync(jsonFile, "", { flag: "a" }); // an hour of measuring must not end with a path that is wrong
    } catch (error) {
      return `cannot write ${jsonFile}: ${codeOf(error)}`;
    }
  }
  const hasModels =
    plan.models.length > 0 ||
    prompts?.every((one) => one.kind === "fields" && "model" in one.fields) === true;
  if (hasModels) return { plan, prompts };
  const headers = (headersOf(plan)[0] ?? []).map(([name, value]): [string, string] => [name, value]);
  const found = await findModel(plan, APIS[plan.api].path, headers);
  if (found.kind === "problem") return found.problem;
  return { plan: { ...plan, models: [{ model: found.model, weight: 1 }] }, prompts };
}

function readPromptsFile(path: string): readonly FilePrompt[] | string {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    return `cannot read ${path}: ${codeOf(error)}`;
  }
  const found = readPrompts(text);
  return typeof found === "string" ? `cannot read ${path}: ${found}` : found;
}

async function run(
  invocation: Invocation,
  { isVisual }: BenchRequest,
  { plan, prompts }: Prepared,
): Promise<Outcome | undefined> {
  const { env, err, isTerminal } = invocation;
  const stop = new AbortController();
  const kill = new AbortController();
  const ask = (): void => {
    if (stop.signal.aborted) kill.abort();
    else stop.abort();
  };
  const signals = listenForStop(invocation);
  void signals.asked.then(ask);
  void signals.insisted.then(ask);
  invocation.onSignal("SIGHUP", () => stop.abort());
  const view: View =
    isVisual && isTerminal && env["TERM"] !== "dumb"
      ? openScreen(env, ask)
      : { kind: "lines", write: (line) => err(`${line}\n`) };
  try {
    return await runBench({
      plan,
      prompts,
      command: workerCommand(),
      env,
      view,
      now: realClock.now,
      startedAt: new Date(realClock.wall()).toISOString(),
      stop: stop.signal,
      kill: kill.signal,
    });
  } finally {
    if (view.kind === "screen") view.screen.close();
  }
}

/** The terminal is read key by key while it is ours: Ctrl-C comes as a key, not as a signal. */
function openScreen(env: Invocation["env"], ask: () => void): View {
  const isUnicode = isUnicodeTerminal(env);
  let redraw: (() => void) | undefined;
  const terminal = openTerminal({
    streams: { input: process.stdin, output: process.stdout },
    look: { hasColor: (env["NO_COLOR"] ?? "") === "", isUnicode },
    onKey: ({ name, ctrl }) => {
      if ((ctrl && name === "c") || name === "q") ask();
    },
    onChange: () => redraw?.(),
    onGone: ask,
  });
  const screen: Screen = {
    ...terminal,
    onChange(act) {
      redraw = act;
    },
  };
  return { kind: "screen", screen, isUnicode };
}

/** This program once more, compiled or not. */
function workerCommand(): readonly string[] {
  const isCompiled = /\$bunfs|~BUN/.test(Bun.main);
  return [process.execPath, ...(isCompiled ? [] : [Bun.main]), "bench", WORKER_FLAG];
}

async function beWorker({ err, onSignal }: Invocation): Promise<number> {
  if (process.send === undefined) {
    err(`${WORKER_FLAG} is for weir bench itself\n`);
    return EXIT.usage;
  }
  // A terminal, `timeout` and batch systems signal every process of the group; the parent says what is to be done.
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) onSignal(name, () => undefined);
  const lost = Promise.withResolvers<void>();
  process.on("disconnect", () => lost.resolve());
  await runWorker({
    line: {
      tell: (message: FromWorker) => void process.send?.(message),
      listen: (hear) => void process.on("message", (message: ToWorker) => hear(message)),
      onLost: (act) => void lost.promise.then(act),
    },
    now: realClock.now,
    random: realRandom,
    cpuMs() {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1000;
    },
  });
  await lost.promise;
  return EXIT.fine;
}

/** Beside its connections a process has some files open. */
const OWN_DESCRIPTORS = 64;

function warnOfDescriptors({ load, workers }: BenchPlan): string | undefined {
  let limit: number;
  try {
    limit = Number(/^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1]);
  } catch {
    return undefined; // not Linux
  }
  const most = load.kind === "closed" ? load.concurrency : load.mostInFlight;
  const each = Math.ceil(most / workers) + OWN_DESCRIPTORS;
  if (!(each > limit)) return undefined;
  return `warning: up to ${most} calls at a time need ${each} descriptors in each of ${workers} processes, and the limit is ${limit}: use more workers (-w) or a higher ulimit -n`;
}

/** Its login stays unsaid. */
const warnOfProxy = ({ proxy }: BenchPlan): string | undefined =>
  proxy === undefined
    ? undefined
    : `warning: the calls go through the proxy ${new URL(proxy).origin}, which is measured with them; NO_PROXY spares hosts`;

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "it cannot be opened";
