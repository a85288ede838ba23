// One key at one provider, and the Secret type that keeps its text out of every display.

/**
 * Text that must never be shown. Every way of printing it (string, JSON, inspection) gives stars;
 * `reveal` is the one way to the text, for the authorization header alone.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return "***";
  }

  toJSON(): string {
    return "***";
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return "***";
  }
}

/** Keys this short are hidden whole: four visible characters would be too much of them. */
const SHORTEST_SHOWN = 16;

/** What may be shown of a key: its last four characters, nothing of a short one. */
export function maskSecret(secret: Secret): string {
  const text = secret.reveal();
  return text.length < SHORTEST_SHOWN ? "***" : `***${text.slice(-4)}`;
}

/** Limits of one key or one backend. An absent one does not limit. */
export interface Limits {
  readonly requestsPerMinute?: number;
  readonly tokensPerMinute?: number;
  readonly requestsPerDay?: number;
  readonly tokensPerDay?: number;
  readonly concurrency?: number;
}

/** One key at one provider. Its limits and causes for rest are shared by all its backends. */
export interface Credential {
  /** Stable across reloads and restarts: provider name and a short hash of the key. */
  readonly id: string;
  readonly provider: string;
  /** Absent for engines that need no key; then the credential stands for the address. */
  readonly secret?: Secret;
  /** For displays; see maskSecret. */
  readonly label: string;
  readonly limits: Limits;
  /** Keys with the same group share one bucket at the provider. */
  readonly quotaGroup?: string;
}
