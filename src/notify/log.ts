// Turns events into lines for people or programs: one line a request, more at debug. Never a prompt, never a key.
import type { ProxyEvent } from "../core/event.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

export interface LogTerms {
  readonly level: LogLevel;
  readonly format: "text" | "json";
  readonly wall: () => number;
  readonly write: (line: string) => void;
}

interface Entry {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, string | number | undefined>>;
}

const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** A sink for events. */
export function createLog({ level, format, wall, write }: LogTerms): (event: ProxyEvent) => void {
  return (event) => {
    const entry = describeEvent(event);
    if (RANK[entry.level] < RANK[level]) return;
    const time = new Date(wall()).toISOString();
    write(format === "json" ? jsonLine(entry, time) : textLine(entry, time));
  };
}

function jsonLine({ level, message, fields }: Entry, time: string): string {
  return `${JSON.stringify({ time, level, message, ...fields })}\n`;
}

/** Values that could break the line or the terminal are quoted with escapes. */
function textLine({ level, message, fields }: Entry, time: string): string {
  const pairs = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${quoted(value)}`],
  );
  return `${time.slice(11, 23)} ${level.padEnd(5)} ${[message, ...pairs].join(" ")}\n`;
}

const quoted = (value: string | number): string =>
  /^[\w.:/@*+-]*$/.test(String(value)) ? String(value) : JSON.stringify(value);

const rounded = (ms: number | undefined): number | undefined =>
  ms === undefined ? undefined : Math.round(ms * 10) / 10;

function describeEvent(event: ProxyEvent): Entry {
  switch (event.kind) {
    case "request_finished": {
      const level = event.status >= 500 || event.ending === "broken" ? "warn" : "info";
      const fields = {
        id: event.requestId,
        method: event.method,
        path: event.path,
        model: event.model,
        backend: event.backend,
        status: event.status,
        attempts: event.attempts,
        ending: event.ending === "complete" ? undefined : event.ending,
        first_byte_ms: rounded(event.firstByteMs),
        duration_ms: rounded(event.durationMs),
        tokens_in: event.usage?.inputTokens,
        tokens_out: event.usage?.outputTokens,
      };
      return { level, message: "request", fields };
    }
    case "attempt_finished": {
      const { requestId: id, backend, key, outcome, detail } = event;
      return {
        level: "debug",
        message: "attempt",
        fields: { id, backend, key, outcome, detail, duration_ms: rounded(event.durationMs) },
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
