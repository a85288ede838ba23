// The whole way of one request: what it asks, where it may go, one attempt after another, and its answer.
import { chooseSlot, firstUsable, hasUntried, type Request as Choice, weigh } from "../core/choose.ts";
import { explainNone, soonestReturn } from "../core/eligible.ts";
import type { Outcome } from "../core/outcome.ts";
import { type Refusal, refuseUnusable } from "../core/refusal.ts";
import { decideRetry, NO_TRIES } from "../core/retry.ts";
import { type Ask, readAsk } from "./ask.ts";
import { attempt } from "./attempt.ts";
import type { Call, Parts } from "./call.ts";
import { deliver, deliverWhole, type Delivery, REFUSED_CLIENT_LEFT } from "./deliver.ts";
import { beginJourney, type Journey } from "./journey.ts";
import { addTrace, refuse } from "./reply.ts";
import { findTarget, type Target } from "./target.ts";
import { pause, readPatience } from "./patience.ts";

/** Answers a request for one of the piped operations. Rejects only on a bug; the journey is finished either way. */
export async function serve(call: Call, parts: Parts): Promise<Response> {
  const journey = beginJourney(call, parts);
  const way = { call, parts, journey };
  try {
    return call.operation.need === "pinned" ? await servePinned(way) : await serveRouted(way);
  } catch (error) {
    journey.finish({ status: 500, ending: "broken" });
    throw error;
  }
}

interface Way {
  readonly call: Call;
  readonly parts: Parts;
  readonly journey: Journey;
}

async function serveRouted(way: Way): Promise<Response> {
  const { call, parts } = way;
  const ask = await readAsk(call, parts);
  if (ask.kind === "gone") return gone(way);
  if (ask.kind === "refused") return refused(way, ask.refusal);
  call.holdOpen();
  way.journey.noteModel(ask.model);
  parts.retryBudget.noteRequest(parts.clock.now());
  try {
    return await tryBackends(way, ask);
  } finally {
    ask.release();
  }
}

async function tryBackends(way: Way, ask: Ask): Promise<Response> {
  const { call, parts, journey } = way;
  const { clock, random } = parts;
  const patience = readPatience(call, parts.settings().timeouts, ask.stream);
  const tried = new Set<string>();
  let tries = NO_TRIES;
  let last: Delivery | undefined;

  for (;;) {
    const target = findTarget(parts.pool.current, call.operation, {
      model: ask.model,
      providerName: undefined,
    });
    if (target.kind === "refused") return refused(way, target.refusal);
    const choice = (): Choice => ({ wanted: wantedFrom(target, call, clock.now()), tried, random });
    const slot = chooseSlot(target.route, choice());
    if (slot === undefined) return exhausted(way, target, { last, choice: choice(), model: ask.model });

    const abort = journey.nextAbort();
    if (journey.isOver()) return gone(way);
    const model = slot.backend.upstreamModel ?? target.model;
    journey.noteAttempt(slot.backend.id);
    tried.add(slot.backend.id);
    const body = ask.bodyFor(model);
    const answer = await attempt(call, parts, {
      slot,
      model,
      body,
      firstByteMs: patience.firstByteMs(clock.now()),
      abort,
    });
    if (answer.kind === "flowing") return deliver(way, { answer, abort });
    const { outcome } = answer;
    if (outcome.kind === "abandoned") return gone(way);
    if (answer.kind === "whole" && isCallersOwn(outcome)) return deliverWhole(way, { outcome, answer, slot });
    last = { outcome, ...(answer.kind === "whole" ? { answer, slot } : {}) };

    const nowMs = clock.now();
    const untriedLeft = hasUntried(target.route, choice());
    const situation = { outcome, tries, untriedLeft, nowMs, random: random() };
    const decision = decideRetry({ ...situation, policy: parts.settings().retry, budget: parts.retryBudget });
    if (decision.kind === "stop" || !patience.allows(nowMs + decision.delayMs))
      return exhausted(way, target, { last, choice: choice(), model: ask.model });
    tries = decision.tries;
    if (!untriedLeft) tried.clear();
    if (decision.delayMs > 0) await pause(decision.delayMs, journey.nextAbort().signal);
    if (journey.isOver()) return gone(way);
  }
}

/** About objects of one account: the named or first provider, its first usable key, one attempt, nothing buffered. */
async function servePinned(way: Way): Promise<Response> {
  const { call, parts, journey } = way;
  call.holdOpen();
  const providerName = call.request.headers.get("x-weir-provider") ?? undefined;
  const target = findTarget(parts.pool.current, call.operation, { model: undefined, providerName });
  if (target.kind === "refused") return refused(way, target.refusal);
  const choice: Choice = {
    wanted: wantedFrom(target, call, parts.clock.now()),
    tried: new Set(),
    random: parts.random,
  };
  const slot = firstUsable(target.route, choice);
  if (slot === undefined) return exhausted(way, target, { last: undefined, choice, model: undefined });
  const abort = journey.nextAbort();
  if (journey.isOver()) return gone(way);
  journey.noteAttempt(slot.backend.id);
  const patience = readPatience(call, parts.settings().timeouts, false);
  const body = call.request.body ?? undefined;
  const firstByteMs = patience.firstByteMs(parts.clock.now());
  const answer = await attempt(call, parts, { slot, model: undefined, body, firstByteMs, abort });
  if (answer.kind === "flowing") return deliver(way, { answer, abort });
  const { outcome } = answer;
  if (outcome.kind === "abandoned") return gone(way);
  if (answer.kind === "whole" && isCallersOwn(outcome)) return deliverWhole(way, { outcome, answer, slot });
  const last: Delivery = { outcome, ...(answer.kind === "whole" ? { answer, slot } : {}) };
  return exhausted(way, target, { last, choice, model: undefined });
}

function wantedFrom(target: Target, call: Call, nowMs: number): Choice["wanted"] {
  const model = target.model === undefined ? {} : { model: target.model };
  return { family: call.operation.family, listed: target.listed, nowMs, ...model };
}

interface Leftover {
  readonly last: Delivery | undefined;
  readonly choice: Choice;
  readonly model: string | undefined;
}

/** Nobody is left to ask: the last answer as it came, with an honest wait, or weir's own words. */
function exhausted(way: Way, target: Target, { last, choice, model }: Leftover): Response {
  const wanted = weigh(target.route, choice, false);
  const none = explainNone(target.route, wanted);
  if (last === undefined) return refused(way, refuseUnusable(none, model ?? target.route.name));
  const soonestMs = soonestReturn(target.route, wanted);
  const final = soonestMs !== 0 && (none.kind === "revoked" || none.kind === "quota");
  if (last.answer !== undefined) {
    const wait = last.outcome.kind === "model_not_found" ? {} : { wait: { soonestMs, final } };
    return deliverWhole(way, { ...last, ...wait, answer: last.answer });
  }
  return refused(way, refuseFailure(last.outcome, soonestMs));
}

/** Nobody else would answer otherwise. */
const isCallersOwn = ({ kind }: Outcome): boolean => kind === "success" || kind === "rejected";

/** No answer came from anybody. */
function refuseFailure({ detail }: Outcome, soonestMs: number | undefined): Refusal {
  const timedOut = /^(no answer|the body stalled|answer took)/.test(detail);
  return {
    status: timedOut ? 504 : 502,
    code: timedOut ? "upstream_timeout" : "upstream_failed",
    message: `no backend gave an answer; the last one: ${detail}`,
    ...(soonestMs === undefined ? {} : { retryAfterMs: soonestMs }),
  };
}

function refused({ call, parts, journey }: Way, refusal: Refusal): Response {
  const response = refuse(call.operation.family, refusal);
  const { requestId } = call;
  const backend = journey.backend === undefined ? {} : { backend: journey.backend };
  addTrace(response.headers, parts.settings().responseHeaders, {
    requestId,
    attempts: journey.attempts,
    ...backend,
  });
  journey.finish({ status: refusal.status, ending: "complete" });
  return response;
}

const STOPPING: Refusal = {
  status: 503,
  code: "shutting_down",
  message: "weir is stopping; the request was not answered",
  retryAfterMs: 1000,
};

function gone(way: Way): Response {
  const { journey } = way;
  if (journey.isStopped()) return refused(way, STOPPING);
  journey.finish({ status: 499, ending: "abandoned" });
  return new Response(null, { status: REFUSED_CLIENT_LEFT });
}
