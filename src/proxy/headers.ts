// Which headers pass: from the client to the upstream with our key in place of theirs, and from the upstream back.
import type { Backend, Endpoint } from "../core/backend.ts";
import type { Secret } from "../core/credential.ts";

/** RFC 9110 section 7.6.1, and the older names that it replaced. */
const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** Never passed upstream: credentials, traces of the path here, a browser's context, and what fetch sets itself. */
const DROPPED_REQUEST = new Set([
  ...HOP_BY_HOP,
  "authorization",
  "x-api-key",
  "api-key",
  "x-goog-api-key",
  "cookie",
  "openai-organization",
  "openai-project",
  "forwarded",
  "via",
  "origin",
  "referer",
  "host",
  "content-length",
  "expect",
]);
const DROPPED_REQUEST_PREFIX = /^(x-forwarded-|sec-|x-weir-)/;

const DROPPED_RESPONSE = new Set([...HOP_BY_HOP, "set-cookie", "alt-svc", "strict-transport-security"]);

/** Carries the ids of the weirs that a request has passed, so that none serves it twice. */
export const INSTANCE_HEADER = "x-weir-instance";

export interface Outgoing {
  readonly incoming: Headers;
  readonly endpoint: Endpoint;
  readonly secret: Secret | undefined;
  /** This weir's id, for addresses that could lead back to it. */
  readonly instanceId: string | undefined;
  readonly hostHeader: string | undefined;
  /** The backend's fixed ones, over the client's. */
  readonly fixed: Backend["headers"];
}

export function requestHeaders(outgoing: Outgoing): Headers {
  const { incoming, endpoint, secret, instanceId, hostHeader, fixed } = outgoing;
  // A whole copy and a walk over the names cost half of setting those that stay one by one.
  const headers = new Headers(incoming);
  drop(headers, (name) => DROPPED_REQUEST.has(name) || DROPPED_REQUEST_PREFIX.test(name));
  for (const name in fixed) {
    const value = fixed[name] ?? "";
    headers.set(name, typeof value === "string" ? value : value.reveal());
  }
  if (secret !== undefined && endpoint.key.in === "header")
    headers.set(endpoint.key.name, endpoint.key.prefix + secret.reveal());
  if (hostHeader !== undefined) headers.set("host", hostHeader);
  if (instanceId !== undefined) {
    const passed = incoming.get(INSTANCE_HEADER);
    headers.set(INSTANCE_HEADER, passed === null ? instanceId : `${passed}, ${instanceId}`);
  }
  return headers;
}

/** Removes in place what concerns only the connection to the upstream, or what an upstream may not set for our clients. */
export function stripResponseHeaders(headers: Headers): void {
  drop(headers, (name) => DROPPED_RESPONSE.has(name) || name.startsWith("access-control-"));
}

/** Removes in place what the test names, and what `Connection` lists. */
function drop(headers: Headers, isDropped: (name: string) => boolean): void {
  const named = connectionNames(headers);
  const dropped: string[] = [];
  for (const name of headers.keys())
    if (isDropped(name) || named?.includes(name) === true) dropped.push(name);
  for (const name of dropped) headers.delete(name);
}

/** The lower-case names that a `Connection` header lists; undefined for the usual ones. */
function connectionNames(headers: Headers): readonly string[] | undefined {
  const value = headers.get("connection");
  if (value === null || value === "keep-alive" || value === "close") return undefined;
  return value
    .toLowerCase()
    .split(",")
    .map((name) => name.trim());
}

/** The query to send: the client's without `key=`, plus what the endpoint sets. Begins with `?` or is empty. */
export function upstreamQuery(search: string, endpoint: Endpoint, secret: Secret | undefined): string {
  if (search.length < 2 && endpoint.query === undefined && endpoint.key.in !== "query") return "";
  const ours = endpoint.query === undefined ? [] : [endpoint.query];
  if (secret !== undefined && endpoint.key.in === "query")
    ours.push(`${endpoint.key.name}=${encodeURIComponent(endpoint.key.prefix + secret.reveal())}`);
  const set = new Set(["key", ...ours.map(parameterName)]);
  const theirs = search.length < 2 ? [] : search.slice(1).split("&");
  const sent = [...theirs.filter((pair) => !set.has(parameterName(pair))), ...ours];
  return sent.length === 0 ? "" : `?${sent.join("&")}`;
}

function parameterName(pair: string): string {
  const name = pair.split("=", 1)[0] ?? "";
  if (!name.includes("%")) return name;
  try {
    return decodeURIComponent(name);
  } catch {
    return name; // not a name that any server decodes to one of ours
  }
}
