// Which addresses a message must not be sent to by accident: this machine, private networks, and whatever is no one server.
import { BlockList, isIP } from "node:net";

/** IANA's special-purpose registry; 169.254.169.254 is where clouds keep a machine's own credentials. */
const CLOSED_4 =
  "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 " +
  "192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4";

/** Also those that carry an address of version 4 within: mapped, NAT64, 6to4, Teredo. */
const CLOSED_6 =
  "::/96 ::ffff:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 2001::/32 2001:db8::/32 2002::/16 fc00::/7 " +
  "fe80::/10 ff00::/8";

/** A list for each version: a row of mapped addresses would else cover every address of version 4. */
const CLOSED = { 4: listOf(CLOSED_4, "ipv4"), 6: listOf(CLOSED_6, "ipv6") } as const;

function listOf(subnets: string, family: "ipv4" | "ipv6"): BlockList {
  const list = new BlockList();
  for (const subnet of subnets.split(" ")) {
    const [net = "", bits] = subnet.split("/");
    list.addSubnet(net, Number(bits), family);
  }
  return list;
}

/** Takes an address without brackets; what is none is not public. */
export function isPublic(address: string): boolean {
  const version = isIP(address);
  if (version === 4) return !CLOSED[4].check(address, "ipv4");
  return version === 6 && !CLOSED[6].check(address, "ipv6");
}
