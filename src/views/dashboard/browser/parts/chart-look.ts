// How charts look: lines and axes in the colours of the theme, which a canvas cannot take from the style sheet.
import type uPlot from "uplot";
import { formatClock, formatCount } from "../model/format.ts";

export type FormatValue = (value: number | null | undefined) => string;

const token = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export function lineOf(at: number): uPlot.Series {
  return { stroke: token(`--line-${at}`), width: 1.5, points: { show: false } };
}

/** Counts have no halves. */
const WHOLE_STEPS = Array.from({ length: 10 }, (_, power) =>
  [1, 2, 5].map((step) => step * 10 ** power),
).flat();

export function axesOf(format: FormatValue): uPlot.Axis[] {
  const common = {
    stroke: token("--muted"),
    font: `11px ${token("--font")}`,
    ticks: { show: false },
    grid: { stroke: token("--grid"), width: 1 },
  };
  return [
    {
      ...common,
      grid: { show: false },
      size: 24,
      space: 90,
      values: (_, times) => times.map((time) => axisTime(time, times)),
    },
    {
      ...common,
      size: 60,
      space: 30,
      ...(format === formatCount ? { incrs: WHOLE_STEPS } : {}),
      values: (_, values) => values.map((value) => format(value)),
    },
  ];
}

function axisTime(time: number, times: readonly number[]): string {
  const clock = formatClock(time * 1000);
  const stepSeconds = (times[1] ?? time) - (times[0] ?? time);
  return stepSeconds > 0 && stepSeconds < 60 ? clock : clock.slice(0, 5);
}
