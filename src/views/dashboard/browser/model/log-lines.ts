// The newest lines of weir's log, as the page keeps them: in order, each once, and never more than it shows.
import type { LogLine } from "../../../../core/status.ts";

const MOST_LINES = 500;

/** Lines that are there already, as after a reconnect, are not added again. */
export function addLines(lines: readonly LogLine[], more: readonly LogLine[]): readonly LogLine[] {
  const newest = lines.at(-1)?.seq ?? 0;
  const fresh = more.filter(({ seq }) => seq > newest);
  return fresh.length === 0 ? lines : [...lines, ...fresh].slice(-MOST_LINES);
}

export const LEVELS = ["debug", "info", "warn", "error"] as const;

export const isAtLeast = (line: LogLine, level: LogLine["level"]): boolean =>
  LEVELS.indexOf(line.level) >= LEVELS.indexOf(level);

/** `model=gpt-4o status=200`: what has no value is left out. */
export const fieldsText = ({ fields }: LogLine): string =>
  Object.entries(fields)
    .flatMap(([name, value]) => (value === undefined || value === "" ? [] : [`${name}=${value}`]))
    .join(" ");
