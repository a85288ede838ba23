// What became of a request, in terms of whose doing it was: for counting.
import type { RequestFinished } from "./event.ts";
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

export function requestOutcome({
  status,
  code,
  attempts,
  ending,
}: Pick<RequestFinished, "status" | "code" | "attempts" | "ending">): RequestOutcome {
  if (ending === "abandoned") return "abandoned";
  // An upload that stopped coming; a 408 of an upstream is another matter.
  if (code === "request_timeout") return "rejected";
  if (ending === "broken") return "failed";
  if (status < 400) return "succeeded";
  if (status < 500 && !NOT_THE_CALLERS.has(status)) return "rejected";
  return attempts === 0 ? "refused" : "failed";
}
