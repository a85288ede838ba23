/** @jsxImportSource preact */
// Limits of a key or a backend as small bars with their figures.
import type { LimitStatus } from "../../../../core/status.ts";
import { limitBars } from "../model/limit-bars.ts";
import { NONE } from "../model/format.ts";

export function LimitMeters({
  limits,
  most,
}: {
  readonly limits: readonly LimitStatus[];
  readonly most: number;
}) {
  const bars = limitBars(limits);
  if (bars.length === 0) return <span class="none">{NONE}</span>;
  const hidden = bars.length - most;
  return (
    <span class="meters">
      {bars.slice(0, most).map(({ id, name, usedShare, text, label, tightness }) => (
        <span key={id} class={`meter meter-${tightness}`} title={label}>
          <span class="meter-name">{name}</span>
          <Bar share={usedShare} />
          <span class="meter-text">{text}</span>
        </span>
      ))}
      {hidden > 0 && <span class="more">+{hidden}</span>}
    </span>
  );
}

/** The figures beside it say the same: it is there for the eye only. */
export function Bar({ share }: { readonly share: number | null }) {
  return (
    <span class="bar" aria-hidden="true">
      {share !== null && <span class="bar-fill" style={{ width: `${Math.round(share * 100)}%` }} />}
    </span>
  );
}
