// What a request asks for, once read: its family and operation, model, key, body and size.
import type { WireRequest } from "../wire-request.ts";
import type { Json } from "./answer.ts";

export type Family = "openai" | "anthropic" | "gemini" | "engine";

export interface Ask {
  /** The number of the call in the ledger. */
  readonly id: number;
  readonly request: WireRequest;
  readonly family: Family;
  readonly operation: string;
  /** The variable part of the path, such as a file's id. */
  readonly object: string;
  readonly model: string;
  readonly stream: boolean;
  /** The JSON body; undefined if there is none or it cannot be read. */
  readonly json: Json | undefined;
  /** The key as it was presented; empty if there was none. */
  readonly key: string;
  readonly promptTokens: number;
}
