// Which proxy stands between weir and an address: for hosted providers and webhooks, by the variables that curl reads.
import { BlockList, isIP } from "node:net";
import { isInternal, isListed, plainHost, portOf } from "./network.ts";
import type { Notes } from "./problem.ts";
import { readProxyUrl } from "./readers.ts";
import { findVariable, type Variable, type Variables } from "./variables.ts";

/** The URL of the proxy for what is hosted at this origin; undefined for none. */
export type Egress = (origin: string) => string | undefined;

export function createEgress(variables: Variables, setting: "env" | "none" | URL, notes: Notes): Egress {
  if (setting === "none") return () => undefined;
  const spared = readNoProxy(first(variables, "no_proxy")?.text ?? "");
  const told = new Set<string>();
  return (origin) => {
    const url = new URL(origin);
    if (isInternal(plainHost(url.hostname)) || spared(url)) return undefined;
    if (setting !== "env") return setting.href;
    const variable = first(variables, url.protocol === "https:" ? "https_proxy" : "http_proxy", "all_proxy");
    if (variable === undefined) return undefined;
    const proxy = readProxyUrl(variable.text.trim());
    if (proxy === undefined && !told.has(variable.name)) {
      told.add(variable.name);
      const expected = "an http:// or https:// URL (or set upstream.proxy, WEIR_UPSTREAM_PROXY, to none)";
      const found = /^socks\w*:/i.test(variable.text.trim()) ? "a SOCKS proxy" : "something else";
      notes.problems.push({ kind: "configuration", where: variable.where, expected, found });
    }
    return proxy?.href;
  };
}

/** Lower case first, like curl. */
function first(variables: Variables, ...names: readonly string[]): Variable | undefined {
  for (const name of names) {
    const variable = findVariable(variables, name) ?? findVariable(variables, name.toUpperCase());
    if (variable !== undefined) return variable;
  }
  return undefined;
}

/** CURLOPT_NOPROXY: `*`, names with all below them (a leading dot changes nothing), addresses, CIDR; and host:port. */
function readNoProxy(text: string): (url: URL) => boolean {
  const rules = text
    .split(/[\s,]+/)
    .filter((entry) => entry !== "")
    .map(readRule);
  return (url) => {
    const host = plainHost(url.hostname);
    return rules.some((covers) => covers(host, portOf(url)));
  };
}

type Rule = (host: string, port: number) => boolean;

function readRule(entry: string): Rule {
  if (entry === "*") return () => true;
  const [address = "", bits] = entry.split("/", 2);
  const version = isIP(plainHost(address));
  if (version === 0 && bits !== undefined) return () => false;
  if (version !== 0) {
    const most = version === 4 ? 32 : 128;
    const length = bits === undefined ? most : Number(bits);
    if (!(length >= 0 && length <= most && Number.isInteger(length))) return () => false;
    const range = new BlockList();
    range.addSubnet(plainHost(address), length, version === 4 ? "ipv4" : "ipv6");
    return (host) => isListed(range, host);
  }
  const [, name = entry, port] = /^(\[.*\]|[^:]*):(\d+)$/.exec(entry) ?? [];
  const bare = plainHost(name).replace(/^\*?\.+/, "");
  return (host, at) =>
    (port === undefined || Number(port) === at) && (host === bare || host.endsWith(`.${bare}`));
}
