/** @jsxImportSource preact */
// A state by shape, colour and word: none of them alone has to be seen.
import type { Standing } from "../../../../core/status.ts";
import { describeStanding } from "../model/format.ts";

export function StateMark({
  standing,
  nowMs,
}: {
  readonly standing: Pick<Standing, "state" | "reason" | "untilAtMs">;
  readonly nowMs: number;
}) {
  const text = describeStanding(standing, nowMs);
  return (
    <span class={`state state-${standing.state}`} title={text}>
      <span class="mark" aria-hidden="true" />
      <span class="words">{text}</span>
    </span>
  );
}
