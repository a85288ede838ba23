// What a start or a reload is made of once everything is parsed: final types and units, defaults filled in.
import type { Secret } from "../core/credential.ts";
import type { FallbackPolicy } from "../core/fallback.ts";
import type { PoolSpec } from "../core/pool.ts";
import type { CooldownPolicy } from "../core/rest.ts";

export interface Config {
  readonly server: ServerConfig;
  /** What clients must send one of; empty: no check. */
  readonly accessKeys: readonly Secret[];
  readonly adminKey?: Secret;
  readonly log: LogConfig;
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
  /** Files whose change asks for a new parse. */
  readonly watched: readonly string[];
}

export interface ServerConfig {
  readonly host: string;
  readonly port: number;
  readonly open: boolean;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly responseHeaders: "weir" | "none" | "litellm";
}

export interface LogConfig {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly format: "auto" | "text" | "json";
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
