// The right to count as in flight at one backend, from before sending until the body ends; settles exactly once.
import type { Emit } from "../core/event.ts";
import type { Outcome } from "../core/outcome.ts";
import type { Clock, Random, Slot } from "../core/seams.ts";
import { beginAttempt, noteAnswer, settleAttempt } from "../core/state.ts";
import type { CooldownPolicy } from "../core/rest.ts";

export interface Lease {
  readonly slot: Slot;
  /** Monotonic milliseconds. */
  readonly startedMs: number;
  /** A good answer has begun. */
  readonly answered: () => void;
  /** The attempt is over. Later calls do nothing, so that every exit may call it. */
  readonly settle: (outcome: Outcome) => void;
}

export interface LeaseTerms {
  readonly requestId: string;
  readonly model: string | undefined;
  readonly cooldown: CooldownPolicy;
  readonly parts: { readonly clock: Clock; readonly random: Random; readonly emit: Emit };
}

export function acquireLease(slot: Slot, terms: LeaseTerms): Lease {
  const { clock, random, emit } = terms.parts;
  const startedMs = clock.now();
  let open = true;
  beginAttempt(slot, startedMs);
  return {
    slot,
    startedMs,
    answered() {
      if (open) noteAnswer(slot, startedMs);
    },
    settle(outcome) {
      if (!open) return;
      open = false;
      const nowMs = clock.now();
      const model = terms.model === undefined ? {} : { model: terms.model };
      const settlement = {
        outcome,
        startedMs,
        nowMs,
        random: random(),
        policy: terms.cooldown,
        ...model,
      };
      const rests = settleAttempt(slot, settlement);
      const names = { backend: slot.backend.id, key: slot.backend.credential.label };
      emit({
        kind: "attempt_finished",
        requestId: terms.requestId,
        ...names,
        outcome: outcome.kind,
        detail: outcome.detail,
        durationMs: nowMs - startedMs,
      });
      for (const rest of rests) emit({ kind: "rest_began", ...names, rest });
    },
  };
}
