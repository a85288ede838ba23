// Reads the metrics of every engine that is up, every few seconds, for strategies that look at queues.
import { parseEngineMetrics } from "../core/engine-metrics.ts";
import type { HealthSettings } from "../core/health.ts";
import { type EngineLoad, noteLoad } from "../core/measures.ts";
import type { Pool } from "../core/pool.ts";
import type { Ask, Told } from "../core/question.ts";
import type { Random } from "../core/seams.ts";
import { type After, repeat } from "./repeat.ts";
import { MOST_AT_ONCE } from "./settings.ts";
import { scrapeTargets, statesOf, type Target, watchSettings } from "./targets.ts";

export interface ScraperTerms {
  readonly pool: Pool;
  readonly ask: Ask;
  readonly now: () => number;
  readonly random: Random;
  readonly after: After;
  readonly settings: HealthSettings;
}

export interface Scraper {
  /** Takes over the engines that are up now; each that is new among them is read at once. */
  readonly refresh: () => void;
  readonly stop: () => Promise<void>;
}

const TIMEOUT_MS = 5000;
/** An engine without metrics may be given some, by a restart with another flag; that also ends this pause. */
const ABSENT_PAUSE_MS = 600_000;
/** After failures the pause doubles up to this. */
const LONGEST_PAUSE_MS = 60_000;

export function startScraper({ pool, ask, now, random, after, settings }: ScraperTerms): Scraper {
  const intervalOf = ({ health }: Target): number => health?.metricsIntervalMs ?? settings.metricsIntervalMs;
  const findChanged = watchSettings();
  /** Failures in a row, by target; absent before the first reading. */
  const failures = new Map<string, number>();

  const run = async (target: Target, signal: AbortSignal): Promise<number> => {
    const startedMs = now();
    const intervalMs = intervalOf(target);
    const told = await read(target, signal);
    if (signal.aborted) return 0;
    const atMs = now();
    const load = told?.status === 200 ? loadFrom(told, atMs, intervalMs) : undefined;
    for (const { measures } of statesOf(pool.current, target)) noteLoad(measures, load);
    if (load === undefined && told !== undefined && isAbsent(told.status)) return ABSENT_PAUSE_MS;
    if (load === undefined) {
      const inRow = (failures.get(target.key) ?? 0) + 1;
      failures.set(target.key, inRow);
      return Math.min(LONGEST_PAUSE_MS, intervalMs * 2 ** Math.min(inRow, 20));
    }
    const share = failures.has(target.key) ? 1 : 1 - random();
    failures.set(target.key, 0);
    return startedMs + intervalMs * share - atMs;
  };

  const read = async ({ backend, route }: Target, signal: AbortSignal): Promise<Told | undefined> => {
    const headers = { accept: "text/plain" };
    const { family } = route;
    try {
      return await ask(backend, {
        family,
        path: "/metrics",
        below: "root",
        headers,
        timeoutMs: TIMEOUT_MS,
        signal,
      });
    } catch {
      return undefined; // an engine that does not answer is for the prober to tell
    }
  };

  const rounds = repeat<Target>({ run, mostAtOnce: MOST_AT_ONCE, after });
  return {
    refresh() {
      const targets = scrapeTargets(pool.current);
      rounds.reconcile(targets, findChanged(targets));
      for (const key of failures.keys()) if (!targets.has(key)) failures.delete(key);
    },
    stop: () => rounds.stop(),
  };
}

function loadFrom({ text }: Told, atMs: number, intervalMs: number): EngineLoad | undefined {
  const reading = parseEngineMetrics(text);
  return reading === undefined ? undefined : { ...reading, atMs, intervalMs };
}

/** The server has no such page (llama.cpp without `--metrics`: 501), or another's: asking again soon is no use. */
const isAbsent = (status: number): boolean =>
  status === 200 || status === 501 || (status >= 400 && status < 500);
