/** @jsxImportSource preact */
// The figures of the whole: what operators look at first.
import type { StatusView } from "../../../../core/status.ts";
import {
  formatBytes,
  formatCount,
  formatExact,
  formatMs,
  formatRatio,
  formatShare,
  NONE,
} from "../model/format.ts";
import { Stat, type Tone } from "./stat.tsx";

export function Totals({ view }: { readonly view: StatusView }) {
  const { totals, instance } = view;
  const { firstByte, duration, overhead } = totals;
  return (
    <dl class="stats">
      <Stat
        name="Requests"
        value={formatExact(totals.requests)}
        note={`${formatCount(totals.failed)} failed · ${formatCount(totals.refused)} refused`}
        hint="Finished since the start. Failed: backends were asked and none gave a good answer. Refused: by weir, since nobody could be asked."
      />
      <Stat
        name="Success"
        value={formatShare(totals.successShare)}
        note={`${formatCount(totals.rejected)} rejected · ${formatCount(totals.abandoned)} left`}
        tone={toneOfShare(totals.successShare)}
        hint="Since the start, of the requests that succeeded, failed or were refused. Not counted: those rejected for the caller's mistake, and those whose caller left."
      />
      <Stat
        name="Requests / min"
        value={formatCount(totals.finishedPerMinute)}
        note={describeMinute(totals)}
        tone={toneOfTrouble(totals.recentSuccessShare)}
        hint="Requests finished in the last minute; how many of them succeeded, counted as for Success; attempts sent to backends"
      />
      <Stat
        name="Tokens / min"
        value={formatCount(totals.tokensPerMinute)}
        note={`ever ${formatCount(totals.inputTokens)} in · ${formatCount(totals.outputTokens)} out`}
      />
      <Stat
        name="First byte p50"
        value={formatMs(firstByte.p50Ms)}
        note={`p95 ${formatMs(firstByte.p95Ms)} · p99 ${formatMs(firstByte.p99Ms)}`}
        hint="From a request's arrival to the first byte of its answer, of the last five minutes: for streams, the time to the first token"
      />
      <Stat
        name="Duration p50"
        value={formatMs(duration.p50Ms)}
        note={`p95 ${formatMs(duration.p95Ms)} · own ${formatMs(overhead.p50Ms)}`}
        hint="Whole requests of the last five minutes; weir's own share of them, at the middle"
      />
      <Stat
        name="In flight"
        value={formatCount(totals.inFlight)}
        note={`${formatCount(totals.queued)} queued`}
        tone={totals.queued > 0 ? "warn" : "plain"}
      />
      <Stat
        name="Keys usable"
        value={totals.keysTotal === 0 ? NONE : `${totals.keysUsable}/${totals.keysTotal}`}
        note={`${totals.keysResting} resting`}
        tone={toneOfParts(totals.keysUsable, totals.keysTotal)}
      />
      <Stat
        name="Backends usable"
        value={`${totals.backendsUsable}/${totals.backendsTotal}`}
        note={`${totals.backendsDown} down · ${totals.backendsDrained} drained`}
        tone={toneOfParts(totals.backendsUsable, totals.backendsTotal - totals.backendsDrained)}
      />
      <Stat
        name="Balance"
        value={formatRatio(totals.balanceRatio)}
        note="least to most used key"
        hint="1.00: all keys of a provider were used by their weights. Of the least even provider"
      />
      <Stat
        name="Retries"
        value={formatCount(totals.retries)}
        note={`${formatCount(totals.fallbacks)} fallbacks`}
        hint="Attempts after the first of their request; requests that went on to another model"
      />
      <Stat
        name="Loop delay"
        value={formatMs(instance.process.eventLoopLagMs)}
        note={`${formatBytes(instance.process.rssBytes)} · ${formatCount(instance.process.openConnections)} connections`}
        tone={instance.process.eventLoopLagMs > 100 ? "warn" : "plain"}
        hint="The longest that a timer of weir came late in the last seconds; its memory; connections of clients"
      />
    </dl>
  );
}

function toneOfShare(share: number | null): Tone {
  if (share === null) return "plain";
  return share >= 0.99 ? "good" : share >= 0.9 ? "warn" : "bad";
}

function describeMinute({ recentSuccessShare, sentPerMinute }: StatusView["totals"]): string {
  const sent = `${formatCount(sentPerMinute)} sent`;
  return recentSuccessShare === null ? sent : `${formatShare(recentSuccessShare)} good · ${sent}`;
}

/** What is well needs no colour. */
function toneOfTrouble(share: number | null): Tone {
  const tone = toneOfShare(share);
  return tone === "good" ? "plain" : tone;
}

function toneOfParts(usable: number, total: number): Tone {
  if (total === 0 || usable === total) return "plain";
  return usable === 0 ? "bad" : "warn";
}
