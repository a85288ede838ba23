// Facts that happened, each emitted once; logs, counters and alerts are made from them.
import type { Family } from "./backend.ts";
import type { OutcomeKind } from "./outcome.ts";
import type { Rest } from "./rest.ts";
import type { TokenUsage } from "./usage.ts";

export type ProxyEvent =
  | AttemptStarted
  | AttemptAnswered
  | AttemptFinished
  | RequestFinished
  | {
      /** It was no request for an answer of a model: no token, no such path or method. Told, and counted nowhere. */
      readonly kind: "request_turned_away";
      readonly requestId: string;
      readonly method: string;
      readonly path: string;
      readonly status: number;
      readonly code: string;
    }
  | {
      readonly kind: "rest_began";
      readonly backend: string;
      /** The label; `keyId` is the identity. */
      readonly key: string;
      readonly keyId: string;
      readonly rest: Rest;
    }
  | {
      readonly kind: "pool_changed";
      /** A reload of the configuration, or other addresses of an engine's name. */
      readonly by: "reload" | "names";
      readonly version: number;
      readonly backends: number;
    }
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

/** What the events of one attempt have in common. */
export interface AttemptNames {
  readonly requestId: string;
  readonly provider: string;
  readonly backend: string;
  /** The label; `keyId` is the identity. */
  readonly key: string;
  readonly keyId: string;
  /** By name; the model is the one sent upstream, which a caller may have made up. */
  readonly route: string;
  readonly model?: string;
  /** By which it is counted; see model-label. */
  readonly label: string;
  /** 1 for the first of its request. */
  readonly attempt: number;
  /** What the attempt before it came to; absent for the first. */
  readonly after?: OutcomeKind;
}

export interface AttemptStarted extends AttemptNames {
  readonly kind: "attempt_started";
}

/** A good answer has begun. */
export interface AttemptAnswered extends AttemptNames {
  readonly kind: "attempt_answered";
  readonly firstByteMs: number;
}

export interface AttemptFinished extends AttemptNames {
  readonly kind: "attempt_finished";
  readonly outcome: OutcomeKind;
  /** Absent when no answer came. */
  readonly status?: number | undefined;
  readonly detail: string;
  /** Until a good answer began. */
  readonly firstByteMs?: number | undefined;
  readonly durationMs: number;
  readonly usage?: TokenUsage | undefined;
}

export interface RequestFinished {
  readonly kind: "request_finished";
  readonly requestId: string;
  readonly family: Family;
  readonly method: string;
  readonly path: string;
  readonly model?: string | undefined;
  /** The last one that it was led to; absent when there was none. */
  readonly route?: string | undefined;
  readonly backend?: string | undefined;
  readonly status: number;
  /** Of a refusal of weir's own, such as rate_limit_exceeded. */
  readonly code?: string | undefined;
  readonly attempts: number;
  /** What the last of them came to; absent where nobody was asked. */
  readonly last?: OutcomeKind | undefined;
  /** Models that it went on to after the one asked for. */
  readonly fallbacks: number;
  /** `broken`: the answer began and was cut; `abandoned`: the client left. */
  readonly ending: "complete" | "broken" | "abandoned";
  readonly firstByteMs?: number | undefined;
  readonly durationMs: number;
  /** Of it: waiting for a slot or between attempts. */
  readonly queuedMs: number;
  /** Of it: weir's own, apart from what it does while a backend or the client is busy. */
  readonly overheadMs: number;
  readonly usage?: TokenUsage | undefined;
}

export type Emit = (event: ProxyEvent) => void;
