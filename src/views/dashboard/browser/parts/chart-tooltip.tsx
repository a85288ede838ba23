/** @jsxImportSource preact */
// The figures under the crosshair, beside it. Names of models are other people's text: it goes in as text.
import { formatClock } from "../model/format.ts";

interface TooltipRow {
  readonly name: string;
  readonly at: number;
  readonly text: string;
}

export function Tooltip({
  left,
  time,
  children,
}: {
  readonly left: number;
  readonly time: number;
  readonly children: readonly TooltipRow[];
}) {
  return (
    <div class="tooltip" aria-hidden="true" style={{ "--left": `${Math.round(left)}px` }}>
      <div class="tooltip-time">{formatClock(time * 1000)}</div>
      {children.map(({ name, at, text }) => (
        <div key={name} class="tooltip-row">
          <span class={`swatch line-${at}`} />
          <span class="tooltip-name">{name}</span>
          <span>{text}</span>
        </div>
      ))}
    </div>
  );
}
