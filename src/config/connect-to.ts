// `--connect-to ORIGIN=URL`: another server on this machine stands in for a provider or a webhook, in tests and dry runs.
import type { Backend, Endpoint } from "../core/backend.ts";
import { Secret } from "../core/credential.ts";
import type { WebhookConfig } from "../core/webhook.ts";
import { isLoopback, leadsTo, type Listener, plainHost } from "./network.ts";
import { type Notes, quoted } from "./problem.ts";

const WHERE = "--connect-to";

export interface Detour {
  readonly from: string;
  readonly to: string;
}

export const readDetours = (flags: readonly string[], listener: Listener, notes: Notes): readonly Detour[] =>
  flags.flatMap((text) => readDetour(text, listener, notes));

/** What is meant may come over HTTP or by a reload, and what was there may go: an origin of nobody stops nothing. */
export function warnOfIdle(detours: readonly Detour[], origins: readonly string[], notes: Notes): void {
  for (const { from } of detours)
    if (!origins.includes(from)) notes.warnings.push(`${WHERE} ${from}: nothing has this origin yet`);
}

/** The backends with the addresses to dial in place of the configured ones. */
export const detourBackends = (
  backends: readonly Backend[],
  detours: readonly Detour[],
): readonly Backend[] =>
  backends.map((backend) => {
    const found = detours.find(({ from }) => from === backend.origin);
    return found === undefined ? backend : redirect(backend, found.to);
  });

/** A webhook's stand-in is on this machine by intent, and no proxy leads there. */
export function detourWebhook(webhook: WebhookConfig, detours: readonly Detour[]): WebhookConfig | undefined {
  const { href, origin } = new URL(webhook.url.reveal());
  const found = detours.find(({ from }) => from === origin);
  return found === undefined
    ? undefined
    : { ...webhook, url: new Secret(found.to + href.slice(origin.length)), allowPrivate: true };
}

function readDetour(text: string, listener: Listener, notes: Notes): Detour[] {
  const complain = (expected: string): [] => {
    notes.problems.push({ kind: "usage", where: WHERE, expected, found: quoted(text) });
    return [];
  };
  const equals = text.indexOf("=");
  const from = originOf(text.slice(0, Math.max(equals, 0)));
  const to = originOf(text.slice(equals + 1));
  if (from === undefined || to === undefined)
    return complain("ORIGIN=URL, such as https://api.openai.com=http://127.0.0.1:9000, without paths");
  const url = new URL(to);
  if (!isLoopback(plainHost(url.hostname))) return complain("a loopback URL after the =");
  if (leadsTo(listener, url)) return complain("another address than weir's own after the =");
  return [{ from, to }];
}

function originOf(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`
    ? url.origin
    : undefined;
}

function redirect(backend: Backend, origin: string): Backend {
  const { proxyUrl: _, ...rest } = backend;
  const moved = (endpoint: Endpoint): Endpoint => ({
    ...endpoint,
    baseUrl: origin + endpoint.baseUrl.slice(backend.origin.length),
  });
  const endpoints = Object.fromEntries(
    Object.entries(backend.endpoints).map(([family, endpoint]) => [family, moved(endpoint)]),
  );
  return { ...rest, endpoints, origin, hostHeader: new URL(backend.origin).host };
}
