// One client's request on its way through: what is known before any backend is chosen, and the parts it needs.
import type { Emit } from "../core/event.ts";
import type { LabelModel } from "../core/model-label.ts";
import type { Operation } from "../core/operation.ts";
import type { Pool } from "../core/pool.ts";
import type { RetryBudget } from "../core/retry-budget.ts";
import type { Clock, Random } from "../core/seams.ts";
import type { BodyBudget } from "./body.ts";
import type { DialCheck } from "./dial.ts";
import type { LiveCalls } from "./live.ts";
import type { ProxySettings } from "./settings.ts";
import type { WaitingRoom } from "./waiting-room.ts";

export interface Call {
  readonly requestId: string;
  readonly request: Request;
  readonly operation: Operation;
  /** As the client wrote it: without the query. */
  readonly path: string;
  /** With its question mark, or empty. */
  readonly search: string;
  /** Monotonic milliseconds. */
  readonly startedMs: number;
  /** The client's connection may be silent from now on, for as long as it takes. */
  readonly holdOpen: () => void;
  /** The answer is about to end: idle limits count again. */
  readonly release: () => void;
}

export interface Parts {
  readonly pool: Pool;
  readonly settings: () => ProxySettings;
  readonly retryBudget: RetryBudget;
  readonly bodies: BodyBudget;
  readonly dialCheck: DialCheck;
  readonly live: LiveCalls;
  readonly room: WaitingRoom;
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: Emit;
  readonly labelModel: LabelModel;
  /** Marks requests that have passed this weir. */
  readonly instanceId: string;
}
