// `GET /api/usage`: what each provider and each key was used for since the start or the last reset; `DELETE` resets.
import { balanceRatio } from "../../core/balance.ts";
import type { Page } from "../../core/page.ts";
import type { KeyStatus, StatusView } from "../../core/status.ts";
import { queryOf, refuseQuery } from "./query.ts";

/** Counts that a reset begins anew; the status view, metrics and limits go on as they are. */
interface Counts {
  readonly attempts: number;
  readonly failed: number;
  readonly rateLimited: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

const ZERO: Counts = { attempts: 0, failed: 0, rateLimited: 0, inputTokens: 0, outputTokens: 0 };

/** `?provider=name` narrows both. */
export function usagePages(view: () => StatusView): readonly Page[] {
  const baseline = new Map<string, Counts>();
  const since = new Map<string, number>();
  const path = "/api/usage";

  const usageOf = (request: Request, { providers, keys, instance }: StatusView): Response => {
    const wanted = queryOf(request).get("provider");
    const shown = providers.filter(({ name }) => wanted === null || name === wanted);
    if (wanted !== null && shown.length === 0) return refuseProvider(wanted, providers);
    return Response.json({
      atMs: instance.atMs,
      providers: shown.map(({ name }) => {
        const own = keys.filter(({ provider }) => provider === name);
        return providerUsage(name, since.get(name) ?? instance.startedAtMs, rowsOf(own, baseline));
      }),
    });
  };

  return [
    { method: "GET", path, respond: (request) => usageOf(request, view()) },
    {
      method: "DELETE",
      path,
      respond(request) {
        const now = view();
        const wanted = queryOf(request).get("provider");
        const reset = now.providers.filter(({ name }) => wanted === null || name === wanted);
        if (reset.length === 0 && wanted !== null) return refuseProvider(wanted, now.providers);
        for (const id of baseline.keys()) if (!now.keys.some((key) => key.id === id)) baseline.delete(id);
        for (const { name } of reset) since.set(name, now.instance.atMs);
        for (const key of now.keys) if (wanted === null || key.provider === wanted) baseline.set(key.id, key);
        return usageOf(request, now);
      },
    },
  ];
}

function refuseProvider(wanted: string, providers: StatusView["providers"]): Response {
  const known = providers.map(({ name }) => name).join(", ");
  return refuseQuery(`no provider "${wanted}"; there are: ${known}`);
}

interface KeyRow extends Counts {
  readonly key: KeyStatus;
}

/** A counter below its baseline began anew: the key was away for long. */
function rowsOf(keys: readonly KeyStatus[], baseline: ReadonlyMap<string, Counts>): readonly KeyRow[] {
  return keys.map((key) => {
    const saved = baseline.get(key.id) ?? ZERO;
    const base = saved.attempts > key.attempts ? ZERO : saved;
    return {
      key,
      attempts: key.attempts - base.attempts,
      failed: key.failed - base.failed,
      rateLimited: key.rateLimited - base.rateLimited,
      inputTokens: key.inputTokens - base.inputTokens,
      outputTokens: key.outputTokens - base.outputTokens,
    };
  });
}

function providerUsage(provider: string, sinceAtMs: number, rows: readonly KeyRow[]): object {
  const sum = (field: keyof Counts): number => rows.reduce((total, row) => total + row[field], 0);
  const requests = sum("attempts");
  return {
    provider,
    sinceAtMs,
    totalKeys: rows.length,
    requests,
    errors: sum("failed"),
    rateLimited: sum("rateLimited"),
    inputTokens: sum("inputTokens"),
    outputTokens: sum("outputTokens"),
    balanceRatio: balanceRatio(rows.map(({ attempts, key }) => ({ attempts, weight: key.weight }))),
    keys: rows.map(({ key, ...counts }) => ({
      id: key.id,
      key: key.label,
      state: key.state,
      reason: key.reason,
      requests: counts.attempts,
      errors: counts.failed,
      rateLimited: counts.rateLimited,
      inputTokens: counts.inputTokens,
      outputTokens: counts.outputTokens,
      share: requests === 0 ? null : counts.attempts / requests,
      lastUsedAtMs: key.lastUsedAtMs,
      // Of the last minutes, whatever was reset.
      p50Ms: key.duration.p50Ms,
      p95Ms: key.duration.p95Ms,
    })),
  };
}
