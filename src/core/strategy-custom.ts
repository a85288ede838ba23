// A user's own pick, from a file named in the configuration. One that misbehaves is set aside, told of once, and
// least-used goes on in its place: what users add may never take requests down.
import { failurePenalty, firstByteOf, loadOf, tokensThisMinute } from "./measures.ts";
import type { Choice, Level, Random, Slot, Strategy } from "./seams.ts";
import { createLeastUsed } from "./strategy-least-used.ts";

/** One usable backend, as a user's function sees it. It reads the present state; nothing can be changed through it. */
export interface Candidate {
  readonly id: string;
  readonly provider: string;
  /** The key as displays show it: its last characters at most. */
  readonly key: string;
  /** Above 0; relative to the other candidates. */
  readonly weight: number;
  readonly priority: number;
  readonly inFlight: number;
  /** Attempts sent, ever. */
  readonly requests: number;
  readonly failuresInRow: number;
  /** Recent failures, fading in half a minute; 0 when there are none. */
  readonly recentFailures: number;
  /** Of the same clock as `nowMs`; -Infinity when never used. */
  readonly lastUsedMs: number;
  /** Peak EWMA of the time to the first token; undefined while unmeasured. */
  readonly firstByteMs: number | undefined;
  readonly tokensThisMinute: number;
  /** What an engine's metrics say; undefined for hosted providers and while unknown. */
  readonly waiting: number | undefined;
  readonly running: number | undefined;
}

export interface PickRequest {
  /** As the client asked for it. */
  readonly model: string | undefined;
  /** Monotonic milliseconds. */
  readonly nowMs: number;
  readonly random: Random;
}

/**
 * What a file for `custom:./file.ts` exports by default:
 * `export default (candidates, request) => candidates[0].id`. It is called for every attempt with the usable candidates
 * of one priority, at least one, and answers at once with the index or the id of one of them.
 */
export type CustomPick = (candidates: readonly Candidate[], request: PickRequest) => number | string;

export interface CustomTerms {
  /** As the route names it: `custom:./file.ts`. */
  readonly name: string;
  /** Milliseconds of any clock. */
  readonly now: () => number;
  /** Called once, when the function is set aside, with the reason. */
  readonly report: (reason: string) => void;
}

/** While a function picks, everything else waits. */
const MOST_PICK_MS = 5;
/** So many slow picks within a minute: garbage collection makes a quick function look slow now and then. */
const SLOW_PICKS = 3;
const SLOW_WITHIN_MS = 60_000;

export function createCustom(userPick: CustomPick, { name, now, report }: CustomTerms): Strategy {
  const leastUsed = createLeastUsed();
  const viewsOf = createViews();
  let slowPicks: readonly number[] = [];
  let isSetAside = false;

  const setAside = (reason: string): void => {
    isSetAside = true;
    report(`${reason}; least-used takes its place until the next reload`);
  };
  const ask = (level: Level, choice: Choice): number => {
    const { views, indices } = usableOf(viewsOf(level, choice), level, choice);
    if (views.length === 0) return -1;
    const startedMs = now();
    const answer = callUser(userPick, views, choice);
    if (now() - startedMs > MOST_PICK_MS)
      slowPicks = [...slowPicks.filter((atMs) => startedMs - atMs < SLOW_WITHIN_MS), startedMs];
    if (answer.kind === "thrown") setAside(`threw ${answer.text}`);
    else if (slowPicks.length >= SLOW_PICKS) setAside(`took over ${MOST_PICK_MS} ms ${SLOW_PICKS} times`);
    if (answer.kind === "thrown") return -1;
    const chosen = findChosen(views, answer.value);
    if (chosen === -1 && !isSetAside)
      setAside(`answered ${describe(answer.value)} in place of the index or id of a candidate`);
    return indices[chosen] ?? -1;
  };

  return {
    name,
    pick(level, choice) {
      const chosen = isSetAside ? -1 : ask(level, choice);
      return chosen === -1 ? leastUsed.pick(level, choice) : chosen;
    },
  };
}

type Answer =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "thrown"; readonly text: string };

function callUser(
  userPick: CustomPick,
  views: readonly Candidate[],
  { model, nowMs, random }: Choice,
): Answer {
  try {
    const value: unknown = userPick(views, { model, nowMs, random });
    // Nobody waits for it, and its rejection must not end the process.
    if (value instanceof Promise) value.catch(() => undefined);
    return { kind: "value", value };
  } catch (error) {
    return { kind: "thrown", text: String(error) };
  }
}

function findChosen(views: readonly Candidate[], value: unknown): number {
  if (typeof value === "string") return views.findIndex(({ id }) => id === value);
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < views.length
    ? value
    : -1;
}

function describe(value: unknown): string {
  if (value instanceof Promise) return "a promise";
  if (typeof value === "string") return JSON.stringify(value);
  return typeof value === "number" || value === null ? String(value) : typeof value;
}

interface Usable {
  readonly views: readonly Candidate[];
  /** Of each view in the level. */
  readonly indices: readonly number[];
}

/** A user's function wants a list, so here alone one is made for each pick. */
function usableOf(views: readonly SlotView[], { slots }: Level, choice: Choice): Usable {
  const usable: Candidate[] = [];
  const indices: number[] = [];
  for (const [at, slot] of slots.entries()) {
    const view = views[at];
    if (view === undefined || !choice.isUsable(slot)) continue;
    usable.push(view);
    indices.push(at);
  }
  return { views: usable, indices };
}

/** The views of a level are made once. They tell the time by the pick that is under way. */
function createViews(): (level: Level, choice: Choice) => readonly SlotView[] {
  const clock = { nowMs: 0 };
  const known = new WeakMap<Level, readonly SlotView[]>();
  return (level, { nowMs }) => {
    clock.nowMs = nowMs;
    let views = known.get(level);
    if (views === undefined) {
      views = level.slots.map((slot, at) => new SlotView(slot, level.weights[at] ?? 1, clock));
      known.set(level, views);
    }
    return views;
  };
}

class SlotView implements Candidate {
  readonly weight: number;
  readonly #slot: Slot;
  readonly #clock: { readonly nowMs: number };

  constructor(slot: Slot, weight: number, clock: { readonly nowMs: number }) {
    this.#slot = slot;
    this.weight = weight;
    this.#clock = clock;
    Object.freeze(this);
  }

  get id(): string {
    return this.#slot.backend.id;
  }
  get provider(): string {
    return this.#slot.backend.provider;
  }
  get key(): string {
    return this.#slot.backend.credential.label;
  }
  get priority(): number {
    return this.#slot.backend.priority;
  }
  get inFlight(): number {
    return this.#slot.state.inFlight;
  }
  get requests(): number {
    return this.#slot.state.attempts;
  }
  get failuresInRow(): number {
    return this.#slot.state.failuresInRow;
  }
  get recentFailures(): number {
    return failurePenalty(this.#slot.state.measures, this.#clock.nowMs);
  }
  get lastUsedMs(): number {
    return this.#slot.state.lastUsedMs;
  }
  get firstByteMs(): number | undefined {
    return firstByteOf(this.#slot.state.measures);
  }
  get tokensThisMinute(): number {
    return tokensThisMinute(this.#slot.state.measures, this.#clock.nowMs);
  }
  get waiting(): number | undefined {
    return loadOf(this.#slot.state.measures, this.#clock.nowMs)?.waiting;
  }
  get running(): number | undefined {
    return loadOf(this.#slot.state.measures, this.#clock.nowMs)?.running;
  }
}
