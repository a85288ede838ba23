// Everything that a display may show, as plain values: made by viewStatus, formatted by metrics, pages, terminal, reports.
// All of it can be written as JSON: null stands for what is not known. Keys are masked, all lists are bounded.
import type { Family } from "./backend.ts";
import type { LimitKind } from "./limit.ts";
import type { OutcomeKind } from "./outcome.ts";
import type { RestCause } from "./rest.ts";

/** Fields that end in `AtMs` are wall-clock milliseconds since 1970; counts are since the start of weir. */
export interface StatusView {
  readonly instance: InstanceStatus;
  readonly totals: TotalStatus;
  /** In the order of the configuration. */
  readonly providers: readonly ProviderStatus[];
  /** What clients ask for, sorted by name: routes, patterns, and models that are configured, served by engines or used. */
  readonly models: readonly ModelStatus[];
  /** In the order of the configuration. */
  readonly backends: readonly BackendStatus[];
  /** In the order of the configuration; one of an engine that needs no key stands for its address. */
  readonly keys: readonly KeyStatus[];
  /** Attempts that went wrong, newest last; see MOST_FAILURES. */
  readonly failures: readonly FailureStatus[];
}

export interface InstanceStatus {
  readonly version: string;
  readonly startedAtMs: number;
  /** When this view was made. */
  readonly atMs: number;
  readonly uptimeMs: number;
  readonly ready: boolean;
  /** Why not ready, in words. */
  readonly notReadyReason: string | null;
  readonly draining: boolean;
  /** Of the providers' own routes; several names where they differ. */
  readonly strategy: string;
  /** Goes up with each reload and each discovery. */
  readonly poolVersion: number;
  /** The last one; null when there was none. */
  readonly reload: ReloadStatus | null;
  readonly reloadsApplied: number;
  readonly reloadsRejected: number;
  /** Lines that the log could not take. */
  readonly droppedLogLines: number;
  readonly process: ProcessStatus;
}

export interface ReloadStatus {
  readonly atMs: number;
  readonly ok: boolean;
  /** Why it was rejected; the pool before it goes on. */
  readonly problems: readonly string[];
}

export interface ProcessStatus {
  readonly rssBytes: number;
  /** The longest that a timer came late within the last seconds. */
  readonly eventLoopLagMs: number;
  /** Sockets, to clients and to backends; null where the system does not tell, or where they are too many to look at. */
  readonly openConnections: number | null;
  readonly openDescriptors: number | null;
  readonly descriptorLimit: number | null;
  /** Bytes of request bodies held in memory. */
  readonly heldBodyBytes: number;
}

/** Of a recent window of about five minutes; null while it holds no sample. */
export interface Percentiles {
  readonly samples: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
}

/**
 * What became of a request. `rejected`: the caller's mistake, whoever said so. `refused`: by weir, since nobody could be
 * asked. `failed`: backends were asked, and none gave a good answer, or it broke. `abandoned`: the client left.
 */
export type RequestOutcome = "succeeded" | "rejected" | "refused" | "failed" | "abandoned";

export interface TotalStatus {
  /** Finished ones; the sum of the five that follow. */
  readonly requests: number;
  readonly succeeded: number;
  readonly rejected: number;
  readonly refused: number;
  readonly failed: number;
  readonly abandoned: number;
  /** 0 to 1: succeeded of those that succeeded, failed or were refused; null before the first. */
  readonly successShare: number | null;
  /** The same of those finished in the last 60 s: after days, the share since the start shows no trouble of now. */
  readonly recentSuccessShare: number | null;
  /** Sent to backends. */
  readonly attempts: number;
  /** Attempts after the first of their request. */
  readonly retries: number;
  /** Requests that went on to another model. */
  readonly fallbacks: number;
  readonly inFlight: number;
  /** Waiting for a slot. */
  readonly queued: number;
  /** Requests finished in the last 60 s. */
  readonly finishedPerMinute: number;
  /** Attempts sent in the last 60 s. */
  readonly sentPerMinute: number;
  /** Attempts that ended well in the last 60 s. */
  readonly completedPerMinute: number;
  /** Attempts that ended badly in the last 60 s. */
  readonly failedPerMinute: number;
  /** In and out. */
  readonly tokensPerMinute: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** From a request's arrival to the first byte of its answer: for streams, the time to the first token. */
  readonly firstByte: Percentiles;
  readonly duration: Percentiles;
  /** Weir's own share of it: neither waiting for a backend, nor for a slot, nor for the client. */
  readonly overhead: Percentiles;
  /** Addresses that need no key are none, though each has a row in `keys`. */
  readonly keysTotal: number;
  readonly keysUsable: number;
  readonly keysResting: number;
  readonly backendsTotal: number;
  readonly backendsUsable: number;
  readonly backendsDown: number;
  readonly backendsDrained: number;
  /** The least even of the providers'; null when none has several keys in use. */
  readonly balanceRatio: number | null;
}

/** What providers, models, backends and keys have in common. */
export interface Traffic {
  /** Begun and not ended. */
  readonly inFlight: number;
  readonly attempts: number;
  readonly succeeded: number;
  /** Ended badly, through no fault of the caller: rate limits, refused keys, broken answers. */
  readonly failed: number;
  readonly rateLimited: number;
  /** 0 to 1, of those that succeeded or failed. */
  readonly successShare: number | null;
  readonly sentPerMinute: number;
  readonly completedPerMinute: number;
  /** Attempts that ended badly in the last 60 s. */
  readonly failedPerMinute: number;
  readonly tokensPerMinute: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly lastUsedAtMs: number | null;
  /** From sending an attempt to the first byte of a good answer. */
  readonly firstByte: Percentiles;
}

export interface ProviderStatus extends Traffic {
  readonly name: string;
  readonly kind: "hosted" | "engine";
  readonly families: readonly Family[];
  readonly backendsTotal: number;
  readonly backendsUsable: number;
  readonly keysTotal: number;
  readonly keysUsable: number;
  /** Sums of what its engines say; null when none of them says anything. */
  readonly running: number | null;
  readonly waiting: number | null;
  /** 0 to 1: the mean of theirs. */
  readonly cacheShare: number | null;
  /** 0 to 1: least and most used of its keys, by weight; null while fewer than two can be compared. */
  readonly balanceRatio: number | null;
}

export interface ModelStatus extends Traffic {
  /** `other` counts every name that no configuration and no backend knows. */
  readonly name: string;
  readonly kind: "route" | "pattern" | "model" | "other";
  readonly strategy: string | null;
  /** Those that may serve it. */
  readonly backendsTotal: number;
  readonly backendsUsable: number;
  /** Sums of what the engines among them say; null when none of them says anything. */
  readonly running: number | null;
  readonly waiting: number | null;
  /** 0 to 1: the mean of theirs. */
  readonly cacheShare: number | null;
}

/**
 * `untried`: usable, but not used yet. `limited`: at one of its limits. `resting`: for a cause; see `reason`. `down`: probes
 * say so. `drained`: weight 0, gets nothing new.
 */
export type StateWord = "usable" | "untried" | "limited" | "resting" | "down" | "drained";

export interface Standing {
  readonly state: StateWord;
  /** In words, such as `rests 12 s: 429 rate limit`; empty where the state says it all. */
  readonly reason: string;
  /** Why it rests; null when it does not. */
  readonly cause: RestCause | null;
  /** When the state is over by itself; null when nobody knows. */
  readonly untilAtMs: number | null;
  /** Spent resting, by cause; a cause that never came is absent. */
  readonly restedSeconds: Readonly<Partial<Record<RestCause, number>>>;
}

export interface BackendStatus extends Traffic, Standing {
  readonly id: string;
  readonly provider: string;
  readonly kind: "hosted" | "engine";
  readonly families: readonly Family[];
  /** The name sent upstream, or those it is for; `*` for any. */
  readonly model: string;
  /** Names of the routes it serves, its provider's own not among them. */
  readonly routes: readonly string[];
  /** Scheme, host and port. */
  readonly address: string;
  readonly keyId: string;
  /** Masked. */
  readonly keyLabel: string;
  readonly weight: number;
  readonly priority: number;
  /** In flight without a byte of the answer yet. */
  readonly pending: number;
  readonly limits: readonly LimitStatus[];
  /** Null for hosted ones, and while the engine says nothing. */
  readonly engine: EngineStatus | null;
}

export interface LimitStatus {
  readonly name: LimitKind;
  readonly of: "key" | "backend";
  /** True when the provider told it, false when it is configured. */
  readonly learned: boolean;
  readonly used: number | null;
  readonly limit: number | null;
  readonly remaining: number | null;
  /** When all of it is back, as far as known. */
  readonly resetAtMs: number | null;
}

export interface EngineStatus {
  /** `vllm`, `sglang`, `llamacpp`, or `unnamed`. */
  readonly name: string;
  readonly running: number;
  readonly waiting: number;
  /** 0 to 1. */
  readonly cacheShare: number | null;
  /** Since the engine's start. */
  readonly promptTokens: number | null;
  readonly generationTokens: number | null;
}

export interface KeyStatus extends Traffic, Standing {
  readonly id: string;
  readonly provider: string;
  /** Masked. */
  readonly label: string;
  /** How many backends use it. */
  readonly backends: number;
  /** The largest of theirs. */
  readonly weight: number;
  /** 0 to 1: of the attempts of its provider. */
  readonly share: number | null;
  /** From sending an attempt to its end. */
  readonly duration: Percentiles;
  readonly limits: readonly LimitStatus[];
}

export interface FailureStatus {
  /** Goes up by one with each, from 1. */
  readonly seq: number;
  readonly atMs: number;
  readonly requestId: string;
  readonly provider: string;
  readonly backend: string;
  /** Masked. */
  readonly keyLabel: string;
  readonly route: string;
  /** As in `models`. */
  readonly model: string;
  readonly outcome: OutcomeKind;
  /** In words: `429 rate limit`. */
  readonly detail: string;
  readonly durationMs: number;
}

/** As many failures are kept. */
export const MOST_FAILURES = 100;

/** A line of the log, as `/api/log` gives it. */
export interface LogLine {
  /** Goes up by one with each, from 1. */
  readonly seq: number;
  readonly atMs: number;
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly fields: Readonly<Record<string, string | number | undefined>>;
}
