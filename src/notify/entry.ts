// What is said of an event: a level, a message and fields, never a prompt. The one form that lines and displays are made of.
import type { AttemptFinished, ProxyEvent, RequestFinished } from "../core/event.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

export const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

export type Fields = Readonly<Record<string, string | number | undefined>>;

export interface Entry {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Fields;
}

export const rounded = (ms: number | undefined): number | undefined =>
  ms === undefined ? undefined : Math.round(ms * 10) / 10;

/** What attempts and requests are measured by. */
export function measuresOf({ firstByteMs, durationMs, usage }: AttemptFinished | RequestFinished): Fields {
  return {
    first_byte_ms: rounded(firstByteMs),
    duration_ms: rounded(durationMs),
    tokens_in: usage?.inputTokens,
    tokens_out: usage?.outputTokens,
  };
}

/** Undefined for the steps that come before the one that is told. */
export function describeEvent(event: ProxyEvent): Entry | undefined {
  switch (event.kind) {
    case "request_finished": {
      const belied = outcomeBelied(event);
      const isBad = event.status >= 500 || event.ending === "broken" || belied !== undefined;
      const fields = {
        id: event.requestId,
        method: event.method,
        path: event.path,
        model: event.model,
        backend: event.backend,
        status: event.status,
        code: event.code,
        attempts: event.attempts,
        outcome: belied,
        ending: event.ending === "complete" ? undefined : event.ending,
        // Else a long wait in weir would look like a slow backend.
        queued_ms: event.queuedMs < 1 ? undefined : rounded(event.queuedMs),
        ...measuresOf(event),
      };
      return { level: isBad ? "warn" : "info", message: "request", fields };
    }
    case "request_turned_away": {
      const { requestId: id, method, path, status, code } = event;
      return { level: "info", message: "request", fields: { id, method, path, status, code } };
    }
    case "attempt_started":
    case "attempt_answered":
      return undefined;
    case "attempt_finished": {
      const { requestId: id, attempt, backend, key, outcome, detail } = event;
      return {
        level: "debug",
        message: "attempt",
        fields: { id, attempt, backend, key, outcome, detail, ...measuresOf(event) },
      };
    }
    case "rest_began": {
      const { backend, key, rest } = event;
      const seconds = Math.round((rest.untilMs - rest.sinceMs) / 100) / 10;
      const concerned = rest.cause === "failures" || rest.cause === "down" ? { backend } : { key, backend };
      return {
        level: "warn",
        message: "resting",
        fields: { ...concerned, cause: rest.cause, detail: rest.detail, seconds },
      };
    }
    case "pool_changed":
      return {
        level: "info",
        message: "pool changed",
        fields: { version: event.version, backends: event.backends },
      };
    case "reload_rejected":
      return {
        level: "error",
        message: "reload rejected, the old pool stays",
        fields: { problems: event.problems.join("; ") },
      };
    case "models_discovered":
      return {
        level: "info",
        message: "models found",
        fields: { provider: event.provider, models: event.models },
      };
    case "discovery_failed":
      return {
        level: "warn",
        message: "no list of models",
        fields: { provider: event.provider, reason: event.reason },
      };
    case "engine_up":
      return {
        level: "info",
        message: "engine is up",
        fields: { backend: event.backend, address: event.address },
      };
    case "engine_down": {
      const { backend, address, reason } = event;
      return { level: "warn", message: "engine is down", fields: { backend, address, reason } };
    }
    case "engine_key_refused": {
      const { backend, address, key, status } = event;
      return {
        level: "error",
        message: "engine is up but refuses the key",
        fields: { backend, address, key, status },
      };
    }
    case "engines_probed":
      return {
        level: event.up === 0 ? "warn" : "info",
        message: "engines asked",
        fields: { up: event.up, engines: event.engines },
      };
    case "addresses_changed":
      return {
        level: "info",
        message: "addresses of an engine changed",
        fields: { address: event.address, found: event.found.join(" ") },
      };
    case "server_error":
      return { level: "error", message: "internal error", fields: { reason: event.reason } };
  }
}

/** What a request came to where its status says otherwise: an error told within a stream, a redirect. */
const outcomeBelied = ({ status, ending, last }: RequestFinished): string | undefined =>
  status < 400 && ending === "complete" && last !== "success" ? last : undefined;
