// Facts that happened, each emitted once; logs, counters and alerts are made from them.
import type { Family } from "./backend.ts";
import type { OutcomeKind } from "./outcome.ts";
import type { Rest } from "./rest.ts";
import type { TokenUsage } from "./usage.ts";

export type ProxyEvent =
  | AttemptFinished
  | RequestFinished
  | { readonly kind: "rest_began"; readonly backend: string; readonly key: string; readonly rest: Rest }
  | { readonly kind: "pool_changed"; readonly version: number; readonly backends: number }
  | { readonly kind: "reload_rejected"; readonly problems: readonly string[] }
  | { readonly kind: "models_discovered"; readonly provider: string; readonly models: number }
  | { readonly kind: "discovery_failed"; readonly provider: string; readonly reason: string }
  | EngineEvent
  | { readonly kind: "server_error"; readonly reason: string };

/** What probes of engines found out. `address` is the origin that is dialled, or the name that was resolved. */
export type EngineEvent =
  | { readonly kind: "engine_up"; readonly backend: string; readonly address: string }
  | {
      readonly kind: "engine_down";
      readonly backend: string;
      readonly address: string;
      readonly reason: string;
    }
  /** It is up, but not for this key; `key` is the label. */
  | {
      readonly kind: "engine_key_refused";
      readonly backend: string;
      readonly address: string;
      readonly key: string;
      readonly status: number;
    }
  /** Every engine has been asked once, or the time for that is over. */
  | { readonly kind: "engines_probed"; readonly up: number; readonly engines: number }
  /** A name has other addresses than before. */
  | { readonly kind: "addresses_changed"; readonly address: string; readonly found: readonly string[] };

export interface AttemptFinished {
  readonly kind: "attempt_finished";
  readonly requestId: string;
  readonly backend: string;
  readonly key: string;
  readonly outcome: OutcomeKind;
  readonly detail: string;
  readonly durationMs: number;
}

export interface RequestFinished {
  readonly kind: "request_finished";
  readonly requestId: string;
  readonly family: Family;
  readonly method: string;
  readonly path: string;
  readonly model?: string;
  readonly backend?: string;
  readonly status: number;
  readonly attempts: number;
  /** `broken`: the answer began and was cut; `abandoned`: the client left. */
  readonly ending: "complete" | "broken" | "abandoned";
  readonly firstByteMs?: number;
  readonly durationMs: number;
  readonly usage?: TokenUsage;
}

export type Emit = (event: ProxyEvent) => void;
