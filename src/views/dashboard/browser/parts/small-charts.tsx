/** @jsxImportSource preact */
// The last ten minutes of the whole, in four small charts with one crosshair.
import type { StatusView } from "../../../../core/status.ts";
import { useCourses } from "../charts-feed.ts";
import type { Line } from "../model/courses.ts";
import { formatCount, formatMs } from "../model/format.ts";
import { Chart } from "./chart.tsx";

interface Small {
  readonly title: string;
  readonly format: (value: number | null | undefined) => string;
  readonly lines: readonly { readonly measure: Line["measure"]; readonly title: string }[];
}

const CHARTS: readonly Small[] = [
  {
    title: "Requests / min",
    format: formatCount,
    lines: [
      { measure: "sentPerMinute", title: "sent" },
      { measure: "completedPerMinute", title: "completed" },
    ],
  },
  {
    title: "Tokens / min",
    format: formatCount,
    lines: [{ measure: "tokensPerMinute", title: "in and out" }],
  },
  { title: "First byte p50", format: formatMs, lines: [{ measure: "firstByteP50Ms", title: "p50" }] },
  {
    title: "In flight",
    format: formatCount,
    lines: [
      { measure: "inFlight", title: "in flight" },
      { measure: "running", title: "engine running" },
      { measure: "waiting", title: "engine waiting" },
    ],
  },
];

const LINES: readonly Line[] = CHARTS.flatMap(({ lines }) =>
  lines.map(({ measure }): Line => ({ group: "total", name: "", measure })),
);

export function SmallCharts({ view, epoch }: { readonly view: StatusView; readonly epoch: number }) {
  const now = useCourses(view, { lines: LINES, range: "10m", epoch });
  if (now.kind === "failed") return <p class="none">{now.message}</p>;
  const courses = now.kind === "loaded" ? now.courses : { times: [], values: LINES.map(() => []) };
  let start = 0;
  return (
    <section class="small-charts" aria-label="The last ten minutes">
      {CHARTS.map(({ title, format, lines }) => {
        const values = courses.values.slice(start, (start += lines.length));
        // Without engines there is nothing to say of them.
        const shown = lines
          .map((line, at) => ({ ...line, values: values[at] ?? [] }))
          .filter((line, at) => at === 0 || line.values.some((value) => value !== null));
        return (
          <Chart
            key={title}
            title={title}
            names={shown.map((line) => line.title)}
            courses={{ times: courses.times, values: shown.map((line) => line.values) }}
            format={format}
            pixels={120}
            syncKey="overview"
          />
        );
      })}
    </section>
  );
}
