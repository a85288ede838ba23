// Names that stay the same across restarts, reloads and any order of the configuration; states are joined by them.
import { createHash } from "node:crypto";

/** Eight hex digits of a hash: no way back to a key, and short enough for headers and logs. */
const hash = (...parts: readonly string[]): string =>
  createHash("sha256").update(parts.join("\0")).digest("hex").slice(0, 8);

export interface BackendIdentity {
  readonly provider: string;
  /** The base URL of the main family. */
  readonly address: string;
  readonly model: string | undefined;
  /** Absent where no key is needed. */
  readonly key: string | undefined;
}

export function backendId({ provider, address, model, key }: BackendIdentity): string {
  return `${provider}-${hash(address, model ?? "*", key ?? "")}`;
}

/** `keyOrAddress`: without keys the limits are those of the address. */
export function credentialId(provider: string, keyOrAddress: string): string {
  return `${provider}-key-${hash(provider, keyOrAddress)}`;
}
