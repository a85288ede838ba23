// What became of a request, in terms of whose doing it was: for counting.
import type { RequestFinished } from "./event.ts";
import type { OutcomeKind } from "./outcome.ts";
import type { RequestOutcome } from "./status.ts";

/** In a fixed order, for tables and pages. */
export const REQUEST_OUTCOMES: readonly RequestOutcome[] = [
  "succeeded",
  "rejected",
  "refused",
  "failed",
  "abandoned",
];

/** Of 4xx these say something about keys, limits or time, which are weir's to mind; the others are the caller's mistake. */
const NOT_THE_CALLERS = new Set([401, 402, 403, 408, 409, 429]);

type Finished = Pick<RequestFinished, "status" | "code" | "attempts" | "last" | "ending">;

export function requestOutcome({ status, code, attempts, last, ending }: Finished): RequestOutcome {
  if (ending === "abandoned") return "abandoned";
  // An upload that stopped coming; a 408 of an upstream is another matter.
  if (code === "request_timeout") return "rejected";
  if (ending === "broken") return "failed";
  // What a backend said. Its status alone would call an error within a stream, or a redirect, a success.
  const told = code === undefined && last !== undefined ? meaningOf(last) : undefined;
  if (told !== undefined) return told;
  if (status < 400) return "succeeded";
  if (status < 500 && !NOT_THE_CALLERS.has(status)) return "rejected";
  return attempts === 0 ? "refused" : "failed";
}

function meaningOf(last: OutcomeKind): RequestOutcome | undefined {
  switch (last) {
    case "success":
      return "succeeded";
    case "rejected":
    case "model_not_found":
      return "rejected";
    case "rate_limited":
    case "quota_exhausted":
    case "revoked":
    case "unreachable":
    case "unavailable":
    case "failed":
      return "failed";
    case "abandoned":
      return undefined;
  }
}
