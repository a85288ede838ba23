// The listener alone, with parts put together by hand: for settings that the whole app keeps fixed.
import { createModelLabels } from "../../src/core/model-label.ts";
import { createPool } from "../../src/core/pool.ts";
import type { Page } from "../../src/core/page.ts";
import { NO_FALLBACKS } from "../../src/core/fallback.ts";
import { createWaitingRoom } from "../../src/proxy/waiting-room.ts";
import { createRetryBudget } from "../../src/core/retry-budget.ts";
import type { ProxyEvent } from "../../src/core/event.ts";
import { createBodyBudget } from "../../src/proxy/body.ts";
import { createDialCheck } from "../../src/proxy/dial.ts";
import { createAccess } from "../../src/proxy/access.ts";
import { createLiveCalls } from "../../src/proxy/live.ts";
import { startServer } from "../../src/proxy/server.ts";
import { buildConfig, type WeirSetup } from "./weir.ts";

export interface BareServer extends AsyncDisposable {
  readonly port: number;
  readonly events: readonly ProxyEvent[];
  readonly inFlight: () => number;
  readonly heldBytes: () => number;
}

const now = (): number => performance.now();

export function startBareServer(
  setup: WeirSetup,
  { idleSeconds = 120, pages = [] }: { idleSeconds?: number; pages?: readonly Page[] },
): BareServer {
  const { pool, cooldown, timeouts, retry, buffers, server } = buildConfig(setup);
  const events: ProxyEvent[] = [];
  const served = createPool(pool);
  const bodies = createBodyBudget(() => buffers.allRequestsBytes);
  const live = createLiveCalls();
  const access = createAccess(
    () => ({
      boundHost: server.host,
      hostname: "test-host",
      allowedHosts: [],
      allowedOrigins: [],
      accessKeys: [],
      adminKey: undefined,
      instanceId: "bare",
    }),
    now,
  );
  const listening = startServer({
    host: server.host,
    port: 0,
    guard: access.guard,
    pageGuard: access.pageGuard,
    allowedOrigins: () => [],
    pages,
    createId: setup.createId ?? (() => "bare-request"),
    idleSeconds,
    isDraining: () => false,
    parts: {
      pool: served,
      labelModel: createModelLabels(() => served.current),
      settings: () => ({
        retry,
        cooldown,
        timeouts,
        fallbacks: NO_FALLBACKS,
        queueMaxWaitMs: 0,
        queueMaxSize: 0,
        requestBytes: buffers.requestBytes,
        responseHeaders: server.responseHeaders,
      }),
      retryBudget: createRetryBudget({ share: retry.budget, floorPerSecond: 10 }),
      bodies,
      dialCheck: createDialCheck(now),
      live,
      room: createWaitingRoom(() => 0),
      clock: { now, wall: () => Date.now() },
      random: () => 0,
      emit: (event) => void events.push(event),
      instanceId: "bare",
    },
  });
  return {
    port: listening.port,
    events,
    inFlight: () => live.count,
    heldBytes: () => bodies.heldBytes,
    [Symbol.asyncDispose]: () => listening.close(),
  };
}
