// Follows a weir's event stream for the screen, and comes back with growing pauses when the line is lost.
import type { FailureStatus, LogLine } from "../../core/status.ts";
import type { StatusMessage } from "../../core/status-change.ts";
import { backOffMs } from "../dashboard/browser/model/back-off.ts";
import { type Address, askLog, askPage, describeError } from "./ask.ts";
import { isRecord, readView } from "./data.ts";
import { createEventReader, type ServerEvent } from "./event-text.ts";

export type FeedNews =
  | { readonly kind: "status"; readonly message: StatusMessage }
  | { readonly kind: "failure"; readonly failure: FailureStatus }
  | { readonly kind: "line"; readonly line: LogLine }
  /** All lines that weir has. */
  | { readonly kind: "log"; readonly lines: readonly LogLine[] }
  | { readonly kind: "lost"; readonly reason: string; readonly waitMs: number };

export interface FeedTerms {
  readonly address: Address;
  readonly tell: (news: FeedNews) => void;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

/** weir says something every second: a stream that is silent for so long is dead, and nobody has told us. */
const SILENCE_MS = 10_000;

/** Ends only with the signal. */
export async function followEvents({ address, tell, random, signal }: FeedTerms): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    const reason = await readOnce(address, signal, (news) => {
      failures = 0;
      tell(news);
    });
    if (signal.aborted) return;
    failures += 1;
    const waitMs = backOffMs(failures, random());
    tell({ kind: "lost", reason, waitMs });
    await pause(waitMs, signal);
  }
}

/** Returns why it ended. */
async function readOnce(
  address: Address,
  signal: AbortSignal,
  tell: (news: FeedNews) => void,
): Promise<string> {
  const silence = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const listen = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), SILENCE_MS);
  };
  const ended = (): string | undefined =>
    silence.signal.aborted ? `silent for ${SILENCE_MS / 1000} s` : undefined;
  try {
    listen();
    const asked = await askPage(address, "/api/events", AbortSignal.any([signal, silence.signal]));
    if (asked.kind === "failed") return ended() ?? asked.reason;
    const { body } = asked.answer;
    if (body === null) return "it sent nothing";
    const read = createEventReader();
    const decoder = new TextDecoder();
    let isFirst = true;
    for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
      listen();
      for (const event of read(decoder.decode(chunk, { stream: true }))) {
        const news = readNews(event);
        if (news === undefined) continue;
        if (news.kind === "status" && isFirst) {
          isFirst = false;
          // What was logged while nobody listened; lines that come meanwhile are told as events too.
          void askLog(address).then((lines) => tell({ kind: "log", lines }));
        }
        tell(news);
      }
    }
    return "it ended the stream";
  } catch (error) {
    return ended() ?? describeError(error);
  } finally {
    clearTimeout(timer);
  }
}

/** Undefined for events of other kinds. */
function readNews({ name, data }: ServerEvent): FeedNews | undefined {
  const value: unknown = JSON.parse(data);
  if (!isRecord(value)) return undefined;
  switch (name) {
    case "status":
      if (value["kind"] === "whole" ? readView(value["view"]) === undefined : !isRecord(value["change"]))
        throw new TypeError("the status is not that of a weir of this version");
      return { kind: "status", message: value as unknown as StatusMessage };
    case "failure":
      return { kind: "failure", failure: value as unknown as FailureStatus };
    case "log":
      return { kind: "line", line: value as unknown as LogLine };
    default:
      return undefined;
  }
}

async function pause(waitMs: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, waitMs);
  signal.addEventListener("abort", () => resolve(), { once: true });
  await promise;
  clearTimeout(timer);
}
