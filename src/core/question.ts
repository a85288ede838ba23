// A question of weir's own to a backend, such as its list of models: asked by the health room, carried by the proxy.
import type { Backend, Family } from "./backend.ts";

export interface Question {
  /** Whose base and key. */
  readonly family: Family;
  /** Below the base, or below the server's root, which is the base without its `/v1`. May carry a query. */
  readonly path: string;
  readonly below: "base" | "root";
  readonly headers: Readonly<Record<string, string>>;
  /** For the whole answer. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** The whole answer, whatever its status. */
export interface Told {
  readonly status: number;
  readonly text: string;
}

/** `GET`s a path of a backend. Rejects when no whole answer comes, with an error whose `code` may be shown. */
export type Ask = (backend: Backend, question: Question) => Promise<Told>;

/** Without the message, which may carry the URL. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown error";
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}
