// What the data path needs of the configuration; one record, replaced whole on reload.
import type { FallbackPolicy } from "../core/fallback.ts";
import type { CooldownPolicy } from "../core/rest.ts";
import type { RetryPolicy } from "../core/retry.ts";

export interface Timeouts {
  readonly connectMs: number;
  readonly firstByteMs: number;
  readonly streamFirstByteMs: number;
  readonly idleMs: number;
  readonly totalMs: number;
}

export interface ProxySettings {
  readonly retry: RetryPolicy;
  readonly cooldown: CooldownPolicy;
  readonly timeouts: Timeouts;
  readonly fallbacks: FallbackPolicy;
  /** How long a request may wait for a limited slot; 0: not at all. */
  readonly queueMaxWaitMs: number;
  readonly queueMaxSize: number;
  /** A body that must be read before routing may be this long. */
  readonly requestBytes: number;
  readonly responseHeaders: "weir" | "none" | "litellm";
  /** Where further certificate authorities count; one for the life of that setting, as it holds the connections. */
  readonly session?: Bun.FetchSession;
}
