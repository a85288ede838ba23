// The composition root: a Config in; every part is built, joined, started and stopped here.
import packageJson from "../package.json" with { type: "json" };
import { type AdminTerms, adminPages } from "./admin/pages.ts";
import type { UpstreamStore } from "./admin/store.ts";
import { logTermsOf, type LogWorld, settingsOf, trustOf } from "./app-settings.ts";
import type { Config } from "./config/config.ts";
import { secretsOf } from "./config/secrets.ts";
import { UPSTREAM_SCHEMA } from "./config/upstream-schema.ts";
import { readUpstreamText } from "./config/upstream-text.ts";
import type { Emit, ProxyEvent } from "./core/event.ts";
import { createModelLabels } from "./core/model-label.ts";
import { isDashboardPath, type Page } from "./core/page.ts";
import { createPool, nextSnapshot, type Pool } from "./core/pool.ts";
import { createRetryBudget } from "./core/retry-budget.ts";
import type { Random } from "./core/seams.ts";
import { type HealthTerms, startHealth } from "./health/health.ts";
import { createLogs } from "./notify/logs.ts";
import { startWebhooks, type Webhooks } from "./notify/webhooks.ts";
import { createAccess } from "./proxy/access.ts";
import { askBackend } from "./proxy/ask-backend.ts";
import { createBodyBudget } from "./proxy/body.ts";
import type { Parts } from "./proxy/call.ts";
import { createDialCheck } from "./proxy/dial.ts";
import { createLiveCalls } from "./proxy/live.ts";
import { openPageServer } from "./proxy/page-server.ts";
import { startServer } from "./proxy/server.ts";
import { createWaitingRoom } from "./proxy/waiting-room.ts";
import { realClock } from "./runtime/clock.ts";
import { every } from "./runtime/every.ts";
import { watchProcess } from "./runtime/process-watch.ts";
import { DASHBOARD_PAGES, DASHBOARD_ROOT_PAGES } from "./views/dashboard/pages.ts";
import { explainPage } from "./views/explain-page.ts";
import { healthPages } from "./views/health-pages.ts";
import { modelPages } from "./views/model-pages.ts";
import { viewReadiness } from "./views/readiness.ts";
import { createViews } from "./views/views.ts";

/** What the real world gives: time, chance, a place for log lines. */
export interface World extends LogWorld {
  readonly random: Random;
  readonly createId: () => string;
  readonly hostname: string;
  /** What the admin API holds; absent: there is none. Whoever gives it applies its changes by `reload`. */
  readonly upstreams?: UpstreamStore;
  /** For tests: in place of the defaults. */
  readonly health?: Pick<HealthTerms, "settings" | "lookUp">;
  /** Sees every event too. */
  readonly watch?: (event: ProxyEvent) => void;
}

export interface App {
  readonly port: number;
  /** Of the dashboard, where it has one of its own. */
  readonly dashboardPort?: number;
  /** What did not work and is no hindrance. */
  readonly warnings: readonly string[];
  readonly pool: Pool;
  /** Requests being served. */
  readonly inFlight: () => number;
  /** Bytes of request bodies held. */
  readonly heldBytes: () => number;
  /** Puts a line into the log. */
  readonly warn: (message: string) => void;
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
  let trust = trustOf(config);
  let settings = settingsOf(config, trust);
  let reloadProblems: readonly string[] = [];
  let draining = false;

  const logs = createLogs(logTermsOf(config, world));
  logs.know(secretsOf(config));
  let webhooks: Webhooks | undefined;
  const emit = fanOut([
    (event) => views.emit(event),
    logs.emit,
    (event) => webhooks?.emit(event),
    ...(world.watch ? [world.watch] : []),
  ]);
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
    labelModel: createModelLabels(() => pool.current),
    instanceId,
  };
  const access = createAccess(
    () => ({
      boundHost: config.server.host,
      hostname: world.hostname,
      allowedHosts: current.server.allowedHosts,
      allowedOrigins: current.server.allowedOrigins,
      accessKeys: current.accessKeys,
      adminKey: current.adminKey,
      instanceId,
    }),
    clock.now,
  );
  const readiness = () => {
    const enginesAsked = health.isFirstRoundOver();
    return viewReadiness(pool.current, { nowMs: clock.now(), isDraining: draining, enginesAsked });
  };

  const processWatch = watchProcess(realClock.now);
  const views = createViews({
    snapshot: () => pool.current,
    clock,
    every,
    recentLines: logs.recentLines,
    around: () => ({
      version: packageJson.version,
      readiness: readiness(),
      draining,
      droppedLogLines: logs.dropped(),
      process: { ...processWatch.read(), heldBodyBytes: bodies.heldBytes },
      inFlight: live.count,
      queued: parts.room.waiting,
    }),
  });

  const pages: readonly Page[] = [
    ...healthPages(readiness, () => reloadProblems),
    ...modelPages(() => pool.current),
    ...views.pages,
    explainPage({ snapshot: () => pool.current, fallbacks: () => current.fallbacks, now: clock.now }),
    ...DASHBOARD_PAGES,
    ...access.pages,
    ...(world.upstreams === undefined ? [] : adminPages(adminTerms(world.upstreams))),
  ];
  const { dashboard } = config;
  const isOnServer = dashboard.enabled && (dashboard.port === 0 || dashboard.alsoOnServer);

  const server = startServer({
    host: config.server.host,
    port: config.server.port,
    guard: access.guard,
    pageGuard: access.pageGuard,
    allowedOrigins: () => current.server.allowedOrigins,
    pages: isOnServer ? pages : pages.filter(({ path }) => !isDashboardPath(path)),
    parts,
    createId: world.createId,
    idleSeconds: IDLE_SECONDS,
    isDraining: () => draining,
  });
  const pageServer =
    dashboard.enabled && dashboard.port !== 0
      ? openPageServer({
          host: config.server.host,
          port: dashboard.port,
          guard: access.guard,
          pageGuard: access.pageGuard,
          pages: [...pages.filter(({ access: who }) => who !== "client"), ...DASHBOARD_ROOT_PAGES],
          idleSeconds: IDLE_SECONDS,
          isDraining: () => draining,
          onError: (error) => emit({ kind: "server_error", reason: nameOf(error) }),
        })
      : undefined;
  const health = startHealth({
    pool,
    emit,
    now: clock.now,
    random,
    ask: (backend, question) =>
      askBackend(backend, question, { dialCheck, session: settings.session, now: clock.now }),
    onUsable: () => parts.room.wake(),
    ...world.health,
  });
  webhooks = startWebhooks({
    webhooks: config.webhooks,
    slots: () => pool.current.slots,
    figures: views.status,
    clock,
    host: world.hostname,
    redact: logs.redact,
    note: logs.note,
    ca: () => trust?.ca,
  });

  return {
    port: server.port,
    ...(pageServer?.kind === "open" ? { dashboardPort: pageServer.listener.port } : {}),
    warnings: pageServer?.kind === "closed" ? [pageServer.warning] : [],
    pool,
    inFlight: () => live.count,
    heldBytes: () => bodies.heldBytes,
    warn: (message) => logs.note({ level: "warn", message, fields: {} }),
    reload(next) {
      if (next.upstream.ca !== current.upstream.ca) trust = trustOf(next);
      current = next;
      settings = settingsOf(next, trust);
      access.refresh();
      reloadProblems = [];
      logs.know(secretsOf(next));
      pool.replace((previous) => nextSnapshot(previous, health.expand(next.pool)));
      const { version, slots } = pool.current;
      emit({ kind: "pool_changed", by: "reload", version, backends: slots.length });
      parts.room.wake();
      health.refresh();
      webhooks.update(next.webhooks);
    },
    rejectReload(problems) {
      reloadProblems = problems;
      emit({ kind: "reload_rejected", problems });
    },
    async stop({ skipDelay }) {
      draining = true;
      if (!skipDelay) await wait(current.shutdown.delayMs);
      // Its streams of events have no end of their own.
      views.stop();
      processWatch.stop();
      const drained = server.drain();
      await Promise.race([Promise.all([live.drained(), drained]), wait(current.shutdown.graceMs)]);
      live.endAll();
      await Promise.race([Promise.all([live.drained(), drained]), wait(LAST_WORDS_MS)]);
      await Promise.all([server.close(), pageServer?.kind === "open" && pageServer.listener.close()]);
      await health.stop();
      await webhooks.stop();
      await logs.stop();
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

const adminTerms = (store: UpstreamStore): AdminTerms => ({
  store,
  parse: readUpstreamText,
  schema: UPSTREAM_SCHEMA,
});

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : "unknown");

function fanOut(sinks: readonly Emit[]): Emit {
  return (event) => {
    for (const sink of sinks) sink(event);
  };
}
