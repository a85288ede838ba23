/** @jsxImportSource preact */
// What nobody may miss: a lost connection, a rejected reload, draining, not ready.
import type { LiveState } from "../live.ts";
import { formatAgo, formatClock, formatCountdown } from "../model/format.ts";

const PROBLEMS_SHOWN = 20;

export function Banners({
  state,
  nowMs,
  onRetry,
}: {
  readonly state: LiveState;
  /** This browser's clock. */
  readonly nowMs: number;
  readonly onRetry: () => void;
}) {
  const { link, view, clockAheadMs } = state;
  return (
    <div class="banners">
      {link.kind === "lost" && (
        <div class="banner banner-bad" role="alert">
          <p>
            <strong>Connection to weir lost</strong> at {formatClock(link.sinceMs)}
            {view === undefined ? "" : "; what you see is as of then"}.{" "}
            <span aria-live="off">Next try in {formatCountdown(link.retryAtMs - nowMs)}.</span>
          </p>
          <button type="button" onClick={onRetry}>
            Try now
          </button>
        </div>
      )}
      {view !== undefined && <InstanceBanners instance={view.instance} nowMs={nowMs + clockAheadMs} />}
    </div>
  );
}

type Instance = NonNullable<LiveState["view"]>["instance"];

function InstanceBanners({ instance, nowMs }: { readonly instance: Instance; readonly nowMs: number }) {
  const { reload, draining, ready, notReadyReason, droppedLogLines } = instance;
  return (
    <>
      {reload?.ok === false && (
        <div class="banner banner-bad" role="alert">
          <div>
            <p>
              <strong>Reload rejected</strong> at {formatClock(reload.atMs)} ({formatAgo(reload.atMs, nowMs)}
              ): weir goes on with the configuration before it.
            </p>
            <ul>
              {reload.problems.slice(0, PROBLEMS_SHOWN).map((problem, at) => (
                <li key={`${at} ${problem}`}>{problem}</li>
              ))}
              {reload.problems.length > PROBLEMS_SHOWN && (
                <li>and {reload.problems.length - PROBLEMS_SHOWN} more: weir check lists all of them</li>
              )}
            </ul>
          </div>
        </div>
      )}
      {draining && (
        <div class="banner banner-warn" role="status">
          <p>
            <strong>Draining</strong>: weir is stopping, takes nothing new and finishes what is in flight.
          </p>
        </div>
      )}
      {!draining && !ready && (
        <div class="banner banner-bad" role="alert">
          <p>
            <strong>Not ready</strong>
            {notReadyReason === null ? "" : `: ${notReadyReason}`}.
          </p>
        </div>
      )}
      {droppedLogLines > 0 && (
        <div class="banner banner-warn" role="status">
          <p>
            <strong>{droppedLogLines} log lines lost</strong>: the log could not take them.
          </p>
        </div>
      )}
    </>
  );
}
