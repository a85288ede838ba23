// The last values as a small chart of block characters, one or more lines high, the newest at the right.

const BLOCKS = { unicode: " ▁▂▃▄▅▆▇█", ascii: " .:-=+*#@" } as const;
const STEPS = 8;

export interface SparkTerms {
  readonly width: number;
  readonly height: number;
  readonly isUnicode: boolean;
}

/** `height` lines of `width` characters, the uppermost first. A value that is missing leaves a gap; the least that is not 0 is seen. */
export function drawSpark(
  values: readonly (number | undefined)[],
  { width, height, isUnicode }: SparkTerms,
): string[] {
  const blocks = isUnicode ? BLOCKS.unicode : BLOCKS.ascii;
  const shown = values.slice(-width);
  const most = peakOf(shown);
  const columns = shown.map((value) => {
    if (value === undefined || most === 0) return 0;
    return value > 0 ? Math.max(1, Math.round((value / most) * STEPS * height)) : 0;
  });
  return Array.from({ length: height }, (_, row) => {
    const floor = (height - 1 - row) * STEPS;
    const line = columns.map((steps) => blocks[Math.max(0, Math.min(STEPS, steps - floor))] ?? " ").join("");
    return line.padStart(width);
  });
}

export const peakOf = (values: readonly (number | undefined)[]): number =>
  values.reduce<number>((most, value) => Math.max(most, value ?? 0), 0);
