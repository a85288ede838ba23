// The composition root: a Config in; every part is built, joined, started and stopped here.
import type { Config } from "./config/config.ts";
import type { Emit, ProxyEvent } from "./core/event.ts";
import { createPool, nextSnapshot, type Pool } from "./core/pool.ts";
import { createRetryBudget } from "./core/retry-budget.ts";
import type { Clock, Random } from "./core/seams.ts";
import { type HealthTerms, startHealth } from "./health/health.ts";
import { createLog } from "./notify/log.ts";
import { askBackend } from "./proxy/ask-backend.ts";
import { createBodyBudget } from "./proxy/body.ts";
import type { Parts } from "./proxy/call.ts";
import { createDialCheck } from "./proxy/dial.ts";
import { createGuard } from "./proxy/guard.ts";
import { createLiveCalls } from "./proxy/live.ts";
import { startServer } from "./proxy/server.ts";
import type { ProxySettings } from "./proxy/settings.ts";
import { createWaitingRoom } from "./proxy/waiting-room.ts";
import { healthPages } from "./views/health-pages.ts";
import { modelPages } from "./views/model-pages.ts";
import { viewReadiness } from "./views/readiness.ts";

/** What the real world gives: time, chance, a place for log lines. */
export interface World {
  readonly clock: Clock;
  readonly random: Random;
  readonly createId: () => string;
  readonly hostname: string;
  readonly log: { readonly format: "text" | "json"; readonly write: (line: string) => void };
  /** For tests: in place of the defaults. */
  readonly health?: Pick<HealthTerms, "settings" | "lookUp">;
  /** Sees every event too. */
  readonly watch?: (event: ProxyEvent) => void;
}

export interface App {
  readonly port: number;
  readonly pool: Pool;
  /** Requests being served. */
  readonly inFlight: () => number;
  /** Bytes of request bodies held. */
  readonly heldBytes: () => number;
  readonly reload: (config: Config) => void;
  readonly rejectReload: (problems: readonly string[]) => void;
  /** Not ready at once, served with `Connection: close` for `delayMs`, then streams get the grace to finish. */
  readonly stop: (options: { readonly skipDelay: boolean }) => Promise<void>;
}

/** A retry may be made for a fifth of the requests, but ten a second in any case. */
const RETRIES_PER_SECOND = 10;

export function startApp(config: Config, world: World): App {
  const { clock, random } = world;
  let current = config;
  let settings = settingsOf(config);
  let reloadProblems: readonly string[] = [];
  let draining = false;

  const emit = fanOut(createLogOf(config, world), world.watch);
  const pool = createPool(config.pool);
  const dialCheck = createDialCheck(clock.now);
  const bodies = createBodyBudget(() => current.buffers.allRequestsBytes);
  const live = createLiveCalls();
  const instanceId = world.createId();
  const parts: Parts = {
    pool,
    settings: () => settings,
    retryBudget: createRetryBudget({ share: config.retry.budget, floorPerSecond: RETRIES_PER_SECOND }),
    bodies,
    dialCheck,
    live,
    room: createWaitingRoom(() => settings.queueMaxSize),
    clock,
    random,
    emit,
    instanceId,
  };
  const makeGuard = () =>
    createGuard({
      boundHost: config.server.host,
      hostname: world.hostname,
      allowedHosts: current.server.allowedHosts,
      allowedOrigins: current.server.allowedOrigins,
      accessKeys: current.accessKeys,
      instanceId,
    });
  let guard = makeGuard();
  const readiness = () => {
    const enginesAsked = health.isFirstRoundOver();
    return viewReadiness(pool.current, { nowMs: clock.now(), isDraining: draining, enginesAsked });
  };

  const server = startServer({
    host: config.server.host,
    port: config.server.port,
    guard: () => guard,
    allowedOrigins: () => current.server.allowedOrigins,
    pages: [...healthPages(readiness, () => reloadProblems), ...modelPages(() => pool.current)],
    parts,
    createId: world.createId,
    idleSeconds: IDLE_SECONDS,
    isDraining: () => draining,
  });
  const health = startHealth({
    pool,
    emit,
    now: clock.now,
    random,
    ask: (backend, question) =>
      askBackend(backend, question, { dialCheck, tls: settings.tls, now: clock.now }),
    onUsable: () => parts.room.wake(),
    ...world.health,
  });

  return {
    port: server.port,
    pool,
    inFlight: () => live.count,
    heldBytes: () => bodies.heldBytes,
    reload(next) {
      current = next;
      settings = settingsOf(next);
      guard = makeGuard();
      reloadProblems = [];
      pool.replace((previous) => nextSnapshot(previous, health.expand(next.pool)));
      const { version, slots } = pool.current;
      emit({ kind: "pool_changed", version, backends: slots.length });
      health.refresh();
    },
    rejectReload(problems) {
      reloadProblems = problems;
      emit({ kind: "reload_rejected", problems });
    },
    async stop({ skipDelay }) {
      draining = true;
      if (!skipDelay) await wait(current.shutdown.delayMs);
      const drained = server.drain();
      await Promise.race([Promise.all([live.drained(), drained]), wait(current.shutdown.graceMs)]);
      live.endAll();
      await Promise.race([Promise.all([live.drained(), drained]), wait(LAST_WORDS_MS)]);
      await server.close();
      await health.stop();
    },
  };
}

/** Slow enough for clients that keep connections, fast enough against those that hold them. Bun's limit is 255. */
const IDLE_SECONDS = 120;

/** For the error events of streams that did not end in time to reach their clients. */
const LAST_WORDS_MS = 1000;

/** A timer that does not keep the process alive by itself. */
const wait = (delayMs: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, delayMs).unref();
  });

function settingsOf(config: Config): ProxySettings {
  const { retry, upstream } = config;
  return {
    retry: { max: retry.max, backoffMs: retry.backoffMs, maxBackoffMs: retry.maxBackoffMs },
    cooldown: config.cooldown,
    timeouts: config.timeouts,
    fallbacks: config.fallbacks,
    queueMaxWaitMs: config.queue.maxWaitMs,
    queueMaxSize: config.queue.maxSize,
    requestBytes: config.buffers.requestBytes,
    responseHeaders: config.server.responseHeaders,
    ...(upstream.ca === undefined ? {} : { tls: { ca: upstream.ca } }),
  };
}

function createLogOf(config: Config, { log, clock }: World): Emit {
  const format = config.log.format === "auto" ? log.format : config.log.format;
  return createLog({ level: config.log.level, format, wall: clock.wall, write: log.write });
}

function fanOut(first: Emit, second: Emit | undefined): Emit {
  if (second === undefined) return first;
  return (event) => {
    first(event);
    second(event);
  };
}
