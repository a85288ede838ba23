/** @jsxImportSource preact */
// What weir says, as it says it, and the attempts that failed.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { LogLine } from "../../../../core/status.ts";
import { matcher } from "../model/arrange.ts";
import { formatClock } from "../model/format.ts";
import { fieldsText, isAtLeast, LEVELS } from "../model/log-lines.ts";
import { Choice } from "../parts/choice.tsx";
import { FailureTable } from "../parts/failure-table.tsx";
import { FilterBox } from "../parts/table-tools.tsx";
import type { TabProps } from "./tab.ts";

/** As near to the end as this, the reader wants the newest. */
const END_PIXELS = 24;

export function Log({ view, log, navigation }: TabProps) {
  const { choices } = navigation.place;
  const query = choices["q"] ?? "";
  const level = LEVELS.find((each) => each === choices["level"]) ?? "debug";
  const [held, setHeld] = useState<readonly LogLine[]>();
  const matches = matcher(query);
  const lines = (held ?? log).filter(
    (line) => isAtLeast(line, level) && matches([line.level, line.message, fieldsText(line)]),
  );
  return (
    <>
      <section class="panel" aria-labelledby="log-title">
        <h2 id="log-title">
          Log <span class="count">{lines.length}</span>
        </h2>
        <div class="tools">
          <FilterBox label="Filter lines" query={query} onQuery={(q) => navigation.choose({ q })} />
          <Choice
            label="Least level"
            chosen={level}
            onChoose={(next) => navigation.choose({ level: next === "debug" ? "" : next })}
            options={LEVELS.map((value) => ({ value, text: value }))}
          />
          <button
            type="button"
            aria-pressed={held !== undefined}
            onClick={() => setHeld(held === undefined ? log : undefined)}
          >
            {held === undefined ? "Pause" : "Paused"}
          </button>
        </div>
        <Lines lines={lines} />
      </section>
      <section class="panel" aria-labelledby="failures-title">
        <h2 id="failures-title">
          Recent failures <span class="count">{view.failures.length}</span>
        </h2>
        <FailureTable failures={view.failures} />
      </section>
    </>
  );
}

/** Follows the end, unless the reader has gone back. */
function Lines({ lines }: { readonly lines: readonly LogLine[] }) {
  const box = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  useLayoutEffect(() => {
    const element = box.current;
    if (element !== null && isAtEnd.current) element.scrollTop = element.scrollHeight;
  }, [lines]);
  return (
    <div
      ref={box}
      class="log"
      role="log"
      aria-live="off"
      aria-label="Log lines"
      tabIndex={0}
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        isAtEnd.current = scrollHeight - scrollTop - clientHeight < END_PIXELS;
      }}
    >
      {lines.length === 0 && <p class="none">No line yet.</p>}
      {lines.map((line) => (
        <div key={line.seq} class={`line level-${line.level}`}>
          <span class="line-time">{formatClock(line.atMs)}</span>
          <span class="line-level">{line.level}</span>
          <span class="line-message">{line.message}</span>
          <span class="line-fields">{fieldsText(line)}</span>
        </div>
      ))}
    </div>
  );
}
