/** @jsxImportSource preact */
// What the drawers of backends and of keys say alike.
import type { Standing, Traffic } from "../../../../core/status.ts";
import { formatAgo, formatCount, formatExact, formatMs } from "../model/format.ts";
import type { Fact } from "./drawer.tsx";
import { StateMark } from "./state-mark.tsx";

export const stateFact = (row: Standing, nowMs: number): Fact => [
  "State",
  <StateMark standing={row} nowMs={nowMs} />,
];

export function trafficFacts(row: Traffic, nowMs: number): readonly Fact[] {
  const { firstByte, sentPerMinute, completedPerMinute, tokensPerMinute } = row;
  const perMinute = [
    `${formatCount(sentPerMinute)} sent`,
    `${formatCount(completedPerMinute)} completed`,
    `${formatCount(tokensPerMinute)} tokens`,
  ];
  const attempts = [
    `${formatExact(row.succeeded)} succeeded`,
    `${formatExact(row.failed)} failed`,
    `${formatExact(row.rateLimited)} of them rate limits`,
  ];
  return [
    ["Last minute", perMinute.join(", ")],
    [
      "First byte",
      `p50 ${formatMs(firstByte.p50Ms)}, p95 ${formatMs(firstByte.p95Ms)}, p99 ${formatMs(firstByte.p99Ms)}`,
    ],
    ["Attempts", `${formatExact(row.attempts)}: ${attempts.join(", ")}`],
    ["Tokens", `${formatExact(row.inputTokens)} in, ${formatExact(row.outputTokens)} out`],
    ["Last used", formatAgo(row.lastUsedAtMs, nowMs)],
  ];
}
