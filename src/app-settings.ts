// What a Config is to the parts of the app, which know none: their settings in their own words.
import type { Config } from "./config/config.ts";
import type { Clock } from "./core/seams.ts";
import type { LogsTerms } from "./notify/logs.ts";
import type { WriteText } from "./notify/sink.ts";
import type { ProxySettings } from "./proxy/settings.ts";
import { withDefaultAuthorities } from "./runtime/authorities.ts";

export interface Trust {
  readonly ca: string;
  readonly session: Bun.FetchSession;
}

/** A session, because a request that brings hundreds of certificates along has them compared every time. */
export function trustOf({ upstream }: Config): Trust | undefined {
  if (upstream.ca === undefined) return undefined;
  const ca = withDefaultAuthorities(upstream.ca);
  return { ca, session: new Bun.FetchSession({ tls: { ca } }) };
}

export function settingsOf(config: Config, trust: Trust | undefined): ProxySettings {
  const { retry } = config;
  return {
    retry: { max: retry.max, backoffMs: retry.backoffMs, maxBackoffMs: retry.maxBackoffMs },
    cooldown: config.cooldown,
    timeouts: config.timeouts,
    fallbacks: config.fallbacks,
    queueMaxWaitMs: config.queue.maxWaitMs,
    queueMaxSize: config.queue.maxSize,
    requestBytes: config.buffers.requestBytes,
    responseHeaders: config.server.responseHeaders,
    ...(trust === undefined ? {} : { session: trust.session }),
  };
}

/** Where lines go when no file says so. */
export interface LogWorld {
  readonly clock: Clock;
  readonly log: { readonly format: "text" | "json"; readonly write: WriteText };
}

export function logTermsOf({ log }: Config, world: LogWorld): LogsTerms {
  const { dir, maxBytes, maxFiles, maxAgeMs, trace } = log;
  return {
    level: log.level,
    format: log.format === "auto" ? world.log.format : log.format,
    wall: world.clock.wall,
    write: world.log.write,
    ...(dir === "" ? {} : { files: { dir, maxBytes, maxFiles, maxAgeMs } }),
    ...(trace === "" ? {} : { trace }),
  };
}
