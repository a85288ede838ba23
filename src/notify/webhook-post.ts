// Posts one message to its receiver: only where it is allowed to go, with an end to all waiting, never on to elsewhere.
import { isIP } from "node:net";
import type { WebhookConfig } from "../core/webhook.ts";
import { isPublic } from "./private-address.ts";
import { WEBHOOK_FORMS } from "./webhook-forms.ts";

export type Posted = { readonly kind: "taken" } | Failed;

/** `afterMs`: what the receiver asks to wait. Reasons hold nothing secret. */
interface Failed {
  readonly kind: "failed";
  readonly reason: string;
  readonly afterMs?: number;
}

/** The addresses of a name; rejects when there are none. */
export type LookUp = (name: string) => Promise<readonly string[]>;

export interface PostTerms {
  readonly lookUp: LookUp;
  readonly signal: AbortSignal;
  /** All certificate authorities to trust, PEM; undefined: those that Bun trusts by itself. */
  readonly ca: string | undefined;
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 5000;
/** Receivers answer with a word or a short object. */
const MOST_ANSWER_BYTES = 16_384;
const LONGEST_WAIT_MS = 3_600_000;

export async function postMessage(
  config: WebhookConfig,
  body: string,
  { lookUp, signal, ca, timeoutMs = TIMEOUT_MS }: PostTerms,
): Promise<Posted> {
  const url = new URL(config.url.reveal());
  const timeUp = new AbortController();
  const stop = (): void => timeUp.abort();
  const timer = setTimeout(stop, timeoutMs);
  signal.addEventListener("abort", stop, { once: true });
  try {
    const way = await Promise.race([findWay(url, config, { lookUp, timeoutMs }), ended(timeUp.signal)]);
    if (way.kind === "failed") return way;
    const response = await fetch(way.url, {
      method: "POST",
      headers: { "content-type": "application/json; charset=utf-8", host: url.host, "user-agent": "weir" },
      body,
      signal: timeUp.signal,
      // Elsewhere may be a private address, or somebody else's.
      redirect: "manual",
      decompress: false,
      proxy: way.proxyUrl ?? false,
      timeout: false,
      ...(url.protocol === "https:" ? { tls: { serverName: url.hostname, ca } } : {}),
    } as unknown as BunFetchRequestInit);
    return await readVerdict(response, WEBHOOK_FORMS[config.format].findFault);
  } catch (error) {
    return { kind: "failed", reason: timeUp.signal.aborted ? TOO_SLOW : codeOf(error) };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}

const TOO_SLOW = "no answer in time";

/** Settles when the time is up: a look-up cannot be called off. */
const ended = (signal: AbortSignal): Promise<Failed> =>
  new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve({ kind: "failed", reason: TOO_SLOW }), { once: true });
  });

interface Way {
  readonly kind: "way";
  readonly url: string;
  readonly proxyUrl?: string;
}

/**
 * Where to dial. The host is looked up once and dialled as it is, so that the name cannot mean another address a moment
 * later; a name with one private address among others is not trusted at all. Behind a proxy the name may mean nothing:
 * then the proxy finds it, and decides what may be reached.
 */
async function findWay(
  url: URL,
  { allowPrivate = false, proxyUrl }: WebhookConfig,
  { lookUp, timeoutMs }: { readonly lookUp: LookUp; readonly timeoutMs: number },
): Promise<Way | Failed> {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const looking = isIP(host) === 0 ? lookUp(host) : Promise.resolve([host]);
  const found = await (proxyUrl === undefined ? looking : orNothing(looking, timeoutMs * LOOK_UP_SHARE));
  const isPrivate = !found.every(isPublic);
  if (isPrivate && !allowPrivate)
    return { kind: "failed", reason: "its address is private, and allow_private is not set" };
  if (proxyUrl !== undefined && !isPrivate) return { kind: "way", url: url.href, proxyUrl };
  const [address] = found;
  return address === undefined
    ? { kind: "failed", reason: "no address" }
    : { kind: "way", url: dialled(url, address) };
}

/** Of the time for all: name servers that know only what is inside may not answer at all. */
const LOOK_UP_SHARE = 0.2;

async function orNothing(looking: Promise<readonly string[]>, waitMs: number): Promise<readonly string[]> {
  const gaveUp = new AbortController();
  const timer = setTimeout(() => gaveUp.abort(), waitMs);
  try {
    return await Promise.race([looking, ended(gaveUp.signal).then(() => [])]);
  } catch {
    return []; // the proxy may know it
  } finally {
    clearTimeout(timer);
  }
}

function dialled(url: URL, address: string): string {
  const literal = isIP(address) === 6 ? `[${address}]` : address;
  const port = url.port === "" ? "" : `:${url.port}`;
  return `${url.protocol}//${literal}${port}${url.pathname}${url.search}`;
}

async function readVerdict(
  response: Response,
  findFault: ((body: string) => string | undefined) | undefined,
): Promise<Posted> {
  const { status } = response;
  const body = await readStart(response);
  if (status >= 200 && status < 300) {
    const fault = findFault?.(body);
    return fault === undefined ? { kind: "taken" } : { kind: "failed", reason: fault };
  }
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  const asked = seconds > 0 ? { afterMs: Math.min(seconds * 1000, LONGEST_WAIT_MS) } : {};
  return { kind: "failed", reason: `status ${status}`, ...asked };
}

async function readStart({ body }: Response): Promise<string> {
  if (body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  // Leaving the loop cancels the rest.
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    bytes += chunk.length;
    if (bytes >= MOST_ANSWER_BYTES) break;
  }
  return text;
}

/** The system's code: messages of fetch carry the whole URL. */
function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : "no connection";
}
