// Who may see what operators see: this machine alone as long as there is no admin key, and with one whoever has it.
import { timingSafeEqual } from "node:crypto";
import type { Secret } from "../core/credential.ts";
import { sessionOf } from "../core/page.ts";
import { type Refusal, refuse } from "../core/refusal.ts";
import { digest } from "./digest.ts";
import type { Guesses } from "./guesses.ts";
import type { Sessions } from "./sessions.ts";

export interface PageRules {
  readonly adminKey: Secret | undefined;
  /** Origins that users listed; `*` is for what clients call, not for this. */
  readonly allowedOrigins: readonly string[];
  readonly isOwnHost: (host: string) => boolean;
  readonly sessions: Sessions;
  readonly guesses: Guesses;
}

export interface PageGuard {
  /** A response when the request is refused; undefined when it may go on. */
  readonly admit: (request: Request, peer: string | undefined) => Response | undefined;
  /** For the login: what is wrong with a key that was sent as a body. */
  readonly judge: (key: string, peer: string | undefined) => Refusal | undefined;
  /** Against other sites' pages, whose forms and scripts come with this browser's cookies. */
  readonly judgeOrigin: (request: Request) => Refusal | undefined;
  /** False: there is nothing to log in with. */
  readonly hasKey: boolean;
}

export function createPageGuard(rules: PageRules): PageGuard {
  const { adminKey, sessions, guesses } = rules;
  const known = adminKey === undefined ? undefined : digest(adminKey.reveal());
  const listed = new Set(rules.allowedOrigins.map((origin) => origin.toLowerCase().replace(/\/$/, "")));

  const judge = (key: string, peer: string | undefined): Refusal | undefined => {
    const retryAfterMs = guesses.waitMs(peer);
    if (retryAfterMs > 0) return { ...TOO_MANY_GUESSES, retryAfterMs };
    if (known !== undefined && timingSafeEqual(known, digest(key))) return undefined;
    guesses.tell(peer, key);
    return BAD_KEY;
  };

  const judgeOrigin = ({ headers, method }: Request): Refusal | undefined => {
    const origin = headers.get("origin")?.toLowerCase();
    const host = headers.get("host")?.toLowerCase() ?? "";
    if (origin !== undefined) {
      const isOwn = origin === `http://${host}` || origin === `https://${host}`;
      // Without a key, what a listed site's script may ask would be open to that site.
      return isOwn || (known !== undefined && listed.has(origin)) ? undefined : FOREIGN_ORIGIN;
    }
    // Another port of this machine is the same site, and still another program.
    const site = headers.get("sec-fetch-site") ?? "none";
    const isNavigation = isSafe(method) && headers.get("sec-fetch-mode") === "navigate";
    return site === "none" || site === "same-origin" || isNavigation ? undefined : FOREIGN_ORIGIN;
  };

  const judgeOpen = ({ headers }: Request, peer: string | undefined): Refusal | undefined => {
    const isNear = isLoopbackPeer(peer) && !isForwarded(headers);
    return isNear && rules.isOwnHost(headers.get("host") ?? "") ? undefined : CLOSED;
  };

  const judgeKeyed = (request: Request, peer: string | undefined): Refusal | undefined => {
    const sent = keyOf(request.headers);
    if (sent !== undefined) return judge(sent, peer);
    const session = sessionOf(request.headers);
    if (session === undefined || !sessions.has(session)) return NO_KEY;
    // A cookie comes with requests that its owner did not make.
    return isSafe(request.method) || isSureToBeOwn(request.headers) ? undefined : FOREIGN_ORIGIN;
  };

  return {
    judge,
    judgeOrigin,
    hasKey: known !== undefined,
    admit(request, peer) {
      const refusal =
        judgeOrigin(request) ?? (known === undefined ? judgeOpen(request, peer) : judgeKeyed(request, peer));
      return refusal === undefined ? undefined : refusePage(refusal);
    },
  };
}

export function refusePage(refusal: Refusal): Response {
  const response = refuse("openai", refusal);
  if (refusal.status === 401) response.headers.set("www-authenticate", 'Bearer realm="weir"');
  response.headers.set("cache-control", "no-store");
  return response;
}

/** As a client of an API sends it; an empty one counts as none. */
function keyOf(headers: Headers): string | undefined {
  const [, bearer] = /^Bearer +(\S+) *$/i.exec(headers.get("authorization") ?? "") ?? [];
  const named = headers.get("x-api-key") ?? "";
  return bearer ?? (named === "" ? undefined : named);
}

const isSafe = (method: string): boolean => method === "GET" || method === "HEAD";

/** Every browser of today says one of these with what changes something; judgeOrigin has looked at the first. */
const isSureToBeOwn = (headers: Headers): boolean =>
  headers.has("origin") || headers.get("sec-fetch-site") === "same-origin";

const isLoopbackPeer = (peer: string | undefined): boolean =>
  peer !== undefined && /^(::ffff:)?127\.\d+\.\d+\.\d+$|^::1$/i.test(peer);

const FORWARDING = /^(forwarded|x-forwarded-.*|via|x-real-ip|x-client-ip|cf-connecting-ip|true-client-ip)$/;

/** What a proxy in front of us adds: then the peer is the proxy, and tells nothing of the caller. */
function isForwarded(headers: Headers): boolean {
  for (const name of headers.keys()) if (FORWARDING.test(name)) return true;
  return false;
}

const NO_KEY: Refusal = {
  status: 401,
  code: "admin_key_needed",
  message:
    "this needs the admin key, as Authorization: Bearer or x-api-key; a browser logs in at /dashboard/login",
};
const BAD_KEY: Refusal = {
  status: 401,
  code: "invalid_admin_key",
  message: "this is not the admin key (WEIR_ADMIN_KEY)",
};
const TOO_MANY_GUESSES: Refusal = {
  status: 429,
  code: "too_many_wrong_keys",
  message: "this address has sent many wrong keys; see Retry-After",
};
const CLOSED: Refusal = {
  status: 403,
  code: "admin_closed",
  message:
    "without an admin key this is open to callers on this machine, by its own name and not through a proxy; " +
    "set WEIR_ADMIN_KEY to open it to others",
};
const FOREIGN_ORIGIN: Refusal = {
  status: 403,
  code: "cross_origin",
  message: "pages of other origins may not call this",
};
