// Asks a weir for its pages, with the admin key, and puts into words why it could not be done.
import { type LogLine, type StatusView } from "../../core/status.ts";
import { isRecord, readLines, readView } from "./data.ts";

export interface Address {
  /** Without a slash at the end, and without a name or password. */
  readonly url: string;
  readonly key: string | undefined;
}

export type Asked<T> =
  | { readonly kind: "answer"; readonly answer: T }
  | { readonly kind: "failed"; readonly reason: string };

export interface Snapshot {
  readonly view: StatusView;
  readonly log: readonly LogLine[];
}

const TIMEOUT_MS = 10_000;

/** All that can be seen now. */
export async function askSnapshot(address: Address): Promise<Asked<Snapshot>> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const asked = await askPage(address, "/api/dashboard", signal);
  if (asked.kind === "failed") return asked;
  const body = await readJson(asked.answer);
  const view = readView(isRecord(body) ? body["weir"] : undefined);
  if (view === undefined) return { kind: "failed", reason: "what answers there is no weir of this version" };
  return { kind: "answer", answer: { view, log: await askLog(address) } };
}

/** None when they are not told: the rest is worth showing. */
export async function askLog(address: Address): Promise<readonly LogLine[]> {
  const asked = await askPage(address, "/api/log", AbortSignal.timeout(TIMEOUT_MS));
  return asked.kind === "failed" ? [] : readLines(await readJson(asked.answer));
}

export async function askPage(
  { url, key }: Address,
  path: string,
  signal: AbortSignal,
): Promise<Asked<Response>> {
  try {
    const response = await fetch(url + path, {
      headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
      signal,
      // The key is for this address alone.
      redirect: "manual",
      // An environment's proxy is for providers, not for a weir; the types know no `false`.
      proxy: false,
    } as unknown as BunFetchRequestInit);
    if (response.ok) return { kind: "answer", answer: response };
    const reason = await describeRefusal(response, key !== undefined);
    return { kind: "failed", reason };
  } catch (error) {
    return { kind: "failed", reason: describeError(error) };
  }
}

async function describeRefusal(response: Response, hasKey: boolean): Promise<string> {
  const { status } = response;
  if (status === 401)
    return hasKey
      ? "it refuses this admin key (WEIR_ADMIN_KEY)"
      : "it asks for its admin key: set WEIR_ADMIN_KEY";
  if (status === 404) return "404: no weir, or one whose dashboard is off or on another port";
  if (status >= 300 && status < 400) return `${status}: it leads elsewhere; give the final address`;
  const body = await readJson(response);
  const error = isRecord(body) && isRecord(body["error"]) ? body["error"]["message"] : undefined;
  return typeof error === "string" ? `${status}: ${error}` : `status ${status}`;
}

/** Undefined when it is no JSON, or breaks off. */
const readJson = (response: Response): Promise<unknown> => response.json().catch(() => undefined);

const WORDS: Readonly<Record<string, string>> = {
  ConnectionRefused: "connection refused",
  FailedToOpenSocket: "no connection to that host",
  ConnectionClosed: "the connection broke",
  ECONNREFUSED: "connection refused",
  ECONNRESET: "the connection broke",
  ENOTFOUND: "no such host",
};

export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return "unknown error";
  if (error.name === "TimeoutError") return "no answer in time";
  if (!("code" in error)) return error.message;
  const code = String(error.code);
  return WORDS[code] ?? code;
}
