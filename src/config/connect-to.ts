// `--connect-to ORIGIN=URL`: another server on this machine stands in for a provider, in tests and dry runs.
import type { Backend, Endpoint } from "../core/backend.ts";
import { isLoopback, leadsTo, type Listener, plainHost } from "./network.ts";
import { type Notes, quoted } from "./problem.ts";

const WHERE = "--connect-to";

interface Detour {
  readonly from: string;
  readonly to: string;
}

export interface DetourTerms {
  readonly flags: readonly string[];
  readonly listener: Listener;
  /** Backends may be added over HTTP, so an unknown origin need not be a slip of the pen. */
  readonly mayCome: boolean;
}

/** The backends with the addresses to dial in place of the configured ones. */
export function detour(
  backends: readonly Backend[],
  { flags, listener, mayCome }: DetourTerms,
  notes: Notes,
): readonly Backend[] {
  const detours = flags.flatMap((text) => readDetour(text, listener, notes));
  for (const { from } of detours) {
    if (backends.some(({ origin }) => origin === from)) continue;
    if (mayCome) notes.warnings.push(`${WHERE} ${from}: no backend has this origin yet`);
    else
      notes.problems.push({
        kind: "usage",
        where: WHERE,
        expected: "the origin of a configured backend before the =",
        found: quoted(from),
      });
  }
  return backends.map((backend) => {
    const found = detours.find(({ from }) => from === backend.origin);
    return found === undefined ? backend : redirect(backend, found.to);
  });
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
