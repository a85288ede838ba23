// A pool of targets under one name, as TrustGate's users describe it over HTTP or in a file: final types and units.
import type { KeyPlacement } from "./backend.ts";
import type { Secret } from "./credential.ts";

export interface UpstreamSpec {
  /** The model name that leads to every target; a request without a model goes there too. */
  readonly name: string;
  /** A strategy's own name, whatever spelling was written. */
  readonly strategy: string;
  /** At least one. */
  readonly targets: readonly UpstreamTarget[];
  readonly health: UpstreamHealth;
  /** What becomes of a model that no target lists: 404, or the default model of a target chosen among all. */
  readonly unlistedModel: "refuse" | "default";
}

export interface UpstreamTarget {
  /** Scheme, host and port, the scheme's own port left out: `https://api.openai.com`. */
  readonly origin: string;
  /** Base path with its slash at the start and none at the end; empty where none was written, or the root. */
  readonly path: string;
  /** 0 is drained. */
  readonly weight: number;
  /** Lower first. */
  readonly priority: number;
  /** Sent upstream when the client asks for the upstream's name, or for no model. */
  readonly defaultModel?: string;
  /** Only these by their own name; empty: any. */
  readonly models: readonly string[];
  readonly key?: UpstreamKey;
  /** Added to every request; values may be secret. Names in lower case. */
  readonly headers: ReadonlyMap<string, Secret>;
}

export interface UpstreamKey {
  /** Without the `Bearer ` of the header value, which is the placement's prefix. */
  readonly secret: Secret;
  readonly placement: KeyPlacement;
}

/** `general`: weir's own rules; `off`: failures in a row do not rest a target; `own`: so many, and for so long. */
export type UpstreamHealth =
  | { readonly kind: "general" }
  | { readonly kind: "off" }
  | { readonly kind: "own"; readonly threshold: number; readonly restMs: number };

/** What was written, as JSON, with every secret held by a Secret: printing it shows none. */
export interface UpstreamBody {
  readonly [field: string]: BodyValue;
}

export type BodyValue =
  | string
  | number
  | boolean
  | null
  | Secret
  | readonly BodyValue[]
  | { readonly [field: string]: BodyValue };

/** One mistake in a body. `path` is as in `targets[0].port`; empty for the body itself. */
export interface UpstreamProblem {
  readonly path: string;
  readonly expected: string;
  /** Ready to be shown: quoted, and never a secret. */
  readonly found?: string;
}

/** What reading a body gives: the upstream and the body it came from, or everything that is wrong with it. */
export type UpstreamReading =
  | { readonly kind: "upstream"; readonly spec: UpstreamSpec; readonly body: UpstreamBody }
  | { readonly kind: "problems"; readonly problems: readonly UpstreamProblem[] };
