// How a request ends without an answer of its own making: nobody left to ask, refused, or the client gone.
import { type Request as Choice, weigh } from "../core/choose.ts";
import { explainNone, soonestReturn } from "../core/eligible.ts";
import type { Outcome } from "../core/outcome.ts";
import { type Refusal, refuse, refuseUnusable } from "../core/refusal.ts";
import { deliverWhole, type Delivery, REFUSED_CLIENT_LEFT, type Way } from "./deliver.ts";
import { addTrace } from "./reply.ts";
import { CALLER_STALLED } from "./call-ended.ts";
import { OUT_OF_DESCRIPTORS } from "./send.ts";
import type { Target } from "./target.ts";

export type { Way };

export interface Leftover {
  /** The last attempt's; undefined when none was made. */
  readonly last: Delivery | undefined;
  readonly choice: Choice;
  readonly model: string | undefined;
}

/** Nobody is left to ask: the last answer as it came, with an honest wait, or weir's own words. */
export function exhausted(way: Way, target: Target, { last, choice, model }: Leftover): Response {
  const wanted = weigh(target.route, choice, false);
  const none = explainNone(target.route, wanted);
  if (last === undefined) return refused(way, refuseUnusable(none, model ?? target.route.name));
  const soonestMs = soonestReturn(target.route, wanted);
  const final = soonestMs !== 0 && (none.kind === "revoked" || none.kind === "quota");
  if (last.answer !== undefined) {
    // Nobody's return would change the answer.
    const isSettled = last.outcome.kind === "model_not_found" || last.outcome.kind === "rejected";
    const wait = isSettled ? {} : { wait: { soonestMs, final } };
    return deliverWhole(way, { ...last, ...wait, answer: last.answer });
  }
  return refused(way, refuseFailure(last.outcome, soonestMs));
}

/** No answer came from anybody. */
function refuseFailure({ kind, detail, ...outcome }: Outcome, soonestMs: number | undefined): Refusal {
  const timedOut = outcome.timedOut === true && kind !== "unreachable";
  return {
    status: timedOut ? 504 : 502,
    code: timedOut ? "upstream_timeout" : "upstream_failed",
    message: `no backend gave an answer; the last one: ${detail}`,
    ...(soonestMs === undefined ? {} : { retryAfterMs: soonestMs }),
  };
}

export function refused({ call, parts, journey }: Way, refusal: Refusal): Response {
  const response = refuse(call.operation.family, refusal);
  const { requestId } = call;
  const backend = journey.backend === undefined ? {} : { backend: journey.backend };
  const trace = { requestId, attempts: journey.attempts, ...backend, course: journey.course };
  addTrace(response.headers, parts.settings().responseHeaders, trace);
  journey.finish({ status: refusal.status, code: refusal.code, ending: "complete" });
  return response;
}

const STALLED: Refusal = {
  status: 408,
  code: "request_timeout",
  message: "the body did not come in time; see timeouts.idle and timeouts.total",
};

const CROWDED: Omit<Refusal, "message"> = { status: 503, code: "out_of_descriptors", retryAfterMs: 1000 };

const STOPPING: Refusal = {
  status: 503,
  code: "shutting_down",
  message: "weir is stopping; the request was not answered",
  retryAfterMs: 1000,
};

/** The attempt ended without anybody's fault. */
export function abandoned(way: Way, outcome: Outcome): Response {
  if (outcome === CALLER_STALLED.outcome) return refused(way, STALLED);
  if (outcome === OUT_OF_DESCRIPTORS) return refused(way, { ...CROWDED, message: outcome.detail });
  return outcome.timedOut === true ? refused(way, refuseFailure(outcome, undefined)) : gone(way);
}

export function gone(way: Way): Response {
  const { journey } = way;
  if (journey.isStopped()) return refused(way, STOPPING);
  journey.finish({ status: 499, ending: "abandoned" });
  return new Response(null, { status: REFUSED_CLIENT_LEFT });
}
