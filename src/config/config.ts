// What a start or a reload is made of once everything is parsed: final types and units, defaults filled in.
import type { Secret } from "../core/credential.ts";
import type { FallbackPolicy } from "../core/fallback.ts";
import type { PoolSpec } from "../core/pool-spec.ts";
import type { CooldownPolicy } from "../core/rest.ts";
import type { WebhookConfig } from "../core/webhook.ts";

export interface Config {
  readonly server: ServerConfig;
  /** What clients must send one of; empty: no check. */
  readonly accessKeys: readonly Secret[];
  readonly adminKey?: Secret;
  /** Keeps the upstreams made over HTTP; empty: nothing does. */
  readonly stateFile: string;
  readonly dashboard: DashboardConfig;
  readonly log: LogConfig;
  readonly webhooks: readonly WebhookConfig[];
  readonly retry: RetryConfig;
  readonly cooldown: CooldownPolicy;
  readonly timeouts: TimeoutConfig;
  readonly queue: QueueConfig;
  readonly fallbacks: FallbackPolicy;
  readonly buffers: BufferConfig;
  readonly upstream: UpstreamConfig;
  readonly shutdown: ShutdownConfig;
  readonly pool: PoolSpec;
  /** Said once at start and after a reload that brings new ones. */
  readonly warnings: readonly string[];
  /** Files and folders whose change asks for a new parse. */
  readonly watched: readonly string[];
  /** The configuration files that were read, as they were named. */
  readonly files: readonly string[];
}

export interface ServerConfig {
  readonly host: string;
  readonly port: number;
  readonly open: boolean;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly responseHeaders: "weir" | "none" | "litellm";
}

export interface DashboardConfig {
  readonly enabled: boolean;
  /** A port for it alone, at `/` and `/charts` too; 0: the server's. One that cannot be bound is a warning. */
  readonly port: number;
  /** True where it is on both ports, as LLMRouter's files have it. */
  readonly alsoOnServer: boolean;
}

export interface LogConfig {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly format: "auto" | "text" | "json";
  /** Empty: no files. */
  readonly dir: string;
  readonly maxBytes: number;
  readonly maxFiles: number;
  /** 0: whatever their age. */
  readonly maxAgeMs: number;
  /** File for a line of every attempt; empty: none. */
  readonly trace: string;
}

export interface RetryConfig {
  readonly max: number;
  /** Share of requests, 0.2 for 20 %. */
  readonly budget: number;
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
}

export interface TimeoutConfig {
  readonly connectMs: number;
  readonly firstByteMs: number;
  readonly streamFirstByteMs: number;
  readonly idleMs: number;
  readonly totalMs: number;
}

export interface QueueConfig {
  /** 0: requests do not wait. */
  readonly maxWaitMs: number;
  readonly maxSize: number;
}

export interface BufferConfig {
  readonly requestBytes: number;
  readonly allRequestsBytes: number;
}

export interface UpstreamConfig {
  /** PEM text of further certificate authorities. */
  readonly ca?: string;
}

export interface ShutdownConfig {
  readonly delayMs: number;
  readonly graceMs: number;
}
