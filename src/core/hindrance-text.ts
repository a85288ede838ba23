// Why a backend may not take a request, in words for people: the one place that composes them.
import type { Hindrance, Wanted } from "./eligible.ts";
import type { RestCause } from "./rest.ts";
import { describeSpan } from "./span.ts";

const REST_WORDS: Readonly<Record<RestCause, string>> = {
  rate_limit: "rate limit",
  quota: "quota used up",
  revoked: "key refused",
  failures: "failures",
  down: "down",
};

export interface HindranceText {
  readonly reason: string;
  /** Monotonic; absent when it is not over by itself. */
  readonly untilMs?: number;
}

export function describeHindrance(
  found: Hindrance,
  { nowMs, family, model }: Pick<Wanted, "nowMs" | "family" | "model">,
): HindranceText {
  switch (found.kind) {
    case "family":
      return { reason: `does not speak the ${family} family` };
    case "model":
      return { reason: model === undefined ? "is not for this request" : `does not serve ${model}` };
    case "tags":
      return { reason: "its tags do not fit the request's" };
    case "refused_model":
      return {
        reason: `the provider said that this key may not use the model; asked again in ${describeSpan(found.untilMs - nowMs)}`,
        untilMs: found.untilMs,
      };
    case "limit":
      return {
        reason: `limited: ${found.limit} of the ${found.of} is used up, free in ${describeSpan(found.untilMs - nowMs)}`,
        untilMs: found.untilMs,
      };
    case "rest":
      return { reason: describeRest(found, nowMs), untilMs: found.untilMs };
  }
}

/** `rests 12 s: 429 rate limit` */
export function describeRest(
  {
    cause,
    detail,
    untilMs,
  }: { readonly cause: RestCause; readonly detail: string; readonly untilMs: number },
  nowMs: number,
): string {
  const word = detail === "" ? REST_WORDS[cause] : detail;
  return `rests ${describeSpan(untilMs - nowMs)}: ${word}`;
}
