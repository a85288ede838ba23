// What is told to receivers, before any of their forms: a title and items with times.
import type { StatusView } from "../core/status.ts";
import type { WebhookEvent } from "../core/webhook.ts";
import type { Trouble } from "./trouble.ts";

export interface Message {
  readonly event: WebhookEvent;
  /** The machine that weir runs on. */
  readonly host: string;
  /** Wall-clock milliseconds, as all times here. */
  readonly atMs: number;
  readonly title: string;
  readonly items: readonly Item[];
}

export interface Item {
  readonly name: string;
  readonly detail: string;
  readonly sinceMs?: number;
  readonly untilMs?: number;
}

/** What a message is made of beside its own facts. */
export interface Origin {
  readonly host: string;
  readonly atMs: number;
  /** Monotonic milliseconds of the same moment. */
  readonly nowMs: number;
}

/** Of failures and of keys; both are told as they stand now. */
export function describeTroubles(
  event: "failure" | "key",
  troubles: readonly Trouble[],
  origin: Origin,
): Message {
  const { host, atMs } = origin;
  const one = event === "key" ? "key cannot be used" : "failure";
  const many = event === "key" ? "keys cannot be used" : "failures";
  const items = troubles.map(({ name, cause, sinceMs, untilMs }) => ({
    name,
    detail: cause,
    sinceMs: wallOf(sinceMs, origin),
    ...(untilMs > origin.nowMs ? { untilMs: wallOf(untilMs, origin) } : {}),
  }));
  return { event, host, atMs, title: counted(troubles.length, one, many), items };
}

export function describeRecovery(troubles: readonly Trouble[], origin: Origin): Message {
  const { host, atMs, nowMs } = origin;
  const items = troubles.map(({ name, cause, sinceMs }) => ({
    name,
    detail: `was: ${cause}, for ${duration(nowMs - sinceMs)}`,
  }));
  return { event: "recovery", host, atMs, title: `${troubles.length} back in use`, items };
}

export function describeRejection(problems: readonly string[], { host, atMs }: Origin): Message {
  const items = problems.map((problem, at) => ({ name: `problem ${at + 1}`, detail: problem }));
  return {
    event: "reload",
    host,
    atMs,
    title: "configuration rejected, the one before stays in force",
    items,
  };
}

/** The part of a StatusView that start and report show. */
export type Figures = {
  readonly instance: Pick<StatusView["instance"], "version" | "uptimeMs">;
  readonly totals: Pick<
    StatusView["totals"],
    | "requests"
    | "succeeded"
    | "refused"
    | "failed"
    | "successShare"
    | "finishedPerMinute"
    | "tokensPerMinute"
    | "inputTokens"
    | "outputTokens"
    | "inFlight"
    | "keysResting"
  >;
  readonly providers: readonly Pick<
    StatusView["providers"][number],
    "name" | "backendsTotal" | "backendsUsable" | "keysTotal" | "keysUsable"
  >[];
};

export function describeStartup({ instance, providers }: Figures, { host, atMs }: Origin): Message {
  const items = providers.map(({ name, backendsTotal, keysTotal }) => ({
    name,
    detail: [...keysOf(keysTotal), counted(backendsTotal, "backend")].join(", "),
  }));
  return { event: "startup", host, atMs, title: `weir ${instance.version} has started`, items };
}

/** `last`: what the receiver was told before. After weeks, figures since the start hide a bad hour. */
export function describeReport(
  { instance, totals, providers }: Figures,
  last: Figures["totals"] | undefined,
  { host, atMs }: Origin,
): Message {
  const share = totals.successShare === null ? "none yet" : percent(totals.successShare);
  const items = [
    ...(last === undefined ? [] : [{ name: "since the last report", detail: describePeriod(last, totals) }]),
    { name: "requests", detail: `${whole(totals.requests)} since the start, success ${share}` },
    {
      name: "now",
      detail: `${whole(totals.finishedPerMinute)} requests a minute, ${whole(totals.tokensPerMinute)} tokens a minute, ${whole(totals.inFlight)} in flight`,
    },
    { name: "tokens", detail: `${whole(totals.inputTokens)} in, ${whole(totals.outputTokens)} out` },
    ...providers.map((provider) => ({
      name: provider.name,
      detail: [
        `${provider.backendsUsable} of ${counted(provider.backendsTotal, "backend")} usable`,
        ...keysOf(provider.keysTotal).map((keys) => `${provider.keysUsable} of ${keys}`),
      ].join(", "),
    })),
    ...(totals.keysResting > 0 ? [{ name: "resting", detail: counted(totals.keysResting, "key") }] : []),
  ];
  return { event: "report", host, atMs, title: `report after ${duration(instance.uptimeMs)}`, items };
}

function describePeriod(from: Figures["totals"], to: Figures["totals"]): string {
  const more = (field: "requests" | "succeeded" | "refused" | "failed" | "inputTokens" | "outputTokens") =>
    to[field] - from[field];
  const judged = more("succeeded") + more("failed") + more("refused");
  return [
    counted(more("requests"), "request"),
    ...(judged === 0 ? [] : [`success ${percent(more("succeeded") / judged)}`]),
    `tokens ${whole(more("inputTokens"))} in and ${whole(more("outputTokens"))} out`,
  ].join(", ");
}

/** Only a whole is called 100 %. */
const percent = (share: number): string => `${(Math.floor(share * 1000) / 10).toFixed(1)} %`;

/** Engines without keys are not counted as having none. */
const keysOf = (total: number): readonly string[] => (total === 0 ? [] : [counted(total, "key")]);

/** `2026-11-21 12:53:33 UTC`. */
export const timeOf = (atMs: number): string =>
  `${new Date(atMs).toISOString().slice(0, 19).replace("T", " ")} UTC`;

/** An item's facts as one sentence. */
export function sentenceOf({ detail, sinceMs, untilMs }: Item): string {
  const since = sinceMs === undefined ? "" : `, since ${timeOf(sinceMs)}`;
  const until = untilMs === undefined ? "" : `, until ${timeOf(untilMs)} at least`;
  return detail + since + until;
}

const wallOf = (ms: number, { atMs, nowMs }: Origin): number => Math.round(atMs - (nowMs - ms));

const whole = (count: number): string => Math.round(count).toLocaleString("en-US");

const counted = (count: number, one: string, many = `${one}s`): string =>
  `${whole(count)} ${count === 1 ? one : many}`;

/** The two largest units: `3 d 4 h`, `12 s`. */
function duration(ms: number): string {
  const units = [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["min", 60_000],
    ["s", 1000],
  ] as const;
  const first = units.findIndex(([, length]) => ms >= length);
  if (first === -1) return "0 s";
  let leftMs = ms;
  return units
    .slice(first, first + 2)
    .flatMap(([unit, length]) => {
      const count = Math.floor(leftMs / length);
      leftMs -= count * length;
      return count === 0 ? [] : [`${count} ${unit}`];
    })
    .join(" ");
}
