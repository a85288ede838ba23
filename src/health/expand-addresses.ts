// A name of several servers becomes one backend for each: fetch dials only the first address of a name, so that the
// engines behind a headless service would stand idle but for one (platform.md 1.8).
import { isIP } from "node:net";
import type { Backend, Endpoint } from "../core/backend.ts";
import type { PoolSpec, RouteSpec, Share } from "../core/pool-spec.ts";

/**
 * The name to look up for a backend; undefined where its address is dialled as it stands. Only engines, since a hosted
 * provider's addresses are one service; only plain http, since a certificate is checked against the dialled name
 * and fetch's `tls.serverName` would have to be carried by every request; not through a proxy, which looks up itself;
 * not `localhost`, whose two addresses are one server.
 */
export function nameOf({ kind, origin, proxyUrl, hostHeader }: Backend): string | undefined {
  if (kind !== "engine" || proxyUrl !== undefined || hostHeader !== undefined) return undefined;
  const { protocol, hostname } = new URL(origin);
  if (protocol !== "http:" || hostname.startsWith("[") || isIP(hostname) !== 0) return undefined;
  return /(^|\.)localhost\.?$/.test(hostname) ? undefined : hostname;
}

/** The spec with each backend whose name has several addresses replaced by one for each; others stay as they are. */
export function expandAddresses(spec: PoolSpec, resolved: ReadonlyMap<string, readonly string[]>): PoolSpec {
  const copies = new Map<string, readonly Backend[]>();
  for (const backend of spec.backends) {
    const addresses = resolved.get(nameOf(backend) ?? "") ?? [];
    if (addresses.length > 1)
      copies.set(
        backend.id,
        addresses.map((address) => moveTo(backend, address)),
      );
  }
  if (copies.size === 0) return spec;
  const idsFor = (id: string): readonly string[] => copies.get(id)?.map((copy) => copy.id) ?? [id];
  // A share is the target's: more servers behind its name divide it.
  const expandShare = ([id, share]: readonly [string, Share]): [string, Share][] => {
    const ids = idsFor(id);
    return ids.map((copy) => [copy, { ...share, weight: share.weight / ids.length }]);
  };
  const expandRoute = (route: RouteSpec): RouteSpec => ({
    ...route,
    backendIds: route.backendIds.flatMap(idsFor),
    ...(route.shares === undefined ? {} : { shares: new Map([...route.shares].flatMap(expandShare)) }),
  });
  return {
    ...spec,
    backends: spec.backends.flatMap((backend) => copies.get(backend.id) ?? backend),
    providerRoutes: spec.providerRoutes.map(expandRoute),
    ...(spec.routes === undefined ? {} : { routes: spec.routes.map(expandRoute) }),
  };
}

/** Ids are made of the configured one and the address, so that a server keeps its state while others come and go. */
function moveTo(backend: Backend, address: string): Backend {
  const url = new URL(backend.origin);
  const hostHeader = url.host;
  url.hostname = address.includes(":") ? `[${address}]` : address;
  const { origin } = url;
  const move = (endpoint: Endpoint): Endpoint => ({
    ...endpoint,
    baseUrl: origin + endpoint.baseUrl.slice(backend.origin.length),
  });
  const endpoints = Object.fromEntries(
    Object.entries(backend.endpoints).map(([family, endpoint]) => [family, move(endpoint)]),
  );
  const { credential } = backend;
  return {
    ...backend,
    id: `${backend.id}@${address}`,
    // Without a key the credential stands for the address, and its limits are those of one server.
    credential:
      credential.secret === undefined ? { ...credential, id: `${credential.id}@${address}` } : credential,
    endpoints,
    origin,
    hostHeader,
  };
}
