// The head of the screen: what an operator wants to know before any table, in pieces that find their place on any width.
import type { InstanceStatus, Percentiles, TotalStatus } from "../../core/status.ts";
import {
  formatAgo,
  formatBytes,
  formatCountdown,
  formatCount,
  formatMs,
  formatSpan,
  NONE,
} from "../dashboard/browser/model/format.ts";
import { successCell } from "./columns-traffic.ts";
import type { TopData } from "./data.ts";
import { inert, type Line, span, type Span, type Tone } from "./text.ts";

/** The first line: which weir this is and how it is; the line to it first if it is lost. */
export function titlePieces({ url, view, link }: TopData, isPaused: boolean): Line[] {
  const { instance } = view;
  const { version, uptimeMs } = instance;
  return [
    ...(link.kind === "lost"
      ? [[span(`LOST, next try in ${formatCountdown(link.retryInMs)}: ${inert(link.reason)}`, "bad")]]
      : []),
    ...(isPaused ? [[span("PAUSED", "warn")]] : []),
    [span("weir ", "strong"), span(`${inert(version)} at ${inert(url)}`)],
    readiness(instance),
    piece("up", formatSpan(uptimeMs)),
  ];
}

function readiness({ ready, notReadyReason, draining }: InstanceStatus): Line {
  if (draining) return [span("draining", "warn")];
  return ready ? [span("ready", "good")] : [span(`not ready: ${inert(notReadyReason ?? "unknown")}`, "bad")];
}

export function summaryPieces({ view }: TopData): Line[] {
  const { instance, totals } = view;
  return [
    ...rejectedReload(instance),
    piece("requests", formatCount(totals.requests)),
    success(totals),
    piece("RPM", formatCount(totals.finishedPerMinute)),
    piece("TPM", formatCount(totals.tokensPerMinute)),
    piece("in flight", formatCount(totals.inFlight)),
    piece("queued", formatCount(totals.queued), totals.queued > 0 ? "warn" : "strong"),
    keys(totals),
    backends(totals),
    percentiles("first byte", totals.firstByte),
    percentiles("duration", totals.duration),
    ...tell("failed", totals.failed, "bad"),
    ...tell("refused", totals.refused, "warn"),
    ...tell("rejected", totals.rejected, "plain"),
    ...tell("abandoned", totals.abandoned, "plain"),
    percentiles("overhead", totals.overhead),
    piece("attempts", formatCount(totals.attempts)),
    ...tell("retries", totals.retries, "plain"),
    ...tell("fallbacks", totals.fallbacks, "plain"),
    piece("tokens", `${formatCount(totals.inputTokens)} in ${formatCount(totals.outputTokens)} out`),
    ...appliedReload(instance),
    ...machine(instance),
  ];
}

const piece = (label: string, value: string, tone: Tone = "strong"): Line => [
  span(`${label} `, "dim"),
  span(inert(value), tone),
];

/** Left out while there is none. */
const tell = (label: string, count: number, tone: Tone): Line[] =>
  count === 0 ? [] : [piece(label, formatCount(count), tone)];

const percentiles = (label: string, { p50Ms, p95Ms }: Percentiles): Line => [
  span(`${label} p50 `, "dim"),
  span(formatMs(p50Ms), "strong"),
  span(" p95 ", "dim"),
  span(formatMs(p95Ms), "strong"),
];

/** Since the start, and of the last minute. */
const success = ({ successShare, recentSuccessShare }: TotalStatus): Line => [
  span("success ", "dim"),
  successCell(successShare),
  ...(recentSuccessShare === null ? [] : [span(" now ", "dim"), successCell(recentSuccessShare)]),
];

function keys({ keysUsable, keysTotal, keysResting }: TotalStatus): Line {
  return [
    span("keys ", "dim"),
    span(keysTotal === 0 ? NONE : `${keysUsable}/${keysTotal}`, keysUsable === keysTotal ? "good" : "warn"),
    ...(keysResting === 0 ? [] : [span(` ${keysResting} resting`, "warn")]),
  ];
}

function backends(totals: TotalStatus): Line {
  const { backendsUsable, backendsTotal, backendsDown, backendsDrained } = totals;
  const extra: Span[] = [
    ...(backendsDown === 0 ? [] : [span(` ${backendsDown} down`, "bad")]),
    ...(backendsDrained === 0 ? [] : [span(` ${backendsDrained} drained`, "dim")]),
  ];
  return [
    span("backends ", "dim"),
    span(`${backendsUsable}/${backendsTotal}`, backendsUsable === backendsTotal ? "good" : "warn"),
    ...extra,
  ];
}

/** First of all: what the operator has changed last does not hold. */
const rejectedReload = ({ reload, atMs }: InstanceStatus): Line[] =>
  reload === null || reload.ok
    ? []
    : [
        [
          span(
            `reload REJECTED ${formatAgo(reload.atMs, atMs)}: ${inert(reload.problems.join("; "))}`,
            "bad",
          ),
        ],
      ];

const appliedReload = ({ reload, reloadsApplied, atMs }: InstanceStatus): Line[] =>
  reload === null || !reload.ok
    ? []
    : [piece("reload", `applied ${formatAgo(reload.atMs, atMs)}, ${reloadsApplied} in all`, "good")];

function machine({ process, strategy, droppedLogLines }: InstanceStatus): Line[] {
  const { rssBytes, eventLoopLagMs, openConnections, openDescriptors, descriptorLimit, heldBodyBytes } =
    process;
  return [
    piece("memory", formatBytes(rssBytes)),
    piece("lag", formatMs(eventLoopLagMs)),
    ...(openConnections === null ? [] : [piece("sockets", formatCount(openConnections))]),
    ...(openDescriptors === null
      ? []
      : [piece("files", `${formatCount(openDescriptors)}/${formatCount(descriptorLimit)}`)]),
    ...(heldBodyBytes === 0 ? [] : [piece("bodies", formatBytes(heldBodyBytes))]),
    piece("strategy", strategy),
    ...tell("lost log lines", droppedLogLines, "bad"),
  ];
}
