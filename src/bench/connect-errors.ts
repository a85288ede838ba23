// Why a connection could not be opened, in words: for the list of errors, where equal ones are counted together.
import { closeSync, openSync } from "node:fs";
import { devNull } from "node:os";

export const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "unknown reason";

/** `where` says whose refusal it is, if not the server's. */
export function describeConnectError(error: unknown, where: string): string {
  const code = codeOf(error);
  return isOutOfDescriptors(code) ? NO_DESCRIPTOR : code + where;
}

const NO_DESCRIPTOR = "no descriptor is left here: use more workers (-w) or a higher ulimit -n";

/** Bun says of a socket that cannot be made that it was refused; a file tells the two apart. */
function isOutOfDescriptors(code: string): boolean {
  if (code !== "ECONNREFUSED") return false;
  try {
    closeSync(openSync(devNull, "r"));
    return false;
  } catch (error) {
    return ["EMFILE", "ENFILE"].includes(codeOf(error));
  }
}

const UNKNOWN_AUTHORITY = "the certificate is from an authority that is not trusted; see NODE_EXTRA_CA_CERTS";

/** As the proxy says it, but for the setting; the other codes say enough. */
const REFUSALS: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  DEPTH_ZERO_SELF_SIGNED_CERT: "the certificate is signed by itself alone; see NODE_EXTRA_CA_CERTS",
  CERT_HAS_EXPIRED: "the certificate has expired",
  CERT_NOT_YET_VALID: "the certificate is not valid yet",
  ERR_TLS_CERT_ALTNAME_INVALID: "the certificate is for another host name",
  EPROTO: "the TLS handshake failed: does the server speak https?",
};

/** Of a TLS handshake. */
export function describeRefusal(error: Error | null): string {
  const code = codeOf(error);
  const reason = REFUSALS[code];
  return reason === undefined ? code : `${reason} (${code})`;
}
