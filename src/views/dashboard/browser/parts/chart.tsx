/** @jsxImportSource preact */
// A line chart with a legend that switches lines, and a crosshair whose figures appear in the legend and in a tooltip.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import type { Courses } from "../model/courses.ts";
import { formatClock, NONE } from "../model/format.ts";
import { axesOf, type FormatValue, lineOf } from "./chart-look.ts";
import { Tooltip } from "./chart-tooltip.tsx";

interface ChartProps {
  readonly title: string;
  readonly names: readonly string[];
  readonly courses: Courses;
  readonly format: FormatValue;
  readonly pixels: number;
  /** Of 0 to 1: the axis shows all of it. */
  readonly isShare?: boolean;
  /** Charts of one key share their crosshair. */
  readonly syncKey?: string;
}

interface Pointed {
  readonly index: number;
  readonly left: number;
}

export function Chart({ title, names, courses, format, pixels, isShare = false, syncKey }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [pointed, setPointed] = useState<Pointed>();
  const [theme, setTheme] = useState(0);
  const key = JSON.stringify(names);

  useThemeChange(() => setTheme((count) => count + 1));
  useLayoutEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const made = new uPlot(
      {
        width: element.clientWidth,
        height: pixels,
        padding: [10, 26, 0, 0],
        legend: { show: false },
        cursor: {
          y: false,
          drag: { x: false, y: false },
          points: { size: 6 },
          ...(syncKey === undefined ? {} : { sync: { key: syncKey } }),
        },
        scales: { y: { range: (_, __, most) => [0, isShare ? 1 : Math.max(1, (most ?? 0) * 1.08)] } },
        axes: axesOf(format),
        series: [{}, ...names.map((name, at) => ({ ...lineOf(at), show: !hidden.has(name) }))],
        hooks: {
          setCursor: [
            ({ cursor: { idx, left } }) =>
              setPointed(
                idx === null || idx === undefined || (left ?? -1) < 0
                  ? undefined
                  : { index: idx, left: left ?? 0 },
              ),
          ],
        },
      },
      dataOf(courses),
      element,
    );
    plot.current = made;
    const sizes = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: pixels }));
    sizes.observe(element);
    return () => {
      sizes.disconnect();
      made.destroy();
      plot.current = undefined;
    };
    // Data and switched lines go into the chart that is there; only these make another one.
  }, [key, pixels, theme, isShare, format]);
  useEffect(() => plot.current?.setData(dataOf(courses)), [courses]);
  useEffect(
    () => names.forEach((name, at) => plot.current?.setSeries(at + 1, { show: !hidden.has(name) })),
    [hidden, key],
  );

  const shownAt = pointed?.index ?? courses.times.length - 1;
  const toggle = (name: string): void => {
    const next = new Set(hidden);
    if (!next.delete(name)) next.add(name);
    setHidden(next);
  };
  const time = courses.times[shownAt];
  return (
    <figure class="chart">
      <figcaption>
        <span class="chart-title">{title}</span>
        <span class="chart-time">
          {pointed === undefined || time === undefined ? "" : formatClock(time * 1000)}
        </span>
      </figcaption>
      <div
        ref={place}
        class="plot"
        role="img"
        aria-label={`${title} over time; the figures are in the legend`}
      />
      {pointed !== undefined && time !== undefined && names.length > 1 && (
        <Tooltip left={pointed.left} time={time}>
          {names.flatMap((name, at) =>
            hidden.has(name) ? [] : [{ name, at, text: format(courses.values[at]?.[pointed.index]) }],
          )}
        </Tooltip>
      )}
      <ul class="legend">
        {names.map((name, at) => (
          <li key={name}>
            <button type="button" aria-pressed={!hidden.has(name)} onClick={() => toggle(name)} title={name}>
              <span class={`swatch line-${at}`} aria-hidden="true" />
              <span class="legend-name">{name}</span>
              <span class="legend-value">{format(courses.values[at]?.[shownAt])}</span>
            </button>
          </li>
        ))}
        {names.length === 0 && <li class="none">{NONE}</li>}
      </ul>
    </figure>
  );
}

const dataOf = ({ times, values }: Courses): uPlot.AlignedData => [
  times as number[],
  ...(values as (number | null)[][]),
];

function useThemeChange(changed: () => void): void {
  useEffect(() => {
    const system = matchMedia("(prefers-color-scheme: dark)");
    system.addEventListener("change", changed);
    addEventListener("weir-theme", changed);
    return () => {
      system.removeEventListener("change", changed);
      removeEventListener("weir-theme", changed);
    };
  }, []);
}
