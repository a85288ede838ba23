// The headers that calls carry: one set for each key, taken in turn.
import { APIS } from "./apis.ts";
import type { BenchPlan } from "./plan.ts";
import type { HeaderSet } from "./transport.ts";

export function headersOf({ api, apiKeys, headers, isStream }: BenchPlan): readonly HeaderSet[] {
  const { keyHeader } = APIS[api];
  const own = new Set(headers.map(([name]) => name.toLowerCase()));
  const usual: HeaderSet = [
    ["content-type", "application/json"],
    ["accept", isStream ? "text/event-stream" : "application/json"],
    ["user-agent", "weir-bench"],
    ...(api === "messages" ? [["anthropic-version", "2023-06-01"] as const] : []),
  ];
  const shared = [...usual.filter(([name]) => !own.has(name)), ...headers];
  if (apiKeys.length === 0) return [shared];
  return apiKeys.map((key) => [
    [keyHeader, keyHeader === "authorization" ? `Bearer ${key}` : key],
    ...shared,
  ]);
}
