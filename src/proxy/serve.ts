// The whole way of one request: what it asks, one model after another that may serve it, and its answer.
import { firstUsable, type Request as Choice } from "../core/choose.ts";
import { nextFallback } from "../core/fallback.ts";
import { type Ask, readAsk } from "./ask.ts";
import { attempt } from "./attempt.ts";
import type { Call, Parts } from "./call.ts";
import { deliver, deliverWhole, type Delivery, isCallersOwn } from "./deliver.ts";
import { abandoned, exhausted, gone, refused, type Way } from "./ending.ts";
import { beginJourney } from "./journey.ts";
import { acquireLease } from "./lease.ts";
import { readPatience, timeoutsFor } from "./patience.ts";
import { findTarget, wantedFrom } from "./target.ts";
import { tryModel } from "./try-model.ts";

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

async function serveRouted(way: Way): Promise<Response> {
  const { call, parts } = way;
  const ask = await readAsk(call, parts);
  way.journey.noteWait("client", parts.clock.now() - call.startedMs);
  if (ask.kind === "gone") return gone(way);
  if (ask.kind === "refused") return refused(way, ask.refusal);
  call.holdOpen();
  way.journey.noteModel(ask.model);
  parts.retryBudget.noteRequest(parts.clock.now());
  try {
    return await tryModels(way, ask);
  } finally {
    ask.release();
  }
}

/** The model asked for, then its fallbacks in order, as long as each ends in a way that another may better. */
async function tryModels(way: Way, ask: Ask): Promise<Response> {
  const { fallbacks } = way.parts.settings();
  const visited: string[] = ask.model === undefined ? [] : [ask.model];
  let { model } = ask;
  for (;;) {
    const spent = await tryModel(way, ask, model);
    if (spent instanceof Response) return spent;
    const next = spent.cause === undefined ? undefined : nextFallback(fallbacks, spent.cause, visited);
    if (next === undefined) return spent.answer();
    visited.push(next);
    way.journey.noteFallback();
    model = next;
  }
}

/** About objects of one account: the named or first provider, its first usable key, one attempt, nothing buffered. */
async function servePinned(way: Way): Promise<Response> {
  const { call, parts, journey } = way;
  const { clock, random } = parts;
  call.holdOpen();
  const providerName = call.request.headers.get("x-weir-provider") ?? undefined;
  const target = findTarget(parts.pool.current, call, { model: undefined, providerName });
  if (target.kind === "refused") return refused(way, target.refusal);
  const { route } = target;
  journey.noteRoute(route.name);
  const choice: Choice = {
    wanted: wantedFrom(target, call, { nowMs: clock.now(), tokens: 0 }),
    tried: new Set(),
    random,
  };
  const slot = firstUsable(route, choice);
  const { cooldown, timeouts: general } = parts.settings();
  const { requestId } = call;
  const terms = { requestId, journey, route, model: undefined, estimatedTokens: 0, cooldown, parts };
  const lease = slot === undefined ? undefined : acquireLease(slot, terms);
  if (slot === undefined || lease === undefined)
    return exhausted(way, target, { last: undefined, choice, model: undefined });
  const abort = journey.nextAbort();
  if (journey.isOver()) {
    lease.settle({ kind: "abandoned", detail: "client left" });
    return gone(way);
  }
  journey.noteAttempt(slot.backend.id);
  const timeouts = timeoutsFor(general, route, slot.backend);
  const patience = readPatience(call, timeouts, false);
  const body = call.request.body ?? undefined;
  const firstByte = patience.firstByte(clock.now());
  const answer = await attempt(call, parts, { lease, model: undefined, body, timeouts, firstByte, abort });
  if (answer.kind === "flowing") return deliver(way, { answer, abort, timeouts });
  const { outcome } = answer;
  if (outcome.kind === "abandoned") return abandoned(way, outcome);
  if (answer.kind === "whole" && isCallersOwn(outcome)) return deliverWhole(way, { outcome, answer, slot });
  const last: Delivery = { outcome, ...(answer.kind === "whole" ? { answer, slot } : {}) };
  return exhausted(way, target, { last, choice, model: undefined });
}
