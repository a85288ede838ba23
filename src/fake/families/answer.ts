// What an operation gives back: a whole body, or a stream of paced steps. The words of it come from a Voice.

export type Piece = string | Uint8Array;

interface WholeBody {
  readonly kind: "whole";
  readonly type: string;
  readonly data: Piece;
}

/** A stream: the opening goes out with the first step, the steps one by one in time, the closing after the last. */
export interface StreamBody {
  readonly kind: "stream";
  readonly type: string;
  readonly opening: Piece;
  step(index: number): Piece;
  closing(): Piece;
  /** The family's way to tell of an error once the status is out. */
  errorEvent(error: unknown): string;
}

export interface Answer {
  readonly status: number;
  readonly body: WholeBody | StreamBody;
  /** Paced steps; also of a whole body, which takes as long as its stream would. */
  readonly steps: number;
  readonly tokensPerStep: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Json = Readonly<Record<string, unknown>>;

/** A whole JSON answer that costs no completion tokens. */
export function jsonAnswer(value: unknown, status = 200): Answer {
  const body: WholeBody = { kind: "whole", type: "application/json", data: JSON.stringify(value) };
  return { status, body, steps: 1, tokensPerStep: 0 };
}

/** A server-sent event with data only, and one with a name. */
export const dataEvent = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
export const namedEvent = (value: Json & { readonly type: string }): string =>
  `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`;

export const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

export const numberOf = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) ? value : undefined;

export const jsonOf = (value: unknown): Json | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : undefined;

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
