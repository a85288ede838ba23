// Made-up views for the page's tests: a pool of hosted keys and engines of any size, in every state.
import type {
  BackendStatus,
  KeyStatus,
  LimitStatus,
  Percentiles,
  StatusView,
  Traffic,
} from "../../../src/core/status.ts";

/** Text that must stay text. */
export const HOSTILE = '<img src=x onerror="window.hacked=1">';

export interface SampleTerms {
  readonly engines?: number;
  readonly keys?: number;
  readonly atMs?: number;
}

export function sampleView({ engines = 6, keys = 8, atMs = Date.now() }: SampleTerms = {}): StatusView {
  const hosted = Array.from({ length: keys }, (_, at) => hostedBackend(at, atMs));
  const local = Array.from({ length: engines }, (_, at) => engineBackend(at, atMs));
  const backends = [...hosted, ...local];
  const keyRows = backends.map((backend) => keyOf(backend, keys));
  const usable = (rows: readonly { readonly state: string }[]) =>
    rows.filter(({ state }) => state === "usable" || state === "untried").length;
  return {
    instance: {
      version: "0.1.0",
      startedAtMs: atMs - 9_240_000,
      atMs,
      uptimeMs: 9_240_000,
      ready: true,
      notReadyReason: null,
      draining: false,
      strategy: "least-used",
      poolVersion: 3,
      reload: { atMs: atMs - 600_000, ok: true, problems: [] },
      reloadsApplied: 2,
      reloadsRejected: 0,
      droppedLogLines: 0,
      process: {
        rssBytes: 71_000_000,
        eventLoopLagMs: 1.4,
        openConnections: 48,
        openDescriptors: 120,
        descriptorLimit: 1_048_576,
        heldBodyBytes: 210_000,
      },
    },
    totals: {
      requests: 184_220,
      succeeded: 183_604,
      rejected: 310,
      refused: 12,
      failed: 88,
      abandoned: 206,
      successShare: 0.9994,
      recentSuccessShare: 0.9871,
      attempts: 186_910,
      retries: 2690,
      fallbacks: 14,
      inFlight: 37,
      queued: 0,
      finishedPerMinute: 842,
      sentPerMinute: 861,
      completedPerMinute: 839,
      failedPerMinute: 0,
      tokensPerMinute: 412_300,
      inputTokens: 61_200_000,
      outputTokens: 22_400_000,
      firstByte: percentiles(420),
      duration: percentiles(3100),
      overhead: percentiles(0.9),
      keysTotal: keyRows.length,
      keysUsable: usable(keyRows),
      keysResting: keyRows.filter(({ state }) => state === "resting").length,
      backendsTotal: backends.length,
      backendsUsable: usable(backends),
      backendsDown: backends.filter(({ state }) => state === "down").length,
      backendsDrained: backends.filter(({ state }) => state === "drained").length,
      balanceRatio: 0.94,
    },
    providers: [providerOf("openai", "hosted", hosted), providerOf("gpu", "engine", local)],
    models: [
      modelOf("gpt-4o", "route", hosted),
      modelOf("qwen/qwen3-32b", "model", local),
      modelOf("other", "other", []),
      modelOf(HOSTILE, "route", hosted),
    ],
    backends,
    keys: keyRows,
    failures: Array.from({ length: 9 }, (_, at) => ({
      seq: at + 1,
      atMs: atMs - (9 - at) * 41_000,
      requestId: `req_01j9x${at}7c2m4`,
      provider: at % 3 === 0 ? "gpu" : "openai",
      backend: at % 3 === 0 ? (local[0]?.id ?? "gpu") : `openai/${at}-c41f`,
      keyLabel: "sk-p…9f2c",
      route: "gpt-4o",
      model: "gpt-4o",
      outcome: at % 3 === 0 ? "failed" : "rate_limited",
      detail: at % 3 === 0 ? "no first byte within 120 s" : "429 rate limit",
      durationMs: at % 3 === 0 ? 120_004 : 180 + at,
    })),
  };
}

const percentiles = (middleMs: number): Percentiles => ({
  samples: 4200,
  p50Ms: middleMs,
  p95Ms: middleMs * 3.2,
  p99Ms: middleMs * 5.9,
});

const traffic = (seed: number): Traffic => ({
  inFlight: (seed * 7) % 9,
  attempts: 22_000 - seed * 17,
  succeeded: 21_600 - seed * 17,
  failed: 40 + seed,
  rateLimited: 12 + (seed % 5),
  successShare: 0.998 - (seed % 7) / 1000,
  sentPerMinute: 40 + ((seed * 13) % 60),
  completedPerMinute: 38 + ((seed * 13) % 60),
  failedPerMinute: 0,
  tokensPerMinute: 21_000 + ((seed * 997) % 40_000),
  inputTokens: 7_100_000,
  outputTokens: 2_400_000,
  lastUsedAtMs: 1_750_000_000_000,
  firstByte: percentiles(260 + ((seed * 31) % 500)),
});

function hostedBackend(at: number, atMs: number): BackendStatus {
  const state =
    (["usable", "resting", "usable", "limited", "usable", "drained", "usable", "untried"] as const)[at % 8] ??
    "usable";
  const untilAtMs =
    state === "resting" ? atMs + 12_000 + at * 1000 : state === "limited" ? atMs + 7000 : null;
  const reasons = {
    resting: `rests ${12 + at} s: 429 rate limit`,
    limited: "rpm limit of the key is reached, free in 7 s",
    drained: "gets nothing new: weight 0",
    usable: "",
    untried: "",
  };
  return {
    ...traffic(at),
    id: `openai/${at}-c41f`,
    provider: "openai",
    kind: "hosted",
    families: ["openai"],
    model: at === 4 ? HOSTILE : "*",
    routes: ["gpt-4o"],
    address: "https://api.openai.com",
    keyId: `openai-key-${at}`,
    keyLabel: `sk-p…${(4096 + at * 7).toString(16)}`,
    weight: state === "drained" ? 0 : 1,
    priority: 0,
    pending: at % 3,
    state,
    reason: reasons[state],
    cause: state === "resting" ? "rate_limit" : null,
    untilAtMs,
    restedSeconds: at % 2 === 1 ? { rate_limit: 340 + at } : {},
    limits: [
      limit("rpm", state === "limited" ? 60 : (at * 11) % 60, 60),
      limit("tpm", 71_000 + at * 3000, 100_000),
    ],
    engine: null,
  };
}

function engineBackend(at: number, atMs: number): BackendStatus {
  const state = at % 11 === 4 ? "down" : at % 17 === 9 ? "resting" : "usable";
  const reason = {
    down: "down: connection refused",
    resting: "rests 31 s: 3 failures in a row: 503 unavailable",
    usable: "",
  };
  return {
    ...traffic(at + 3),
    id: `gpu-10.0.${Math.floor(at / 250)}.${at % 250}:8000-a${(at * 37).toString(16)}`,
    provider: "gpu",
    kind: "engine",
    families: ["openai", "anthropic"],
    model: at % 2 === 0 ? "qwen/qwen3-32b" : "deepseek-ai/DeepSeek-V3.2-Exp",
    routes: [],
    address: `http://10.0.${Math.floor(at / 250)}.${at % 250}:8000`,
    keyId: `gpu@${at}`,
    keyLabel: `10.0.${Math.floor(at / 250)}.${at % 250}:8000`,
    weight: 1,
    priority: 0,
    pending: at % 2,
    state,
    reason: reason[state],
    cause: state === "down" ? "down" : state === "resting" ? "failures" : null,
    untilAtMs: state === "resting" ? atMs + 31_000 : null,
    restedSeconds: {},
    limits: [{ ...limit("concurrency", (at * 5) % 256, 256), of: "backend" }],
    engine: {
      name: "vllm",
      running: (at * 3) % 40,
      waiting: at % 6,
      cacheShare: ((at * 17) % 100) / 100,
      promptTokens: 4_200_000,
      generationTokens: 1_100_000,
    },
  };
}

const limit = (name: LimitStatus["name"], used: number, most: number): LimitStatus => ({
  name,
  of: "key",
  learned: false,
  used,
  limit: most,
  remaining: Math.max(0, most - used),
  resetAtMs: null,
});

function keyOf(backend: BackendStatus, count: number): KeyStatus {
  const { keyId, keyLabel, provider, state, reason, cause, untilAtMs, restedSeconds, limits, weight } =
    backend;
  // An engine's own trouble is not its key's.
  const isEngine = backend.kind === "engine";
  const standing = isEngine
    ? { state: "usable" as const, reason: "", cause: null, untilAtMs: null, restedSeconds: {} }
    : { state, reason, cause, untilAtMs, restedSeconds };
  return {
    ...traffic(backend.attempts % 13),
    ...standing,
    id: keyId,
    provider,
    label: keyLabel,
    backends: 1,
    weight,
    share: 1 / count,
    duration: percentiles(2900),
    limits,
  };
}

function providerOf(
  name: string,
  kind: "hosted" | "engine",
  rows: readonly BackendStatus[],
): StatusView["providers"][number] {
  const usable = rows.filter(({ state }) => state === "usable" || state === "untried").length;
  return {
    ...traffic(2),
    name,
    kind,
    families: ["openai"],
    backendsTotal: rows.length,
    backendsUsable: usable,
    keysTotal: rows.length,
    keysUsable: usable,
    running: kind === "engine" ? 112 : null,
    waiting: kind === "engine" ? 9 : null,
    cacheShare: kind === "engine" ? 0.42 : null,
    balanceRatio: kind === "engine" ? null : 0.94,
  };
}

function modelOf(
  name: string,
  kind: "route" | "model" | "other",
  rows: readonly BackendStatus[],
): StatusView["models"][number] {
  const isEngine = rows[0]?.kind === "engine";
  return {
    ...traffic(name.length),
    name,
    kind,
    strategy: kind === "other" ? null : isEngine ? "least-waiting" : "least-used",
    backendsTotal: rows.length,
    backendsUsable: rows.filter(({ state }) => state === "usable").length,
    running: isEngine ? 112 : null,
    waiting: isEngine ? 9 : null,
    cacheShare: isEngine ? 0.42 : null,
  };
}
