/** @jsxImportSource preact */
// One figure of the overview with its name and what explains it.
import type { ComponentChildren } from "preact";

export type Tone = "plain" | "good" | "warn" | "bad";

export function Stat({
  name,
  value,
  note,
  tone = "plain",
  hint,
}: {
  readonly name: string;
  readonly value: string;
  readonly note?: ComponentChildren;
  readonly tone?: Tone;
  readonly hint?: string;
}) {
  return (
    <div class={`stat tone-${tone}`} title={hint}>
      <dt>{name}</dt>
      <dd>
        <span class="stat-value">{value}</span>
        {note !== undefined && <span class="stat-note">{note}</span>}
      </dd>
    </div>
  );
}
