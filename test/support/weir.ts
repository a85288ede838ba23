// Starts the whole app on a free port, with chosen time and chance, and checks at the end that nothing was left behind.
import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai";
import OpenAI from "openai";
import { startApp, type App, type World } from "../../src/app.ts";
import type {
  QueueConfig,
  BufferConfig,
  Config,
  DashboardConfig,
  LogConfig,
  RetryConfig,
  ServerConfig,
  ShutdownConfig,
  TimeoutConfig,
} from "../../src/config/config.ts";
import { findProvider, ownsModel } from "../../src/config/providers.ts";
import type { Backend, Endpoint, Family } from "../../src/core/backend.ts";
import { maskSecret, Secret } from "../../src/core/credential.ts";
import type { AttemptFinished, ProxyEvent, RequestFinished } from "../../src/core/event.ts";
import { type FallbackPolicy, NO_FALLBACKS } from "../../src/core/fallback.ts";
import type { PoolSpec, ProviderSpec } from "../../src/core/pool-spec.ts";
import type { CooldownPolicy } from "../../src/core/rest.ts";
import type { Slot } from "../../src/core/seams.ts";
import { until } from "./until.ts";

export interface ProviderSetup {
  /** A name of the table of providers. */
  readonly name: string;
  /** Origins; each gets the table's paths. */
  readonly urls: readonly string[];
  /** None: backends without a key. */
  readonly keys?: readonly string[];
  readonly models?: readonly string[];
  readonly upstreamModel?: string;
  /** Changes what the table gives, for what no option here says. */
  readonly adjust?: (backend: Backend) => Backend;
}

export interface WeirSetup {
  readonly providers: readonly ProviderSetup[];
  /** A parsed configuration in place of everything else here that makes one. */
  readonly config?: Config;
  readonly accessKeys?: readonly string[];
  readonly adminKey?: string;
  readonly dashboard?: Partial<DashboardConfig>;
  readonly server?: Partial<ServerConfig>;
  readonly timeouts?: Partial<TimeoutConfig>;
  readonly retry?: Partial<RetryConfig>;
  readonly cooldown?: Partial<CooldownPolicy>;
  readonly buffers?: Partial<BufferConfig>;
  readonly shutdown?: Partial<ShutdownConfig>;
  /** Ask providers for their models at the start; off, so that the ledger holds only the test's calls. */
  readonly discover?: boolean;
  /** Shorter waits between weir's own questions to engines, and other answers to look-ups. */
  readonly health?: World["health"];
  readonly random?: () => number;
  /** weir's clock stands still unless it is advanced: for rests and waits that are told to the second. */
  readonly still?: boolean;
  readonly createId?: () => string;
  /** The test itself stops weir or leaves requests under way. */
  readonly unchecked?: boolean;
  readonly queue?: Partial<QueueConfig>;
  readonly fallbacks?: Partial<FallbackPolicy>;
  readonly log?: Partial<LogConfig>;
  readonly webhooks?: Config["webhooks"];
  /** Changes the pool that the providers make: routes, aliases, strategies. */
  readonly shapePool?: (pool: PoolSpec) => PoolSpec;
}

/** The token that every client here sends; it must never reach a provider. */
export const CLIENT_KEY = "sk-client-0123456789abcdef";

/** The real SDKs, pointed at one weir and told not to retry by themselves. */
export interface Clients {
  readonly openai: (options?: ConstructorParameters<typeof OpenAI>[0]) => OpenAI;
  readonly anthropic: (options?: ConstructorParameters<typeof Anthropic>[0]) => Anthropic;
  /** Version 3 of Google's SDK asks for `/v1` when it is not told otherwise. */
  readonly gemini: (apiVersion?: string) => GoogleGenAI;
}

export interface Weir extends Clients, AsyncDisposable {
  readonly app: App;
  readonly port: number;
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  readonly events: readonly ProxyEvent[];
  readonly lines: readonly string[];
  readonly requests: () => readonly RequestFinished[];
  readonly attempts: () => readonly AttemptFinished[];
  /** The newest finished request, once there are `count`. */
  readonly finished: (count?: number) => Promise<RequestFinished>;
  /** Resolves once so many providers have listed their models. */
  readonly found: (providers: number) => Promise<void>;
  /** Moves weir's clock forward. */
  readonly advance: (ms: number) => void;
  readonly slot: (key: string) => Slot;
  readonly post: (path: string, body: unknown, init?: RequestInit) => Promise<Response>;
  /** Resolves once no request is being served and no body is held. */
  readonly idle: () => Promise<void>;
}

export function startWeir(setup: WeirSetup): Weir {
  const events: ProxyEvent[] = [];
  const lines: string[] = [];
  // Whole, so that sums and differences of it are exact.
  const startedMs = { now: Math.floor(performance.now()), wall: Date.now() };
  let aheadMs = 0;
  let ids = 0;
  const app = startApp(setup.config ?? buildConfig(setup), {
    clock: {
      now: () => (setup.still === true ? startedMs.now : performance.now()) + aheadMs,
      wall: () => (setup.still === true ? startedMs.wall : Date.now()) + aheadMs,
    },
    random: setup.random ?? (() => 0),
    createId:
      setup.createId ??
      (() => {
        ids += 1;
        return `req-${process.pid}-${ids}-${performance.now()}`;
      }),
    hostname: "test-host",
    ...(setup.health === undefined ? {} : { health: setup.health }),
    log: { format: "json", write: (line) => void lines.push(line) },
    watch: (event) => void events.push(event),
  });
  const url = `http://127.0.0.1:${app.port}`;
  const requests = () => events.filter((event) => event.kind === "request_finished");
  const heldLeases = () => app.pool.current.slots.reduce((sum, slot) => sum + slot.state.inFlight, 0);
  const idle = () =>
    until(
      () => app.inFlight() === 0 && app.heldBytes() === 0 && heldLeases() === 0,
      `weir is idle: in flight ${app.inFlight()}, held bytes ${app.heldBytes()}, leases ${heldLeases()}`,
    );
  return {
    app,
    port: app.port,
    url,
    events,
    lines,
    requests,
    attempts: () => events.filter((event) => event.kind === "attempt_finished"),
    async finished(count = 1) {
      await until(() => requests().length >= count, `${count} requests have finished`);
      const last = requests().at(-1);
      if (last === undefined) throw new Error("no request has finished");
      return last;
    },
    found: (providers) =>
      until(
        () => events.filter((event) => event.kind === "models_discovered").length >= providers,
        `${providers} providers have listed their models`,
      ),
    advance(ms) {
      aheadMs += ms;
    },
    slot(key) {
      const found = app.pool.current.slots.find((slot) => slot.backend.credential.secret?.reveal() === key);
      if (found === undefined) throw new Error(`no backend with the key ${key}`);
      return found;
    },
    post: (path, body, init = {}) =>
      fetch(url + path, {
        method: "POST",
        body: typeof body === "string" ? body : JSON.stringify(body),
        ...init,
        headers: {
          "content-type": "application/json",
          authorization: `Bearer ${CLIENT_KEY}`,
          ...Object.fromEntries(new Headers(init.headers ?? {})),
        },
      }),
    ...clientsOf(url),
    idle,
    async [Symbol.asyncDispose]() {
      try {
        if (setup.unchecked !== true) await idle();
      } finally {
        await app.stop({ skipDelay: true });
      }
    },
  };
}

export function clientsOf(url: string): Clients {
  return {
    openai: (options = {}) =>
      new OpenAI({ apiKey: CLIENT_KEY, baseURL: `${url}/v1`, maxRetries: 0, logLevel: "off", ...options }),
    anthropic: (options = {}) =>
      new Anthropic({ apiKey: CLIENT_KEY, baseURL: url, maxRetries: 0, logLevel: "off", ...options }),
    gemini: (apiVersion = "v1beta") =>
      new GoogleGenAI({ apiKey: CLIENT_KEY, apiVersion, httpOptions: { baseUrl: url } }),
  };
}

/** What a parsed configuration would be, with every default of the contract except the waits, which are short here. */
export function buildConfig(setup: WeirSetup): Config {
  return {
    server: {
      host: "127.0.0.1",
      port: 0,
      open: false,
      allowedHosts: [],
      allowedOrigins: [],
      responseHeaders: "weir",
      ...setup.server,
    },
    accessKeys: (setup.accessKeys ?? []).map((key) => new Secret(key)),
    ...(setup.adminKey === undefined ? {} : { adminKey: new Secret(setup.adminKey) }),
    stateFile: "",
    dashboard: { enabled: true, port: 0, alsoOnServer: false, ...setup.dashboard },
    log: {
      level: "debug",
      format: "auto",
      dir: "",
      maxBytes: 100 * 1024 ** 2,
      maxFiles: 10,
      maxAgeMs: 604_800_000,
      trace: "",
      ...setup.log,
    },
    webhooks: setup.webhooks ?? [],
    retry: { max: 3, budget: 0.2, backoffMs: 20, maxBackoffMs: 100, ...setup.retry },
    cooldown: {
      threshold: 3,
      firstMs: 5000,
      maxMs: 60_000,
      revokedMs: 300_000,
      quotaMs: 3_600_000,
      jitter: 0.2,
      ...setup.cooldown,
    },
    timeouts: {
      connectMs: 10_000,
      firstByteMs: 600_000,
      streamFirstByteMs: 120_000,
      idleMs: 120_000,
      totalMs: 3_600_000,
      ...setup.timeouts,
    },
    queue: { maxWaitMs: 0, maxSize: 1000, ...setup.queue },
    fallbacks: { ...NO_FALLBACKS, ...setup.fallbacks },
    buffers: { requestBytes: 32 * 1024 ** 2, allRequestsBytes: 256 * 1024 ** 2, ...setup.buffers },
    upstream: {},
    shutdown: { delayMs: 0, graceMs: 200, ...setup.shutdown },
    pool: setup.shapePool?.(poolOf(setup)) ?? poolOf(setup),
    warnings: [],
    watched: [],
    files: [],
  };
}

function poolOf({ providers, discover = false }: WeirSetup): PoolSpec {
  const backends = providers.flatMap(backendsOf);
  const specs = providers.map(({ name }): ProviderSpec => {
    const known = knownProvider(name);
    const { modelsRoute } = known;
    return {
      name,
      kind: known.kind,
      main: known.main,
      ownsModel: (model) => ownsModel(known, model),
      ...(discover && modelsRoute !== undefined ? { modelsRoute } : {}),
    };
  });
  const providerRoutes = specs.map(({ name }) => ({
    name,
    backendIds: backends.filter((backend) => backend.provider === name).map((backend) => backend.id),
    strategy: "least-used",
  }));
  return { backends, providers: specs, providerRoutes };
}

/** The id of a provider's backend with its nth key at its nth address, both from 0. */
export const backendId = (provider: string, key: number, url = 0): string => `${provider}-${key}@${url}`;

function backendsOf({
  name,
  urls,
  keys,
  models = [],
  upstreamModel,
  adjust = (backend) => backend,
}: ProviderSetup): readonly Backend[] {
  const known = knownProvider(name);
  return urls.flatMap((url, at) =>
    (keys ?? [undefined]).map((key, keyAt): Backend => {
      const secret = key === undefined ? undefined : new Secret(key);
      return adjust({
        id: backendId(name, keyAt, at),
        provider: name,
        kind: known.kind,
        credential: {
          id: key === undefined ? `${name}@${at}` : `${name}-${keyAt}`,
          provider: name,
          label: secret === undefined ? "no key" : maskSecret(secret),
          limits: {},
          ...(secret === undefined ? {} : { secret }),
        },
        endpoints: Object.fromEntries(
          (Object.entries(known.families) as [Family, { path: string; key: Endpoint["key"] }][]).map(
            ([family, route]) => [
              family,
              { baseUrl: url + route.path, key: route.key, rootPaths: known.rootPaths ?? [] },
            ],
          ),
        ),
        origin: url,
        ownAddress: true,
        models,
        weight: 1,
        priority: 0,
        limits: {},
        ...(upstreamModel === undefined ? {} : { upstreamModel }),
      });
    }),
  );
}

function knownProvider(name: string) {
  const known = findProvider(name);
  if (known === undefined) throw new Error(`no provider "${name}" in the table`);
  return known;
}
