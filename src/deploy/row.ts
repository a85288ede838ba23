// What a backend file says of a service, and addresses compared as weir reads them.
import type { EngineName } from "./engines.ts";

export interface Row {
  /** Ends in /v1. */
  readonly url: string;
  readonly servedName: string;
  readonly engine: EngineName;
}

export type FileForm = "own" | "llmrouter" | "litellm";

/** Without a weight (`*2`) and a slash at the end; without a path it is /v1. Text that is no URL stays as it is. */
export function comparable(written: string): string {
  const text = written.trim().replace(/\*[\d.]+$/, "");
  if (!URL.canParse(text)) return text;
  const { origin, pathname } = new URL(text);
  const path = pathname.replace(/\/+$/, "");
  return origin + (path === "" ? "/v1" : path);
}
