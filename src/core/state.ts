// What an attempt teaches of its key and its backend, from its begin to its end. For leases.
import { type BackendState, countBegin, countEnd, noteFailure, proveBackend } from "./backend-state.ts";
import { type CredentialState, markModel, proveKey, restGroup, restKey } from "./credential-state.ts";
import { concernsBackend } from "./outcome.ts";
import { closeTrial, openTrial, type Settlement } from "./record.ts";
import type { Rest } from "./rest.ts";

/** The two records of one backend; structurally a Slot. */
export interface Observed {
  readonly state: BackendState;
  readonly keyState: CredentialState;
}

/** An attempt is about to be sent. A rest that has run out becomes a trial, which holds others off until it is settled. */
export function beginAttempt({ state, keyState }: Observed, nowMs: number): void {
  countBegin(state, nowMs);
  openTrial(state, nowMs);
  openTrial(keyState, nowMs);
}

/** A good answer has begun: the rests that were on trial are over, though the body may take minutes more. */
export function noteAnswer({ state, keyState }: Observed, startedMs: number): void {
  if (isProof(state, startedMs)) proveBackend(state);
  if (isProof(keyState, startedMs)) proveKey(keyState);
}

/** A rest that began while an attempt was under way is newer than what the attempt proves. */
const isProof = ({ rest }: { readonly rest?: Rest }, startedMs: number): boolean =>
  rest === undefined || rest.sinceMs < startedMs;

/** The attempt is over: in-flight goes down, key and backend learn from the outcome. Returns rests that began. */
export function settleAttempt(observed: Observed, settlement: Settlement): readonly Rest[] {
  const { state, keyState } = observed;
  const { outcome, startedMs } = settlement;
  countEnd(state);
  const began = learn(observed, settlement);
  // Any answer that is not the backend's fault proves it alive; one that got past the key proves the key.
  if (outcome.kind !== "abandoned" && !concernsBackend(outcome.kind) && isProof(state, startedMs))
    proveBackend(state);
  const passedKey = ["success", "rejected", "model_not_found"].includes(outcome.kind);
  if (passedKey && isProof(keyState, startedMs)) proveKey(keyState);
  // A trial that proved nothing leaves the rest due at once.
  closeTrial(state, settlement);
  closeTrial(keyState, settlement);
  return began;
}

function learn(observed: Observed, settlement: Settlement): readonly Rest[] {
  switch (settlement.outcome.kind) {
    case "rate_limited":
      return restGroup(observed.keyState, settlement);
    case "quota_exhausted":
      return restKey(observed.keyState, "quota", settlement);
    case "revoked":
      return restKey(observed.keyState, "revoked", settlement);
    case "model_not_found":
      markModel(observed.keyState, settlement);
      return [];
    case "unreachable":
    case "unavailable":
    case "failed":
      return noteFailure(observed.state, settlement);
    case "success":
    case "rejected":
    case "abandoned":
      return [];
  }
}
