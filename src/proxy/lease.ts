// The right to count as in flight at one backend, from before sending until the body ends; settles exactly once.
import { noteTokens } from "../core/estimate.ts";
import type { AttemptNames, Emit } from "../core/event.ts";
import type { Hold, LimitSet } from "../core/limit.ts";
import type { LearnedLimits } from "../core/limit-headers.ts";
import type { LabelModel } from "../core/model-label.ts";
import { noteEnd, noteFirstByte, noteSent } from "../core/measures.ts";
import type { Outcome } from "../core/outcome.ts";
import type { Pool } from "../core/pool.ts";
import type { Route } from "../core/route.ts";
import type { CooldownPolicy, Rest } from "../core/rest.ts";
import type { Clock, Random, Slot } from "../core/seams.ts";
import { findSharedCause } from "../core/shared-cause.ts";
import { beginAttempt, noteAnswer, settleAttempt } from "../core/state.ts";
import { forgiveKeys, noteLimits } from "../core/credential-state.ts";
import type { TokenUsage } from "../core/usage.ts";
import type { Journey } from "./journey.ts";

export interface Lease {
  readonly slot: Slot;
  /** Monotonic milliseconds. */
  readonly startedMs: number;
  /** A good answer has begun. */
  readonly answered: () => void;
  /** What the answer says of the key's limits. */
  readonly learn: (learned: LearnedLimits, mayRest: boolean) => void;
  /** The attempt is over. Later calls do nothing, so that every exit may call it. */
  readonly settle: (outcome: Outcome, usage?: TokenUsage) => void;
}

export interface LeaseTerms {
  readonly requestId: string;
  readonly journey: Pick<Journey, "attempts" | "lastOutcome" | "noteAttemptEnd">;
  readonly route: Route;
  readonly model: string | undefined;
  readonly estimatedTokens: number;
  readonly cooldown: CooldownPolicy;
  readonly parts: LeaseParts;
}

interface LeaseParts {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: Emit;
  readonly labelModel: LabelModel;
  /** Somebody may be waiting for what a lease gives back. */
  readonly room: { readonly wake: () => void };
}

/** Takes concurrency and rate slots of the key and of the backend; undefined when one of them is taken by now. */
export function acquireLease(slot: Slot, terms: LeaseTerms): Lease | undefined {
  const { clock, random, emit, pool, room } = terms.parts;
  const { cooldown } = slot.backend;
  const policy = cooldown === undefined ? terms.cooldown : { ...terms.cooldown, ...cooldown };
  const startedMs = clock.now();
  const holds = takeHolds([slot.keyState.limits, slot.state.limits], startedMs, terms.estimatedTokens);
  if (holds === undefined) return undefined;
  let open = true;
  let firstByteMs: number | undefined;
  beginAttempt(slot, startedMs);
  noteSent(slot.state.measures);
  const { credential } = slot.backend;
  const after = terms.journey.lastOutcome;
  const names = { backend: slot.backend.id, key: credential.label, keyId: credential.id };
  const attempt: AttemptNames = {
    requestId: terms.requestId,
    provider: slot.backend.provider,
    ...names,
    route: terms.route.name,
    ...(terms.model === undefined ? {} : { model: terms.model }),
    label: terms.parts.labelModel(terms.route.name, terms.model),
    attempt: terms.journey.attempts + 1,
    ...(after === undefined ? {} : { after }),
  };
  // The names go first in every event: Bun copies an object as a whole only into an empty one, in a sixth of the time.
  emit({ ...attempt, kind: "attempt_started" });
  const tell = (rests: readonly Rest[]): void => {
    for (const rest of rests) {
      const peers = findSharedCause(pool.current.slots, slot, rest);
      if (peers !== undefined)
        forgiveKeys(new Set(peers.map(({ keyState }) => keyState)), clock.now(), policy);
      emit({
        kind: "rest_began",
        ...names,
        rest: (peers === undefined ? undefined : slot.keyState.rest) ?? rest,
      });
    }
  };

  return {
    slot,
    startedMs,
    answered() {
      if (!open) return;
      noteAnswer(slot, startedMs);
      const nowMs = clock.now();
      firstByteMs = nowMs - startedMs;
      noteFirstByte(slot.state.measures, firstByteMs, nowMs);
      emit({ ...attempt, kind: "attempt_answered", firstByteMs });
    },
    learn(learned, mayRest) {
      tell(noteLimits(slot.keyState, learned, { nowMs: clock.now(), random: random(), policy, mayRest }));
    },
    settle(outcome, usage) {
      if (!open) return;
      open = false;
      const nowMs = clock.now();
      const tokens = usage === undefined ? undefined : usage.inputTokens + usage.outputTokens;
      for (const hold of holds) {
        // Nothing reached the provider, so nothing was used.
        if (outcome.kind === "unreachable") hold.cancel(nowMs);
        else hold.settle(nowMs, tokens);
      }
      if (tokens !== undefined) noteTokens(terms.route.tokenMean, tokens);
      const model = terms.model === undefined ? {} : { model: terms.model };
      const rests = settleAttempt(slot, { outcome, startedMs, nowMs, random: random(), policy, ...model });
      const durationMs = nowMs - startedMs;
      noteEnd(slot.state.measures, { outcome, durationMs, tokens }, nowMs);
      terms.journey.noteAttemptEnd(outcome.kind, durationMs);
      emit({
        ...attempt,
        kind: "attempt_finished",
        outcome: outcome.kind,
        status: outcome.status,
        detail: outcome.detail,
        firstByteMs,
        durationMs,
        usage,
      });
      tell(rests);
      room.wake();
    },
  };
}

/** From all or from none. */
function takeHolds(
  sets: readonly (LimitSet | undefined)[],
  nowMs: number,
  tokens: number,
): readonly Hold[] | undefined {
  const holds: Hold[] = [];
  for (const set of sets) {
    const taken = set?.acquire(nowMs, tokens);
    if (taken === undefined) continue;
    if (taken.refusedBy === undefined) holds.push(taken);
    else {
      for (const hold of holds) hold.cancel(nowMs);
      return undefined;
    }
  }
  return holds;
}
