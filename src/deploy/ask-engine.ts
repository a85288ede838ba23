// Asks a service over HTTP what it serves and how long its queue is, as weir itself will.
import { type EngineReading, parseEngineMetrics } from "../core/engine-metrics.ts";

export type Models =
  | { readonly kind: "models"; readonly names: readonly string[] }
  | { readonly kind: "failed"; readonly reason: string };

const TIMEOUT_MS = 5000;

/** `baseUrl` ends in /v1. */
export async function askModels(baseUrl: string): Promise<Models> {
  const page = await askPage(`${baseUrl}/models`);
  if (page.kind === "failed") return page;
  const names = readNames(page.text);
  return names === undefined
    ? { kind: "failed", reason: `${baseUrl}/models is no list of models` }
    : { kind: "models", names };
}

/** Undefined where there is no such page. */
export async function askQueue(baseUrl: string): Promise<EngineReading | undefined> {
  const page = await askPage(`${baseUrl.replace(/\/v1$/, "")}/metrics`);
  return page.kind === "failed" ? undefined : parseEngineMetrics(page.text);
}

type Page =
  | { readonly kind: "page"; readonly text: string }
  | { readonly kind: "failed"; readonly reason: string };

async function askPage(url: string): Promise<Page> {
  try {
    const response = await fetch(url, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
      redirect: "manual",
      // An environment's proxy is for the internet; the types know no `false`.
      proxy: false,
    } as unknown as BunFetchRequestInit);
    const text = await response.text();
    if (response.ok) return { kind: "page", text };
    return { kind: "failed", reason: `${url} answers ${response.status}` };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const isLate = error.name === "TimeoutError";
    return {
      kind: "failed",
      reason: `${url}: ${isLate ? `no answer within ${TIMEOUT_MS / 1000} s` : error.message}`,
    };
  }
}

function readNames(text: string): readonly string[] | undefined {
  try {
    const page = JSON.parse(text) as { readonly data?: unknown } | null;
    if (!Array.isArray(page?.data)) return undefined;
    return page.data.flatMap((each: { readonly id?: unknown } | null) =>
      typeof each?.id === "string" ? [each.id] : [],
    );
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
