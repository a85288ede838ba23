// Joins what counts with what shows: events in, and the pages and the status view that are made of them.
import type { Emit } from "../core/event.ts";
import { createHistory } from "../core/history.ts";
import type { Page } from "../core/page.ts";
import type { PoolSnapshot } from "../core/pool.ts";
import type { Clock } from "../core/seams.ts";
import type { LogLine, StatusView } from "../core/status.ts";
import { createTally } from "../core/tally.ts";
import { type Surroundings, viewStatus } from "../core/view-status.ts";
import { dashboardPage } from "./api/dashboard.ts";
import { createEventFeed } from "./api/events.ts";
import { historyPage } from "./api/history.ts";
import { logPage } from "./api/log.ts";
import { usagePages } from "./api/usage.ts";
import { metricsPage } from "./metrics-page.ts";

export interface ViewsTerms {
  readonly snapshot: () => PoolSnapshot;
  readonly clock: Clock;
  readonly recentLines: () => readonly LogLine[];
  readonly around: () => Omit<Surroundings, "startedMs">;
  /** Calls again and again until it is ended. */
  readonly every: (intervalMs: number, act: () => void) => () => void;
}

export interface Views {
  readonly emit: Emit;
  readonly status: () => StatusView;
  readonly pages: readonly Page[];
  readonly stop: () => void;
}

const TICK_MS = 1000;

export function createViews({ snapshot, clock, recentLines, around, every }: ViewsTerms): Views {
  const startedMs = clock.now();
  const tally = createTally(startedMs);
  const history = createHistory(tally);
  const tick = (): void => {
    const nowMs = clock.now();
    tally.tick(snapshot(), nowMs);
    history.tick(snapshot(), nowMs);
  };
  const wallOffset = createWallOffset(clock);
  const endTicks = every(TICK_MS, tick);
  const status = (): StatusView => {
    const nowMs = clock.now();
    const moment = { nowMs, wallMs: nowMs + wallOffset() };
    return viewStatus(snapshot(), tally, { moment, around: { ...around(), startedMs } });
  };
  const events = createEventFeed({ view: status, recentLines, every });
  const wallAt = (monotonicMs: number): number => wallOffset() + monotonicMs;
  return {
    emit: (event) => tally.take(event, clock.now()),
    status,
    pages: [
      metricsPage(status, tally),
      dashboardPage(status),
      historyPage({ history, wallAt }),
      ...usagePages(status),
      logPage(recentLines),
      events.page,
    ],
    stop() {
      endTicks();
      events.stop();
    },
  };
}

/** Clocks drift by less than this between two looks; more is a clock that was set. */
const STEP_MS = 50;

/** Wall clock less monotonic clock. The same from look to look, or each past time would seem to change by a millisecond. */
function createWallOffset({ now, wall }: Clock): () => number {
  let offsetMs = wall() - now();
  return () => {
    const currentMs = wall() - now();
    if (Math.abs(currentMs - offsetMs) > STEP_MS) offsetMs = currentMs;
    return offsetMs;
  };
}
