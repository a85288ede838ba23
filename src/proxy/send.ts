// One attempt: sends the bytes to one backend and waits for the head of its answer, within the time-outs.
import type { Outcome } from "../core/outcome.ts";
import { CallEnded } from "./call-ended.ts";
import type { DialCheck } from "./dial.ts";
import type { PhaseTimer } from "./phase-timer.ts";
import { type Shipment, watchSending } from "./sending.ts";

export type Sent =
  | { readonly kind: "answer"; readonly response: Response }
  | { readonly kind: "failure"; readonly outcome: Outcome };

/** `timer` is left running the phase of the head; the caller enters the next one or stops it. */
export async function send(shipment: Shipment, dialCheck: DialCheck, timer: PhaseTimer): Promise<Sent> {
  const { abort } = shipment;
  const { body, stop } = watchSending(shipment, dialCheck, timer);
  try {
    const response = await fetch(shipment.url, {
      method: shipment.method,
      headers: shipment.headers,
      ...(body === undefined ? {} : { body }),
      signal: abort.signal,
      // A redirect would carry `x-api-key` to wherever it points; Bun strips only `authorization`.
      redirect: "manual",
      // Else the body is decoded but its `content-encoding` stays.
      decompress: false,
      // Else proxies from the environment capture loopback addresses too. The types know no `false`, the runtime does.
      proxy: shipment.proxyUrl ?? false,
      // Bun's own idle limit would cut silent generations after minutes.
      timeout: false,
      ...(shipment.session === undefined ? {} : { session: shipment.session }),
    } as unknown as BunFetchRequestInit);
    dialCheck.noteAnswer(shipment.dialOrigin);
    return { kind: "answer", response };
  } catch (error) {
    return {
      kind: "failure",
      outcome: classifyFailure(error, abort.signal, shipment.proxyUrl !== undefined),
    };
  } finally {
    stop();
  }
}

/** Nothing was sent when one of these happens, so a retry is free. */
const CONNECT_CODES = new Set([
  "ECONNREFUSED",
  "ConnectionRefused",
  "FailedToOpenSocket",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "HTTP2Unsupported",
]);

/** No backend can help that weir may open no more connections. */
export const OUT_OF_DESCRIPTORS: Outcome = {
  kind: "abandoned",
  detail: "weir may open no more connections: raise the limit of open files (ulimit -n)",
};

const UNKNOWN_AUTHORITY = "the certificate is from an authority that is not trusted; see upstream.ca_file";

/** What users can do something about; the rest of the certificate errors says enough by its code. */
const CERTIFICATE_ERRORS: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  DEPTH_ZERO_SELF_SIGNED_CERT: "the certificate is signed by itself alone; see upstream.ca_file",
  CERT_HAS_EXPIRED: "the certificate has expired",
  CERT_NOT_YET_VALID: "the certificate is not valid yet",
  ERR_TLS_CERT_ALTNAME_INVALID: "the certificate is for another host name",
  EPROTO: "the TLS handshake failed",
};

/** What a rejected fetch or a broken body means. Messages are not used: they carry the URL with its query. */
export function classifyFailure(error: unknown, signal: AbortSignal, viaProxy = false): Outcome {
  if (signal.aborted && signal.reason instanceof CallEnded) return signal.reason.outcome;
  const code = errorCode(error);
  if (code === "EMFILE" || code === "ENFILE") return OUT_OF_DESCRIPTORS;
  const flaw = CERTIFICATE_ERRORS[code];
  const isTls = flaw !== undefined || /^(ERR_TLS|UNABLE_TO|CERT_|DEPTH_ZERO|SELF_SIGNED|ERR_SSL)/.test(code);
  if (isTls) return unreachable(flaw === undefined ? code : `${flaw} (${code})`);
  if (code === "ERR_PROXY_TUNNEL")
    return unreachable(`the proxy refused${tunnelStatus(error)}; see upstream.proxy`);
  // With a proxy in between, it alone is dialled from here.
  if (CONNECT_CODES.has(code))
    return unreachable(viaProxy ? `${code} at the proxy; see upstream.proxy` : code);
  return {
    kind: "failed",
    detail: code === "ECONNRESET" ? "connection reset" : `broken answer: ${code || "unknown error"}`,
  };
}

const unreachable = (why: string): Outcome => ({ kind: "unreachable", detail: `cannot connect: ${why}` });

/** The proxy's status, such as 407 for a wrong password: Bun tells it in the message alone, which has no address here. */
function tunnelStatus(error: unknown): string {
  const status = error instanceof Error ? /: (\d{3})\b/.exec(error.message)?.[1] : undefined;
  return status === undefined ? "" : ` with ${status}`;
}

function errorCode(error: unknown): string {
  if (typeof error !== "object" || error === null) return "";
  if ("code" in error && typeof error.code === "string") return error.code;
  return "name" in error && typeof error.name === "string" ? error.name : "";
}
