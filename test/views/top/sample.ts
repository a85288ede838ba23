// A status view of any size with plain values, and a weir of one page after another that shows it: for tests of displays.
import type {
  BackendStatus,
  FailureStatus,
  KeyStatus,
  LogLine,
  ModelStatus,
  Percentiles,
  ProviderStatus,
  StateWord,
  StatusView,
  Traffic,
} from "../../../src/core/status.ts";
import { dashboardPage } from "../../../src/views/api/dashboard.ts";
import { createEventFeed } from "../../../src/views/api/events.ts";
import { logPage } from "../../../src/views/api/log.ts";

export const AT_MS = 1_760_000_000_000;

const percentiles = (p50Ms: number): Percentiles => ({
  samples: 200,
  p50Ms,
  p95Ms: p50Ms * 4,
  p99Ms: p50Ms * 9,
});

export const traffic = (seed: number): Traffic => ({
  inFlight: seed % 7,
  attempts: 1000 + seed * 13,
  succeeded: 990 + seed * 13,
  failed: 10,
  rateLimited: seed % 5,
  successShare: 0.99 - (seed % 9) / 100,
  sentPerMinute: 40 + (seed % 30),
  completedPerMinute: 39 + (seed % 30),
  failedPerMinute: 0,
  tokensPerMinute: 12_000 + seed * 100,
  inputTokens: 1_234_567,
  outputTokens: 234_567,
  lastUsedAtMs: AT_MS - seed * 1000,
  firstByte: percentiles(120 + seed * 7),
});

const STANDINGS: readonly [StateWord, string][] = [
  ["usable", ""],
  ["untried", ""],
  ["resting", "rests 12 s: 429 rate limit"],
  ["limited", "rpm limit of the key is reached, free in 8 s"],
  ["down", "down: connection refused"],
  ["drained", "gets nothing new: weight 0"],
];

const RESTED = { rate_limit: 42, quota: 0, revoked: 0, failures: 0, down: 0 };

export function backend(at: number, change: Partial<BackendStatus> = {}): BackendStatus {
  const isEngine = at % 3 === 2;
  const [state, reason] = STANDINGS[at % STANDINGS.length] ?? ["usable", ""];
  return {
    ...traffic(at),
    id: isEngine ? `gpu-${at}` : `openai-${at}`,
    provider: isEngine ? "vllm" : "openai",
    kind: isEngine ? "engine" : "hosted",
    families: ["openai"],
    model: isEngine ? "qwen/qwen3-32b" : "*",
    routes: ["gpt-4o"],
    address: isEngine ? `http://10.0.0.${at % 250}:8000` : "https://api.openai.com",
    keyId: `key-${at}`,
    keyLabel: `sk-…${1000 + at}`,
    weight: 1,
    priority: 1,
    pending: at % 3,
    restedSeconds: RESTED,
    state,
    reason,
    cause: state === "resting" ? "rate_limit" : null,
    untilAtMs: state === "resting" ? AT_MS + 12_000 : null,
    limits: isEngine
      ? []
      : [
          {
            name: "rpm",
            of: "key",
            learned: false,
            used: 41,
            limit: 60,
            remaining: 19,
            resetAtMs: AT_MS + 30_000,
          },
        ],
    engine: isEngine
      ? {
          name: "vllm",
          running: 12,
          waiting: at % 40,
          cacheShare: 0.83,
          promptTokens: 1e6,
          generationTokens: 2e5,
        }
      : null,
    ...change,
  };
}

export function keyOf(from: BackendStatus): KeyStatus {
  const { provider, state, reason, cause, untilAtMs, limits } = from;
  return {
    ...traffic(3),
    id: from.keyId,
    provider,
    label: from.keyLabel,
    backends: 1,
    weight: 1,
    state,
    reason,
    cause,
    untilAtMs,
    limits,
    restedSeconds: RESTED,
    share: 0.25,
    duration: percentiles(900),
  };
}

const provider = (name: string, kind: "hosted" | "engine"): ProviderStatus => ({
  ...traffic(4),
  name,
  kind,
  families: ["openai"],
  backendsTotal: 4,
  backendsUsable: 3,
  keysTotal: 4,
  keysUsable: 3,
  running: kind === "engine" ? 24 : null,
  waiting: kind === "engine" ? 3 : null,
  cacheShare: kind === "engine" ? 0.5 : null,
  balanceRatio: 0.97,
});

const model = (name: string): ModelStatus => ({
  ...traffic(name.length),
  name,
  kind: "route",
  strategy: "least-used",
  backendsTotal: 4,
  backendsUsable: 3,
  running: null,
  waiting: null,
  cacheShare: null,
});

export const failure = (seq: number, change: Partial<FailureStatus> = {}): FailureStatus => ({
  seq,
  atMs: AT_MS - 60_000 + seq * 1000,
  requestId: `req-${seq}`,
  provider: "openai",
  backend: "openai-2",
  keyLabel: "sk-…1002",
  route: "gpt-4o",
  model: "gpt-4o",
  outcome: "rate_limited",
  detail: "429 rate limit",
  durationMs: 82,
  ...change,
});

export const logLine = (seq: number, change: Partial<LogLine> = {}): LogLine => ({
  seq,
  atMs: AT_MS - 60_000 + seq * 1000,
  level: "info",
  message: "request",
  fields: { id: `req-${seq}`, model: "gpt-4o", backend: "openai-0", status: 200, duration_ms: 812.5 },
  ...change,
});

export function sampleView(backends: readonly BackendStatus[], change: Partial<StatusView> = {}): StatusView {
  return {
    instance: {
      version: "0.1.0",
      startedAtMs: AT_MS - 11_520_000,
      atMs: AT_MS,
      uptimeMs: 11_520_000,
      ready: true,
      notReadyReason: null,
      draining: false,
      strategy: "least-used",
      poolVersion: 3,
      reload: { atMs: AT_MS - 300_000, ok: true, problems: [] },
      reloadsApplied: 2,
      reloadsRejected: 0,
      droppedLogLines: 0,
      process: {
        rssBytes: 88_000_000,
        eventLoopLagMs: 1.4,
        openConnections: 37,
        openDescriptors: 61,
        descriptorLimit: 20_000,
        heldBodyBytes: 0,
      },
    },
    totals: {
      requests: 12_345,
      succeeded: 12_200,
      rejected: 20,
      refused: 3,
      failed: 112,
      abandoned: 10,
      successShare: 0.9907,
      recentSuccessShare: 0.975,
      attempts: 13_000,
      retries: 655,
      fallbacks: 4,
      inFlight: 12,
      queued: 2,
      finishedPerMinute: 118,
      sentPerMinute: 121,
      completedPerMinute: 117,
      failedPerMinute: 0,
      tokensPerMinute: 45_600,
      inputTokens: 12_345_678,
      outputTokens: 2_345_678,
      firstByte: percentiles(352),
      duration: percentiles(2100),
      overhead: percentiles(0.4),
      keysTotal: 8,
      keysUsable: 6,
      keysResting: 2,
      backendsTotal: backends.length,
      backendsUsable: backends.length - 1,
      backendsDown: 1,
      backendsDrained: 0,
      balanceRatio: 0.97,
    },
    providers: [provider("openai", "hosted"), provider("vllm", "engine")],
    models: ["claude-sonnet-4", "gpt-4o", "gpt-4o-mini", "qwen/qwen3-32b"].map(model),
    backends,
    keys: backends.filter(({ kind }) => kind === "hosted").map(keyOf),
    failures: [failure(1), failure(2, { outcome: "unreachable", detail: "connection refused" })],
    ...change,
  };
}

export const backendsOf = (count: number): BackendStatus[] =>
  Array.from({ length: count }, (_, at) => backend(at));

export interface ShownWeir extends AsyncDisposable {
  readonly url: string;
  /** Seen with the next beat. */
  show: (view: StatusView) => void;
  log: (line: LogLine) => void;
  readonly asked: readonly string[];
}

/** The real pages over a view of the test's, with quick beats. */
export function showWeir(
  first: StatusView,
  { port = 0, key }: { readonly port?: number; readonly key?: string } = {},
): ShownWeir {
  let view = first;
  const lines: LogLine[] = [logLine(1), logLine(2, { level: "warn", message: "rest began" })];
  const asked: string[] = [];
  const every = (_: number, act: () => void): (() => void) => {
    const timer = setInterval(act, 10);
    return () => clearInterval(timer);
  };
  const feed = createEventFeed({ view: () => view, recentLines: () => lines, every });
  const pages = [dashboardPage(() => view), logPage(() => lines), feed.page];
  const server = Bun.serve({
    port,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    fetch(request) {
      const { pathname } = new URL(request.url);
      asked.push(pathname);
      if (key !== undefined && request.headers.get("authorization") !== `Bearer ${key}`)
        return Response.json({ error: { message: "this needs the admin key" } }, { status: 401 });
      const page = pages.find(({ path }) => path === pathname);
      return page?.respond(request, "127.0.0.1") ?? new Response("no such page", { status: 404 });
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    asked,
    show: (next) => void (view = next),
    log: (line) => void lines.push(line),
    async [Symbol.asyncDispose]() {
      feed.stop();
      await server.stop(true);
    },
  };
}
