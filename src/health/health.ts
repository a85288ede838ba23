// What weir asks of its backends by itself: engines again and again (probe, metrics, addresses), hosted providers once.
import type { Emit } from "../core/event.ts";
import type { HealthSettings } from "../core/health.ts";
import type { Pool } from "../core/pool.ts";
import type { PoolSpec } from "../core/pool-spec.ts";
import type { Ask } from "../core/question.ts";
import type { Random } from "../core/seams.ts";
import { startDiscovery } from "./discover.ts";
import { lookUpName, type LookUp, startNames } from "./names.ts";
import { startProber } from "./prober.ts";
import { type After, realAfter } from "./repeat.ts";
import { startScraper } from "./scraper.ts";
import { HEALTH_DEFAULTS } from "./settings.ts";

export interface HealthTerms {
  readonly pool: Pool;
  readonly ask: Ask;
  readonly emit: Emit;
  readonly now: () => number;
  readonly random: Random;
  /** A backend may be usable that was not. */
  readonly onUsable: () => void;
  readonly settings?: Partial<HealthSettings>;
  readonly lookUp?: LookUp;
  readonly after?: After;
}

export interface HealthRoom {
  /** A configured spec as it is to be used: names of several servers become one backend for each. */
  readonly expand: (spec: PoolSpec) => PoolSpec;
  /** After every reload: what is new is asked at once, what is gone no more, what stays keeps its time. */
  readonly refresh: () => void;
  /** Until then readiness does not count engines. */
  readonly isFirstRoundOver: () => boolean;
  readonly stop: () => Promise<void>;
}

export function startHealth(given: HealthTerms): HealthRoom {
  const settings = { ...HEALTH_DEFAULTS, ...given.settings };
  const { pool, ask, emit, now, random, lookUp = lookUpName, after = realAfter } = given;
  const scraper = startScraper({ pool, ask, now, random, after, settings });
  const onChange = (): void => {
    scraper.refresh();
    given.onUsable();
  };
  const prober = startProber({ pool, ask, emit, now, random, after, settings, onChange });
  const refreshEngines = (): void => {
    prober.refresh();
    scraper.refresh();
  };
  const names = startNames({ pool, emit, after, lookUp, onChange: refreshEngines });
  const discovery = startDiscovery({ pool, ask, emit });
  names.refresh();
  discovery.refresh();
  return {
    expand: names.expand,
    refresh() {
      names.refresh();
      refreshEngines();
      discovery.refresh();
    },
    isFirstRoundOver: prober.isFirstRoundOver,
    async stop() {
      await Promise.all([names.stop(), prober.stop(), scraper.stop(), discovery.stop()]);
    },
  };
}
