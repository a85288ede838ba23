// Reasons for which weir itself ends an upstream call.
import type { Outcome } from "../core/outcome.ts";

/** Why weir itself ended an upstream call; becomes the reason of the abort signal. */
export class CallEnded extends Error {
  readonly outcome: Outcome;
  override readonly name = "CallEnded";

  constructor(outcome: Outcome) {
    super(outcome.detail);
    this.outcome = outcome;
  }
}

export const CLIENT_LEFT = new CallEnded({ kind: "abandoned", detail: "client left" });
export const CALLER_STALLED = new CallEnded({
  kind: "abandoned",
  detail: "the client's body did not come in time",
});
export const WEIR_STOPS = new CallEnded({ kind: "abandoned", detail: "weir is stopping" });
