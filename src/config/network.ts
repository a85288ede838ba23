// What kind of address a host name is: loopback, private, or weir's own listener.
import { BlockList, isIP } from "node:net";

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/** RFC 1918, CGNAT (RFC 6598), link-local, unique local (RFC 4193). */
const PRIVATE = new BlockList();
PRIVATE.addSubnet("10.0.0.0", 8, "ipv4");
PRIVATE.addSubnet("172.16.0.0", 12, "ipv4");
PRIVATE.addSubnet("192.168.0.0", 16, "ipv4");
PRIVATE.addSubnet("100.64.0.0", 10, "ipv4");
PRIVATE.addSubnet("169.254.0.0", 16, "ipv4");
PRIVATE.addSubnet("fc00::", 7, "ipv6");
PRIVATE.addSubnet("fe80::", 10, "ipv6");

/** A URL's host name as rules compare it: no brackets, no final dot, lower case. */
export const plainHost = (hostname: string): string =>
  hostname
    .toLowerCase()
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/\.$/, "");

/** True when `host` is an address of the list; IPv4 in IPv6 clothes included. */
export function isListed(addresses: BlockList, host: string): boolean {
  const version = isIP(host);
  return version !== 0 && addresses.check(host, version === 4 ? "ipv4" : "ipv6");
}

/** All of these take a plain host. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost") || isListed(LOOPBACK, host);
}

/** The host alone cannot be reached through a proxy on the internet; names without a dot are local ones. */
export function isInternal(host: string): boolean {
  const isLocalName = isIP(host) === 0 && !host.includes(".");
  return isLoopback(host) || isLocalName || isWildcard(host) || isListed(PRIVATE, host);
}

/** Bound to every address. As a destination it means this machine. */
const isWildcard = (host: string): boolean => host === "0.0.0.0" || host === "::";

export const portOf = (url: URL): number => Number(url.port) || (url.protocol === "https:" ? 443 : 80);

export interface Listener {
  /** As bound, plain. */
  readonly host: string;
  /** 0 is not known before binding, so nothing leads there. */
  readonly port: number;
  /** This machine's name. */
  readonly hostname: string;
}

/** True when a request to `url` would come back to weir. */
export function leadsTo(listener: Listener, url: URL): boolean {
  if (listener.port === 0 || portOf(url) !== listener.port) return false;
  const host = plainHost(url.hostname);
  const bound = plainHost(listener.host);
  const own = plainHost(listener.hostname);
  if (host === bound || (own !== "" && (host === own || host === own.split(".")[0]))) return true;
  // Bound to one public address only, the same port on loopback is somebody else's.
  return (isLoopback(bound) || isWildcard(bound)) && (isLoopback(host) || isWildcard(host));
}
