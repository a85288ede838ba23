// A load test from its plan to its outcome: starts the workers, shows how they get on, adds up.
import { Course } from "./course.ts";
import { type Crew, startCrew } from "./crew.ts";
import { describeCalls, describeLoad } from "./describe.ts";
import { layFrame, type Sight, writeProgress } from "./live/frame.ts";
import type { Screen } from "./live/line.ts";
import { type Outcome, reckonOutcome } from "./outcome.ts";
import { type BenchPlan, splitPlan } from "./plan.ts";
import type { FilePrompt } from "./questions.ts";

export interface BenchTerms {
  readonly plan: BenchPlan;
  readonly prompts: readonly FilePrompt[] | undefined;
  /** What starts a worker. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly view: View;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  readonly startedAt: string;
  /** Ends it, with what was measured until then. */
  readonly stop: AbortSignal;
  /** Ends it at once. */
  readonly kill: AbortSignal;
}

export type View =
  | { readonly kind: "screen"; readonly screen: Screen; readonly isUnicode: boolean }
  | { readonly kind: "lines"; readonly write: (line: string) => void };

const SECOND_MS = 1000;
/** Workers tell once a second; by then what they told has come. */
const OFFSET_MS = 300;

/** Undefined: killed. */
export async function runBench(terms: BenchTerms): Promise<Outcome | undefined> {
  const { prompts, command, env, view, now, stop, kill } = terms;
  const plans = splitPlan(terms.plan);
  const plan = { ...terms.plan, workers: plans.length };
  let beganMs = now();
  let course = new Course(beganMs);
  let ticker: ReturnType<typeof setInterval> | undefined;
  let opening: ReturnType<typeof setTimeout> | undefined;

  const show = (): void => {
    const sight = sightOf(crew);
    if (view.kind === "lines") view.write(writeProgress(sight));
    else drawOn(view, sight);
  };
  const tick = (): void => {
    course.tick(now(), crew.states());
    show();
  };
  const sightOf = ({ states }: Crew): Sight => ({
    title: `weir bench  ${plan.url}`,
    terms: `${describeLoad(plan)}; ${describeCalls(plan)}`,
    course,
    states: states(),
    isStream: plan.isStream,
    elapsedMs: now() - beganMs,
    wholeMs: plan.durationMs === undefined ? undefined : plan.warmUpMs + plan.durationMs,
    calls: plan.calls,
    isStopping: stop.aborted,
  });
  const crew = startCrew({
    plans,
    prompts,
    command,
    env,
    onFigures: (figures) => course.add(figures),
    onBegin() {
      beganMs = now();
      course = new Course(beganMs);
      opening = setTimeout(() => {
        course.align(now());
        ticker = setInterval(tick, SECOND_MS);
      }, OFFSET_MS);
      if (view.kind === "screen") show();
    },
  });
  if (view.kind === "screen") view.screen.onChange(show);
  const onStop = (): void => {
    crew.stop();
    if (view.kind === "screen") show();
  };
  const onKill = (): void => crew.kill();
  stop.addEventListener("abort", onStop, { once: true });
  kill.addEventListener("abort", onKill, { once: true });
  if (stop.aborted) crew.stop();
  if (kill.aborted) crew.kill();
  try {
    const problems = await crew.ended;
    if (kill.aborted) return undefined;
    // The last piece of a second came without the delay.
    course.tick(now() + (ticker === undefined ? 0 : OFFSET_MS), crew.states());
    return reckonOutcome({
      plan,
      course,
      states: crew.states(),
      startedAt: terms.startedAt,
      endedBy: stop.aborted ? "signal" : "plan",
      problems,
    });
  } finally {
    clearTimeout(opening);
    clearInterval(ticker);
    stop.removeEventListener("abort", onStop);
    kill.removeEventListener("abort", onKill);
    crew.kill();
  }
}

function drawOn({ screen, isUnicode }: View & { kind: "screen" }, sight: Sight): void {
  screen.draw(layFrame(sight, { ...screen.size(), isUnicode }));
}
