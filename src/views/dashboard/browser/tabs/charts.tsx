/** @jsxImportSource preact */
// One large chart: of the whole, of models or of backends, by any measure, over ten minutes or six hours.
import { useMemo } from "preact/hooks";
import type { StatusView } from "../../../../core/status.ts";
import { useCourses } from "../charts-feed.ts";
import {
  type ChartChoice,
  chooseLines,
  countOf,
  METRICS,
  MOST_LINES,
  readChartChoice,
  type TitledLine,
} from "../model/chart-menu.ts";
import type { Group, Range } from "../model/courses.ts";
import { PHONE, useMedia } from "../hooks.ts";
import { Chart } from "../parts/chart.tsx";
import { Choice } from "../parts/choice.tsx";
import { FilterBox } from "../parts/table-tools.tsx";
import type { TabProps } from "./tab.ts";

export function Charts({ view, epoch, navigation }: TabProps) {
  const { choices } = navigation.place;
  const choice = readChartChoice(choices);
  const { group, metric, range, query } = choice;
  const isPhone = useMedia(PHONE);
  const lines = useLines(view, choice, epoch);
  const now = useCourses(view, { lines, range, epoch });
  const count = countOf(view, group);
  return (
    <section class="charts" aria-label="Charts">
      <div class="tools">
        <Choice
          label="Lines"
          chosen={group}
          onChoose={(by: Group) => navigation.choose({ by: by === "total" ? "" : by, q: "" })}
          options={[
            { value: "total", text: "Total" },
            { value: "model", text: "By model" },
            { value: "backend", text: "By backend" },
          ]}
        />
        <Choice
          label="Range"
          chosen={range}
          onChoose={(next: Range) => navigation.choose({ range: next === "10m" ? "" : next })}
          options={[
            { value: "10m", text: "10 min" },
            { value: "6h", text: "6 h", disabled: group === "backend" },
          ]}
        />
        <Choice
          label="Measure"
          chosen={metric.id}
          onChoose={(next) => navigation.choose({ metric: next })}
          options={METRICS.map(({ id, title }) => ({ value: id, text: title }))}
        />
        {group !== "total" && (
          <FilterBox label={`Filter ${group}s`} query={query} onQuery={(q) => navigation.choose({ q })} />
        )}
      </div>
      <div class="panel big-chart">
        {now.kind === "failed" ? (
          <p class="none">{now.message}</p>
        ) : (
          <Chart
            title={`${metric.title}, ${range === "10m" ? "10 minutes" : "6 hours"}`}
            names={lines.map(({ title }) => title)}
            courses={now.kind === "loaded" ? now.courses : { times: [], values: lines.map(() => []) }}
            format={metric.format}
            isShare={metric.isShare === true}
            pixels={isPhone ? 240 : 500}
          />
        )}
        {count > MOST_LINES && (
          <p class="none">
            The {lines.length} busiest of {count} when this chart was chosen. The filter finds others.
          </p>
        )}
      </div>
    </section>
  );
}

/** Chosen once: lines that came and went with the traffic would be unreadable. */
function useLines(view: StatusView, choice: ChartChoice, epoch: number): readonly TitledLine[] {
  const { group, metric, query } = choice;
  const isEmpty = countOf(view, group) === 0;
  return useMemo(
    () => chooseLines(view, choice),
    [group, metric.id, query, view.instance.poolVersion, isEmpty, epoch],
  );
}
