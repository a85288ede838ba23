// What weir trusts when a file names further certificate authorities.
import { getCACertificates } from "node:tls";

/** Bun takes `ca` in place of all that it trusts by itself (its own list, the system's, NODE_EXTRA_CA_CERTS): so all, as PEM. */
export function withDefaultAuthorities(ca: string): string {
  return [...new Set([...getCACertificates("default"), ...getCACertificates("system"), ca])].join("\n");
}
