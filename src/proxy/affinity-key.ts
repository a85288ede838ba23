// What tells one conversation from another, for routes that keep each on one backend.
import { firstTurn } from "../core/conversation.ts";
import type { Route } from "../core/route.ts";
import type { Ask } from "./ask.ts";

/** Headers by which clients name a session; the first one present counts. */
const SESSION_HEADERS = [
  "x-session-id",
  "session-id",
  "session_id",
  "x-conversation-id",
  "x-claude-code-session-id",
];

/** Undefined for routes without affinity, and for requests that tell nothing. */
export function affinityKey(route: Route, headers: Headers, ask: Ask): string | undefined {
  switch (route.affinity?.kind) {
    case undefined:
    case "account":
      return undefined;
    case "header":
      return headers.get(route.affinity.name) ?? undefined;
    case "session": {
      if (ask.cacheKey !== undefined) return ask.cacheKey;
      for (const name of SESSION_HEADERS) {
        const value = headers.get(name);
        if (value !== null) return value;
      }
      return firstTurn(ask.bytes);
    }
  }
}
