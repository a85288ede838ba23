// The worker processes of a load test, seen from their parent: started, begun together, added up, stopped.
import { Figures } from "./figures.ts";
import type { FromWorker, ToWorker, WorkerState } from "./messages.ts";
import type { WorkerPlan } from "./plan.ts";
import type { FilePrompt } from "./questions.ts";

export interface Crew {
  readonly states: () => readonly WorkerState[];
  /** Sends nothing more and cuts what runs; the figures still come. */
  readonly stop: () => void;
  /** At once, without figures. */
  readonly kill: () => void;
  /** Resolves when every worker has ended, with what went wrong. */
  readonly ended: Promise<readonly string[]>;
}

export interface CrewTerms {
  /** What one worker has counted since it last told; called about once a second for each. */
  readonly onFigures: (figures: Figures) => void;
  readonly onBegin: () => void;
  readonly plans: readonly WorkerPlan[];
  readonly prompts: readonly FilePrompt[] | undefined;
  /** What starts a worker. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

interface Member {
  readonly child: Bun.Subprocess;
  readonly exited: Promise<string | undefined>;
  state: WorkerState | undefined;
}

/** Of what a worker that fails has to say. */
const MOST_WORDS = 2000;

export function startCrew({ plans, prompts, command, env, onFigures, onBegin }: CrewTerms): Crew {
  let waitingFor = plans.length;
  let isStopped = false;
  const members: Member[] = [];
  const tellAll = (message: ToWorker): void => {
    for (const { child } of members) if (child.exitCode === null) child.send(message);
  };
  const hear = (member: () => Member | undefined, message: FromWorker): void => {
    if (message.kind === "ready") {
      waitingFor -= 1;
      if (waitingFor > 0) return;
      if (isStopped) tellAll({ kind: "stop" });
      tellAll({ kind: "go" });
      return onBegin();
    }
    onFigures(Figures.decode(message.figures));
    const from = member();
    if (from === undefined) return;
    from.state = message.state;
    // It waits for this, so that its last words cannot be lost with it.
    if (message.kind === "done") from.child.disconnect();
  };
  for (const [index, plan] of plans.entries()) {
    const child = Bun.spawn([...command], {
      env: { ...env },
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
      serialization: "json",
      ipc: (message: FromWorker) => hear(() => members[index], message),
    });
    const words = new Response(child.stderr).text();
    const exited = child.exited.then(async (code) => {
      const isDone = members[index]?.state?.phase === "done";
      if (code === 0 && isDone) return undefined;
      // Those who are ready wait for the one that will never be.
      if (waitingFor > 0) for (const each of members) each.child.kill("SIGKILL");
      return `worker ${index + 1} ended early with ${child.signalCode ?? `code ${code}`}: ${(await words).slice(-MOST_WORDS).trim()}`;
    });
    members.push({ child, exited, state: undefined });
    child.send({ kind: "plan", plan, prompts } satisfies ToWorker);
  }
  return {
    states: () => members.flatMap(({ state }) => (state === undefined ? [] : [state])),
    stop() {
      isStopped = true;
      if (waitingFor === 0) tellAll({ kind: "stop" });
    },
    kill() {
      for (const { child } of members) child.kill("SIGKILL");
    },
    ended: Promise.all(members.map(({ exited }) => exited)).then((flaws) =>
      flaws.filter((flaw) => flaw !== undefined),
    ),
  };
}
