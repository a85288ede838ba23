// The final table, for people.
import { describeCalls, describeLoad } from "./describe.ts";
import { formatBytes, formatCount, formatMs, formatRate, formatShare, formatShort } from "./format.ts";
import type { Outcome } from "./outcome.ts";
import type { Percentiles, Samples } from "./samples.ts";

/** The table is eighty columns wide. */
const LABEL = 16;
const NUMBER = 8;
const MOST_ERRORS = 10;
const COLUMNS = [
  "min",
  "mean",
  "p50",
  "p90",
  "p95",
  "p99",
  "p999",
  "max",
] as const satisfies readonly (keyof Percentiles)[];

export function writeReport(outcome: Outcome): string {
  const { plan, course, measuredMs } = outcome;
  const { counts, samples } = course.total;
  const done = counts.ok + counts.failed;
  const table = (label: string, from: Samples, write: (value: number) => string): string[] => {
    const read = from.read();
    if (read === undefined) return [];
    return [row(label, COLUMNS.map((name) => write(read[name]).padStart(NUMBER)).join(""))];
  };
  const heads = COLUMNS.map((name) => (name === "p999" ? "p99.9" : name).padStart(NUMBER)).join("");
  // In an open loop these are the calls that waited longest.
  const beyond = plan.load.kind === "open" ? "; latency is higher" : "";
  const sent = counts.inputTokens > 0 ? `${formatCount(counts.inputTokens)} in, ` : "";
  const reported =
    counts.outputTokens + counts.inputTokens > 0
      ? [
          row(
            "tokens",
            `${sent}${formatCount(counts.outputTokens)} out, ${formatRate((counts.outputTokens * 1000) / Math.max(1, measuredMs))} out a second`,
          ),
        ]
      : [];
  const lines = [
    "",
    row("target", plan.url),
    row("load", describeLoad(plan)),
    row("calls", describeCalls(plan)),
    row(
      "measured",
      `${(measuredMs / 1000).toFixed(1)} s${outcome.endedBy === "signal" ? ", stopped by hand" : ""}`,
    ),
    ...(plan.warmUpMs > 0
      ? [row("warm-up", `${plan.warmUpMs / 1000} s before, ${formatCount(counts.warmUp)} calls left out`)]
      : []),
    "",
    row("requests", `${formatCount(done)}, ${formatRate(outcome.requestsPerSecond)} a second`),
    row("right", `${formatCount(counts.ok)}, ${formatShare(counts.ok, done)}`),
    row("failed", formatCount(counts.failed)),
    ...(counts.unfinished > 0
      ? [row("unfinished", `${formatCount(counts.unfinished)} cut at the end, counted as neither${beyond}`)]
      : []),
    row("received", formatBytes(counts.bytes)),
    ...(plan.isStream
      ? [
          row(
            "content chunks",
            `${formatCount(counts.chunks)}, ${formatRate((counts.chunks * 1000) / Math.max(1, measuredMs))} a second`,
          ),
        ]
      : []),
    ...reported,
    "",
    row("", heads),
    ...table("latency", samples.latency, formatMs),
    ...table("latency, failed", samples.failedLatency, formatMs),
    ...table("first token", samples.firstToken, formatMs),
    ...table("gap", samples.gap, formatMs),
    ...table("chunks/s each", samples.streamRate, formatShort),
    ...table("tokens each", samples.answerTokens, formatShort),
    "",
    ...errorLines(outcome),
    ...clientLines(outcome),
  ];
  return `${lines.join("\n")}\n`;
}

const row = (label: string, text: string): string => `${label.padEnd(LABEL)}${text}`;

const us = (value: number | undefined): string =>
  value === undefined ? "-" : `${value.toFixed(value < 100 ? 1 : 0)} µs`;

function errorLines({ course }: Outcome): string[] {
  const errors = course.total.topErrors(MOST_ERRORS);
  const more = course.total.errors.size - errors.length;
  return [
    ...errors.map(({ text, times }, at) =>
      row(at === 0 ? "errors" : "", `${formatCount(times).padStart(NUMBER)}  ${text}`),
    ),
    ...(more > 0 ? [row("", `and ${more} other kinds`)] : []),
    ...(errors.length > 0 ? [""] : []),
  ];
}

function clientLines({ client, course, problems, plan }: Outcome): string[] {
  const { counts } = course.total;
  const perChunk = client.cpuPerChunkUs === undefined ? "" : `, ${us(client.cpuPerChunkUs)} for each chunk`;
  const again = `; ${formatCount(counts.resent)} calls sent again, their connection was closed`;
  const lower = plan.workers === 1 ? "; try -w 2" : "";
  return [
    ...(counts.connections === 0
      ? []
      : [row("connections", `${formatCount(counts.connections)} opened${counts.resent > 0 ? again : ""}`)]),
    row(
      "client",
      `${(client.cpuMs / 1000).toFixed(1)} s of CPU, ${us(client.cpuPerRequestUs)} for each request${perChunk}`,
    ),
    row(
      "",
      `busiest process ${Math.round(client.busiestShare * 100)} % of a core, timers late by ${formatMs(client.lagP99Ms)} (p99)`,
    ),
    row("", client.isLimit ? `may have been the limit, figures are a lower bound${lower}` : "not the limit"),
    ...problems.map((problem) => row("broken", problem)),
  ];
}
