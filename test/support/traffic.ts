// Sends requests through a strategy in simulated time, with plain values: no server, no clock, chance from a seed.
import { noteEnd, noteFirstByte, noteSent } from "../../src/core/measures.ts";
import type { OutcomeKind } from "../../src/core/outcome.ts";
import { levelsOf } from "../../src/core/route.ts";
import type { Choice, Level, Random, Slot } from "../../src/core/seams.ts";
import { beginAttempt, settleAttempt } from "../../src/core/state.ts";
import { seedRandom } from "../../src/fake/random.ts";
import { COOLDOWN, makeBackend, makeSlot } from "./slots.ts";

/** What a backend does with a request. */
export interface Reaction {
  readonly durationMs: number;
  /** Of a success; at once when absent. */
  readonly firstByteMs?: number;
  readonly kind?: OutcomeKind;
  readonly tokens?: number;
}

export interface TrafficOptions {
  readonly pick: (level: Level, choice: Choice) => number;
  readonly react: (slot: Slot, nowMs: number) => Reaction;
  readonly count: number;
  /** Between two requests. */
  readonly everyMs: number;
  readonly fromMs?: number;
  readonly random?: Random;
  readonly isUsable?: (slot: Slot) => boolean;
  /** Called before each request, with the time. */
  readonly tick?: (nowMs: number) => void;
}

export interface Sent {
  /** Undefined when nobody was usable. */
  readonly id: string | undefined;
  readonly kind: OutcomeKind;
}

export const slotOf = (id: string, weight = 1): Slot => makeSlot(makeBackend(id, { weight }));

export const levelOf = (...slots: readonly Slot[]): Level =>
  levelsOf(slots)[0] ?? { priority: 1, slots: [], weights: [] };

/** As many slots, named `b0` and on. */
export const levelOfSize = (size: number, weight: (at: number) => number = () => 1): Level =>
  levelOf(...Array.from({ length: size }, (_, at) => slotOf(`b${at}`, weight(at))));

/** Nobody rests here, so that only the strategy keeps requests from who fails. */
const NO_RESTS = { ...COOLDOWN, threshold: Number.POSITIVE_INFINITY };

/** Begins an attempt; the function that it returns ends it. */
export function begin(slot: Slot, startedMs: number): (reaction: Reaction, nowMs: number) => void {
  beginAttempt(slot, startedMs);
  noteSent(slot.state.measures);
  return ({ kind = "success", tokens, firstByteMs }, nowMs) => {
    const { measures } = slot.state;
    if (kind === "success" && firstByteMs === undefined) noteFirstByte(measures, nowMs - startedMs, nowMs);
    const outcome = { kind, detail: "" };
    settleAttempt(slot, { outcome, startedMs, nowMs, random: 0, policy: NO_RESTS });
    noteEnd(measures, { outcome, durationMs: nowMs - startedMs, tokens }, nowMs);
  };
}

/** One request after another, whether or not the ones before have ended; the rest end after the last. */
export function sendTraffic(level: Level, options: TrafficOptions): readonly Sent[] {
  const { pick, react, count, everyMs, fromMs = 0, random = seedRandom(1) } = options;
  const { isUsable = () => true, tick = () => undefined } = options;
  const events: { readonly atMs: number; readonly happen: () => void }[] = [];
  const runUntil = (nowMs: number): void => {
    for (;;) {
      const next = events.reduce<number>(
        (best, { atMs }, at) => (atMs <= nowMs && atMs < (events[best]?.atMs ?? Infinity) ? at : best),
        -1,
      );
      if (next === -1) return;
      for (const { happen } of events.splice(next, 1)) happen();
    }
  };
  const sent: Sent[] = [];
  for (let at = 0; at < count; at += 1) {
    const nowMs = fromMs + at * everyMs;
    runUntil(nowMs);
    tick(nowMs);
    const slot = level.slots[pick(level, { nowMs, random, isUsable })];
    if (slot === undefined) {
      sent.push({ id: undefined, kind: "failed" });
      continue;
    }
    const end = begin(slot, nowMs);
    const reaction = react(slot, nowMs);
    const { firstByteMs, durationMs, kind = "success" } = reaction;
    if (firstByteMs !== undefined) {
      const atMs = nowMs + firstByteMs;
      events.push({ atMs, happen: () => noteFirstByte(slot.state.measures, firstByteMs, atMs) });
    }
    events.push({ atMs: nowMs + durationMs, happen: () => end(reaction, nowMs + durationMs) });
    sent.push({ id: slot.backend.id, kind });
  }
  runUntil(Number.POSITIVE_INFINITY);
  return sent;
}

/** How many went to each. */
export function countById(sent: readonly Sent[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { id = "nobody" } of sent) counts[id] = (counts[id] ?? 0) + 1;
  return counts;
}
