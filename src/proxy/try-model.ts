// One model's backends, one attempt after another, until one answers or nothing is left to try.
import { chooseSlot, hasUntried, type Request as Choice, weigh } from "../core/choose.ts";
import { explainNone } from "../core/eligible.ts";
import { estimateTokens } from "../core/estimate.ts";
import type { FallbackCause } from "../core/fallback.ts";
import type { Outcome } from "../core/outcome.ts";
import { decideRetry, NO_TRIES } from "../core/retry.ts";
import { sentModel } from "../core/sent-model.ts";
import { affinityKey } from "./affinity-key.ts";
import type { Ask } from "./ask.ts";
import { attempt } from "./attempt.ts";
import { deliver, deliverWhole, type Delivery, isCallersOwn } from "./deliver.ts";
import { abandoned, exhausted, gone, refused, type Way } from "./ending.ts";
import { acquireLease } from "./lease.ts";
import { deadlineOf, pause, readPatience, timeoutsFor } from "./patience.ts";
import { findTarget, type Target, wantedFrom } from "./target.ts";
import type { Place } from "./waiting-room.ts";

/** The model could not serve the request. */
export interface Spent {
  /** Which fallbacks may; undefined: none. */
  readonly cause: FallbackCause | undefined;
  /** What the client gets if there are none. */
  readonly answer: () => Response;
}

export async function tryModel(way: Way, ask: Ask, model: string | undefined): Promise<Response | Spent> {
  const line = { place: undefined as Place | undefined };
  try {
    return await tryBackends(way, ask, { model, line });
  } finally {
    line.place?.leave();
  }
}

interface Trial {
  readonly model: string | undefined;
  readonly line: { place: Place | undefined };
}

async function tryBackends(way: Way, ask: Ask, { model, line }: Trial): Promise<Response | Spent> {
  const { call, parts, journey } = way;
  const { clock, random } = parts;
  const tried = new Set<string>();
  const waitUntilMs = Math.min(clock.now() + parts.settings().queueMaxWaitMs, deadlineOf(call));
  let tries = NO_TRIES;
  let last: Delivery | undefined;

  for (;;) {
    const { cooldown, retry, timeouts: general } = parts.settings();
    const target = findTarget(parts.pool.current, call, { model, providerName: undefined });
    if (target.kind === "refused") return { cause: "general", answer: () => refused(way, target.refusal) };
    const { route } = target;
    journey.noteRoute(route.name);
    const tokens = estimateTokens(route.tokenMean, ask.bytes.length);
    const key = affinityKey(route, call.request.headers, ask);
    const affinity = key === undefined ? {} : { affinity: key };
    const choice = (): Choice => ({
      wanted: wantedFrom(target, call, { nowMs: clock.now(), tokens }),
      tried,
      random,
      ...affinity,
    });

    const mustQueue = parts.room.hasLine(route.name) && line.place?.isFirst() !== true;
    const slot = mustQueue ? undefined : chooseSlot(route, choice());
    const sent = slot === undefined ? undefined : sentModel(slot.backend, target.model, route.pattern);
    const { requestId } = call;
    const terms = { requestId, journey, route, model: sent, estimatedTokens: tokens, cooldown, parts };
    const lease = slot === undefined ? undefined : acquireLease(slot, terms);
    if (slot === undefined || lease === undefined) {
      const waited = await waitInLine(way, { target, choice: choice(), line, waitUntilMs });
      if (journey.isOver()) return gone(way);
      if (!waited) return spent(way, target, { last, choice: choice(), model });
      tried.clear();
      continue;
    }

    const abort = journey.nextAbort();
    if (journey.isOver()) {
      lease.settle({ kind: "abandoned", detail: "client left" });
      return gone(way);
    }
    line.place?.leave();
    line.place = undefined;
    journey.noteAttempt(slot.backend.id);
    tried.add(slot.backend.id);
    const timeouts = timeoutsFor(general, route, slot.backend);
    const patience = readPatience(call, timeouts, ask.stream);
    const firstByte = patience.firstByte(clock.now());
    const answer = await attempt(call, parts, {
      lease,
      model: sent,
      body: ask.bodyFor(sent),
      timeouts,
      firstByte,
      abort,
    });
    if (answer.kind === "flowing") return deliver(way, { answer, abort, timeouts });
    const { outcome } = answer;
    if (outcome.kind === "abandoned") return abandoned(way, outcome);
    const isLast = outcome.kind === "success" || route.retry === undefined;
    if (isLast && answer.kind === "whole" && isCallersOwn(outcome)) {
      const whole = { outcome, answer, slot };
      const cause = causeOf(outcome);
      return cause === undefined
        ? deliverWhole(way, whole)
        : { cause, answer: () => deliverWhole(way, whole) };
    }
    last = { outcome, ...(answer.kind === "whole" ? { answer, slot } : {}) };

    const nowMs = clock.now();
    const untriedLeft = hasUntried(route, choice());
    const situation = { outcome, tries, untriedLeft, nowMs, random: random(), own: route.retry };
    const decision = decideRetry({ ...situation, policy: retry, budget: parts.retryBudget });
    if (decision.kind === "stop" || !patience.allows(nowMs + decision.delayMs))
      return spent(way, target, { last, choice: choice(), model });
    tries = decision.tries;
    if (!untriedLeft) tried.clear();
    if (decision.delayMs > 0) {
      await pause(decision.delayMs, journey.nextAbort().signal);
      journey.noteWait("queue", clock.now() - nowMs);
    }
    if (journey.isOver()) return gone(way);
  }
}

function spent(way: Way, target: Target, leftover: Parameters<typeof exhausted>[2]): Spent {
  const { last } = leftover;
  const cause = last?.outcome.kind === "rejected" ? causeOf(last.outcome) : "general";
  return { cause, answer: () => exhausted(way, target, leftover) };
}

/** Refusals that another model may not repeat. */
function causeOf({ kind, cause }: Outcome): FallbackCause | undefined {
  if (kind !== "rejected") return undefined;
  return cause === "context_window" || cause === "content_policy" ? cause : undefined;
}

interface Line {
  readonly target: Target;
  readonly choice: Choice;
  readonly line: { place: Place | undefined };
  readonly waitUntilMs: number;
}

/** Stands in line while the route is only limited and its turn can come in time; false: refuse now. */
async function waitInLine(
  { parts, journey }: Way,
  { target, choice, line, waitUntilMs }: Line,
): Promise<boolean> {
  const { route } = target;
  const { nowMs } = choice.wanted;
  if (nowMs >= waitUntilMs) return false;
  const none = explainNone(route, weigh(route, choice, false));
  const isOpen = none.kind === "unserved" && parts.room.hasLine(route.name);
  if (none.kind !== "limited" && !isOpen) return false;
  if (nowMs + (none.soonestMs ?? 0) > waitUntilMs) return false;
  line.place ??= parts.room.enter(route.name);
  if (line.place === undefined) return false;
  const leftMs = waitUntilMs - nowMs;
  // Behind others there is nothing to look at until one of them leaves.
  const waitMs = isOpen ? leftMs : Math.min(none.soonestMs ?? leftMs, leftMs);
  const sinceMs = parts.clock.now();
  await line.place.turn(waitMs, journey.nextAbort().signal);
  journey.noteWait("queue", parts.clock.now() - sinceMs);
  return true;
}
