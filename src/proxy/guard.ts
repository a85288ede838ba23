// What every request must pass before anything else looks at it: form, host, origin; and the token of clients.
import { timingSafeEqual } from "node:crypto";
import type { Secret } from "../core/credential.ts";
import { familyOfPath } from "../core/operation.ts";
import { pathOf } from "../core/page.ts";
import { type Refusal, refuse } from "../core/refusal.ts";
import { digest } from "./digest.ts";
import { INSTANCE_HEADER } from "./headers.ts";

export interface GuardRules {
  /** The address that weir is bound to. */
  readonly boundHost: string;
  /** This machine's name. */
  readonly hostname: string;
  readonly allowedHosts: readonly string[];
  /** Origins of browser apps; `*` for all. */
  readonly allowedOrigins: readonly string[];
  /** What clients must send one of; empty: no check. */
  readonly accessKeys: readonly Secret[];
  readonly instanceId: string;
}

/** Each says so when the request is refused; undefined when it may go on. */
export interface Guard {
  /** Form, host and origin: for every request, before anything else. */
  readonly screen: (request: Request) => Response | undefined;
  /** The client token: for what is piped, and for pages of clients. */
  readonly admit: (request: Request) => Refusal | undefined;
  /** True for a Host of ours whether tokens are asked for or not. */
  readonly isOwnHost: (host: string) => boolean;
}

/** One name or address, and maybe a port; RFC 9112 section 3.2 lets nothing else stand there. */
const WELL_FORMED_HOST = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?$/;
const LOOPBACK = /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/;
const IP_LITERAL = /^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:.]+\])$/;
const TOKEN_HEADERS = ["x-api-key", "api-key", "x-goog-api-key"];

export function createGuard(rules: GuardRules): Guard {
  const judgeHost = createHostCheck(rules);
  const digests = rules.accessKeys.map((key) => digest(key.reveal()));
  const origins = readOrigins(rules.allowedOrigins);
  const judgeStrictly = createHostCheck({ ...rules, accessKeys: [] });

  const screen = (request: Request): Response | undefined => {
    const { headers, method } = request;
    const host = headers.get("host")?.toLowerCase() ?? "";
    const verdict = judgeHost(host);
    if (verdict === "malformed") return refuse("openai", BAD_HOST);
    const path = pathOf(request.url);
    const family = familyOfPath(path);
    if (method === "CONNECT" || method === "TRACE") return refuse(family, NO_METHOD);
    // Bun lets equal repetitions through as "3, 3"; a peer behind us may read them otherwise.
    if (headers.get("content-length")?.includes(",") === true) return refuse(family, BAD_LENGTH);
    if (headers.get(INSTANCE_HEADER)?.includes(rules.instanceId) === true) return refuse(family, LOOP);
    if (isHealth(path)) return undefined;
    if (verdict === "foreign") return refuse(family, FOREIGN_HOST);
    const origin = headers.get("origin");
    if (!isOriginAllowed(origins, { origin, host, site: headers.get("sec-fetch-site") }))
      return refuse(family, FOREIGN_ORIGIN);
    const isPreflight =
      method === "OPTIONS" && origin !== null && headers.has("access-control-request-method");
    return isPreflight ? preflight(headers) : undefined;
  };
  return {
    screen,
    admit: ({ headers }) => (digests.length === 0 || isKnown(digests, headers) ? undefined : BAD_TOKEN),
    isOwnHost: (host) => judgeStrictly(host.toLowerCase()) === "allowed",
  };
}

export const isHealth = (path: string): boolean => path === "/health" || path.startsWith("/health/");

/** Adds to an answer what a browser app of an allowed origin needs to read it. */
export function allowOrigin(response: Response, request: Request, allowed: readonly string[]): void {
  const origin = request.headers.get("origin");
  if (origin === null || !(allowed.includes("*") || readOrigins(allowed).has(origin.toLowerCase()))) return;
  response.headers.set("access-control-allow-origin", origin);
  response.headers.set("access-control-expose-headers", "*");
  response.headers.append("vary", "origin");
}

const readOrigins = (origins: readonly string[]): ReadonlySet<string> =>
  new Set(origins.map((origin) => origin.toLowerCase().replace(/\/$/, "")));

type HostVerdict = "malformed" | "foreign" | "allowed";

/** Against DNS rebinding: a name that a stranger's DNS points here is not one of ours. */
function createHostCheck(rules: GuardRules): (host: string) => HostVerdict {
  const listed = new Set(rules.allowedHosts.map((host) => host.toLowerCase()));
  const onLoopback = LOOPBACK.test(rules.boundHost.includes(":") ? `[${rules.boundHost}]` : rules.boundHost);
  const own = rules.hostname.toLowerCase();
  return (host) => {
    if (!WELL_FORMED_HOST.test(host)) return "malformed";
    const name = host.replace(/:\d+$/, "");
    if (LOOPBACK.test(name) || listed.has(name) || listed.has(host)) return "allowed";
    if (rules.accessKeys.length > 0) return "allowed";
    const isNear = !onLoopback && (IP_LITERAL.test(name) || !name.includes(".") || name === own);
    return isNear ? "allowed" : "foreign";
  };
}

/** Against other sites' pages: a browser names the page's origin, or at least that it is another site. */
function isOriginAllowed(
  origins: ReadonlySet<string>,
  { origin, host, site }: { origin: string | null; host: string; site: string | null },
): boolean {
  if (origins.has("*")) return true;
  if (origin !== null) {
    const lower = origin.toLowerCase();
    return lower === `http://${host}` || lower === `https://${host}` || origins.has(lower);
  }
  return site !== "cross-site";
}

function preflight(headers: Headers): Response {
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-origin": headers.get("origin") ?? "",
      "access-control-allow-methods": "GET, POST, DELETE",
      "access-control-allow-headers": headers.get("access-control-request-headers") ?? "",
      "access-control-max-age": "600",
      vary: "origin",
    },
  });
}

function isKnown(digests: readonly Buffer[], headers: Headers): boolean {
  const bearer = headers.get("authorization")?.replace(/^Bearer\s+/i, "");
  const sent = [bearer, ...TOKEN_HEADERS.map((name) => headers.get(name))];
  let known = false;
  for (const token of sent) {
    if (token === undefined || token === null) continue;
    const given = digest(token);
    for (const each of digests) if (timingSafeEqual(each, given)) known = true;
  }
  return known;
}

const BAD_HOST: Refusal = {
  status: 400,
  code: "bad_host",
  message: "the Host header is missing or malformed",
};
const BAD_LENGTH: Refusal = {
  status: 400,
  code: "bad_content_length",
  message: "Content-Length is repeated",
};
const NO_METHOD: Refusal = { status: 405, code: "method_not_allowed", message: "this method is not served" };
const LOOP: Refusal = {
  status: 508,
  code: "loop_detected",
  message: "this request has passed through this weir already; a base URL leads back to it",
};
const FOREIGN_HOST: Refusal = {
  status: 421,
  code: "unknown_host",
  message: "this host name is not served here; list it in server.allowed_hosts (WEIR_SERVER_ALLOWED_HOSTS)",
};
const FOREIGN_ORIGIN: Refusal = {
  status: 403,
  code: "cross_origin",
  message: "pages of other origins may not call weir; list the origin in server.allowed_origins",
};
const BAD_TOKEN: Refusal = {
  status: 401,
  code: "invalid_api_key",
  message: "the client token is missing or wrong; send one of weir's access keys as the API key",
};
