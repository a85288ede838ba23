// Adds up finished requests: what became of them, by route and backend, and how long they took. A part of the tally.
import type { RequestFinished } from "./event.ts";
import { RecentTimes, TimeBuckets } from "./histogram.ts";
import { MinuteRing } from "./minute-ring.ts";
import { requestOutcome } from "./request-outcome.ts";
import type { RequestOutcome } from "./status.ts";

export interface RequestTally {
  readonly outcomes: ReadonlyMap<RequestOutcome, number>;
  readonly fallbacks: number;
  /** See FINISHED. */
  readonly finished: MinuteRing;
  readonly firstByte: RecentTimes;
  readonly duration: RecentTimes;
  readonly overhead: RecentTimes;
  readonly overheads: TimeBuckets;
  readonly queueWaits: TimeBuckets;
}

export interface RouteTally {
  /** By backend id, `none` where none was asked, then by outcome. */
  readonly outcomes: ReadonlyMap<string, ReadonlyMap<RequestOutcome, number>>;
  readonly firstBytes: TimeBuckets;
  readonly durations: TimeBuckets;
}

const NONE = "none";

/** Fields of the requests' minute. Judged are those that succeeded, failed or were refused. */
export const FINISHED = { all: 0, succeeded: 1, judged: 2 } as const;
const JUDGED: ReadonlySet<RequestOutcome> = new Set(["succeeded", "failed", "refused"]);

/** Seconds to minutes for answers, microseconds to seconds for weir's own part; as Prometheus' users expect, powers of 2.5. */
const ANSWER_BOUNDS_MS = [
  5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 60_000, 120_000, 300_000, 600_000,
  1_800_000,
];
const OVERHEAD_BOUNDS_MS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 1000];
const WAIT_BOUNDS_MS = [1, 10, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000];

interface RequestCounter {
  readonly requests: RequestTally;
  readonly routes: ReadonlyMap<string, RouteTally>;
  readonly finishRequest: (event: RequestFinished, atMs: number) => void;
  /** Forgets what was counted at backends that are no longer known. */
  readonly dropRoutes: (isKnown: (backend: string) => boolean) => void;
}

export function createRequestTally(): RequestCounter {
  const routes = new Map<string, WritableRoute>();
  const requests = {
    outcomes: new Map<RequestOutcome, number>(),
    fallbacks: 0,
    finished: new MinuteRing(Object.keys(FINISHED).length),
    firstByte: new RecentTimes(),
    duration: new RecentTimes(),
    overhead: new RecentTimes(),
    overheads: new TimeBuckets(OVERHEAD_BOUNDS_MS),
    queueWaits: new TimeBuckets(WAIT_BOUNDS_MS),
  };
  const finishRequest = (event: RequestFinished, atMs: number): void => {
    const outcome = requestOutcome(event);
    requests.outcomes.set(outcome, (requests.outcomes.get(outcome) ?? 0) + 1);
    requests.fallbacks += event.fallbacks;
    requests.finished.add(FINISHED.all, 1, atMs);
    if (outcome === "succeeded") requests.finished.add(FINISHED.succeeded, 1, atMs);
    if (JUDGED.has(outcome)) requests.finished.add(FINISHED.judged, 1, atMs);
    requests.overheads.add(event.overheadMs);
    requests.overhead.add(event.overheadMs, atMs);
    requests.queueWaits.add(event.queuedMs);
    const route = routeOf(routes, event.route ?? NONE);
    const perBackend = route.outcomes.get(event.backend ?? NONE) ?? new Map<RequestOutcome, number>();
    route.outcomes.set(event.backend ?? NONE, perBackend);
    perBackend.set(outcome, (perBackend.get(outcome) ?? 0) + 1);
    // Refusals take no time, and who left did not want to know: both would flatter.
    if (outcome !== "succeeded" && outcome !== "failed") return;
    requests.duration.add(event.durationMs, atMs);
    route.durations.add(event.durationMs);
    if (event.firstByteMs === undefined || outcome === "failed") return;
    requests.firstByte.add(event.firstByteMs, atMs);
    route.firstBytes.add(event.firstByteMs);
  };

  const dropRoutes = (isKnown: (backend: string) => boolean): void => {
    for (const [name, { outcomes }] of routes) {
      for (const id of outcomes.keys()) if (id !== NONE && !isKnown(id)) outcomes.delete(id);
      if (outcomes.size === 0) routes.delete(name);
    }
  };

  return { requests, routes, finishRequest, dropRoutes };
}

type WritableRoute = Omit<RouteTally, "outcomes"> & {
  readonly outcomes: Map<string, Map<RequestOutcome, number>>;
};

function routeOf(routes: Map<string, WritableRoute>, name: string): WritableRoute {
  let route = routes.get(name);
  if (route === undefined) {
    const [firstBytes, durations] = [new TimeBuckets(ANSWER_BOUNDS_MS), new TimeBuckets(ANSWER_BOUNDS_MS)];
    routes.set(name, (route = { outcomes: new Map(), firstBytes, durations }));
  }
  return route;
}
