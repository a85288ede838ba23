// What can be called: one model route at one address with one key. Configured, immutable, replaced on reload.
import type { Credential, Limits, Secret } from "./credential.ts";
import type { CooldownPolicy } from "./rest.ts";

/** The wire protocols that weir pipes. A request of one family goes only to backends that speak it. */
export type Family = "openai" | "anthropic" | "gemini";

/** Where the key goes in a request to this address. */
export interface KeyPlacement {
  readonly in: "header" | "query" | "body";
  /** Header, parameter or top-level field of the JSON body; lower case for headers. */
  readonly name: string;
  /** What stands before the key, such as `Bearer `. */
  readonly prefix: string;
}

/** How one family is reached at a backend's address. */
export interface Endpoint {
  /** Origin and path without a slash at the end: `https://api.openai.com/v1`. */
  readonly baseUrl: string;
  readonly key: KeyPlacement;
  /** Stands between base and operation when a model is asked for: Azure's `/deployments/{model}`. */
  readonly modelPath?: string;
  /** Added to every query, without the question mark: Azure's `api-version=…`. */
  readonly query?: string;
  /** Operations that this server offers at its root instead of below the base path: vLLM's `/tokenize`. */
  readonly rootPaths?: readonly string[];
}

/** In place of the more general ones; milliseconds. */
export interface RouteTimeouts {
  readonly connectMs?: number;
  readonly firstByteMs?: number;
  readonly streamFirstByteMs?: number;
  readonly idleMs?: number;
  readonly totalMs?: number;
}

export interface Backend {
  /** Stable across reloads and restarts: provider name and a short hash of address, model and key. */
  readonly id: string;
  readonly provider: string;
  /** Hosted ones are paid services; engines are one's own inference servers and are probed. */
  readonly kind: "hosted" | "engine";
  readonly credential: Credential;
  readonly endpoints: Readonly<Partial<Record<Family, Endpoint>>>;
  /** Scheme, host and port, for dialling, displays and engine metrics. */
  readonly origin: string;
  /** Which proxy to go through; absent: none. */
  readonly proxyUrl?: string;
  /** Sent as `Host` when another address is dialled in place of the configured one; see `--connect-to`. */
  readonly hostHeader?: string;
  /** True for addresses that users wrote: only those can lead back to this weir. */
  readonly ownAddress: boolean;
  /** Set on every request, over the client's; names in lower case. */
  readonly headers?: Readonly<Record<string, string | Secret>>;
  /**
   * The model name sent upstream in place of the client's, each `*` filled with what the route's pattern captured;
   * absent: the client's bytes stay as they are.
   */
  readonly upstreamModel?: string;
  /** Only these models (`*` wildcard); empty: any. */
  readonly models: readonly string[];
  /** Share among the candidates; 0 is drained. */
  readonly weight: number;
  /** Lower first; the next level only when the level has no usable backend. */
  readonly priority: number;
  readonly limits: Limits;
  /** In any currency, the same for all. */
  readonly price?: { readonly inputPerToken: number; readonly outputPerToken: number };
  /** Over the route's and the general ones. */
  readonly timeouts?: RouteTimeouts;
  /** Over the general rules; a threshold of Infinity: never rests for failures. */
  readonly cooldown?: Partial<Pick<CooldownPolicy, "threshold" | "firstMs" | "maxMs" | "windowMs">>;
  /** What requests on tagged routes choose by. */
  readonly tags?: readonly string[];
  /** `optional`: a stream that ends cleanly without its family's terminal event is complete all the same. */
  readonly terminalEvent?: "optional";
}

/** True when `pattern` covers `name`: `*` stands for any run of characters, everything else for itself. */
export function matchesPattern(pattern: string, name: string): boolean {
  const star = pattern.indexOf("*");
  if (star < 0) return pattern === name;
  // Nearly all are like `gpt-*`, and a thousand keys may be asked for each request.
  if (star === pattern.length - 1) return name.startsWith(pattern.slice(0, star));
  const pieces = pattern.split("*");
  const head = pieces[0] ?? "";
  const tail = pieces.at(-1) ?? "";
  if (name.length < head.length + tail.length || !name.startsWith(head) || !name.endsWith(tail)) return false;
  let from = head.length;
  const end = name.length - tail.length;
  for (const piece of pieces.slice(1, -1)) {
    const at = name.indexOf(piece, from);
    if (at < 0 || at + piece.length > end) return false;
    from = at + piece.length;
  }
  return true;
}

/** True when one of the patterns covers the model; no patterns cover everything. */
export function coversModel(patterns: readonly string[], model: string): boolean {
  return patterns.length === 0 || patterns.some((pattern) => matchesPattern(pattern, model));
}
