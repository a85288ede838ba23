// Numbers and times as people read them. A dash stands for what is not known.
import type { StateWord, Standing } from "../../../../core/status.ts";

export const NONE = "–";

const WHOLE = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const THREE_DIGITS = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 3 });

/** 0, 7.5, 850, 9,999, 12.3k, 4.56M: at most five characters and a sign. */
export function formatCount(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const size = Math.abs(value);
  if (size >= 999_500_000) return `${THREE_DIGITS.format(value / 1e9)}G`;
  if (size >= 999_500) return `${THREE_DIGITS.format(value / 1e6)}M`;
  if (size >= 9_999.5) return `${THREE_DIGITS.format(value / 1e3)}k`;
  return Number.isInteger(value) || size >= 100 ? WHOLE.format(value) : THREE_DIGITS.format(value);
}

/** Shorter, for narrow places: 4.32k. */
export function formatShort(value: number | null): string {
  const isShortened = value !== null && value >= 999.5 && value < 9_999.5;
  return isShortened ? `${THREE_DIGITS.format(value / 1e3)}k` : formatCount(value);
}

/** Every digit: 1,234,567. */
export const formatExact = (value: number | null): string => (value === null ? NONE : WHOLE.format(value));

/** 0.4 ms, 340 ms, 1.2 s, 75 s, 3 min. */
export function formatMs(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return NONE;
  if (ms < 9.95) return `${Number(ms.toFixed(1))} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 99_500) return `${Math.round(ms / 1000)} s`;
  return formatSpan(ms);
}

/** 12 s, 5 min, 3 h 10 min, 2 d 4 h: whole units, rounded down. */
export function formatSpan(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return hours % 24 === 0 ? `${hours / 24} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** 0 to 1 as per cent. Only a whole is called 100 %: of a million, one failure shows. */
export function formatShare(share: number | null | undefined): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return NONE;
  if (share >= 1) return "100 %";
  return `${(Math.floor(share * 1000) / 10).toFixed(1)} %`;
}

/** A ratio such as 0.97. */
export const formatRatio = (ratio: number | null): string =>
  ratio === null ? NONE : (Math.floor(ratio * 100) / 100).toFixed(2);

export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 ** 2) return `${Math.round(bytes / 1024)} KiB`;
  const mebibytes = bytes / 1024 ** 2;
  return mebibytes < 1024 ? `${Math.round(mebibytes)} MiB` : `${(mebibytes / 1024).toFixed(1)} GiB`;
}

/** The clock of the reader: 14:05:09. */
export function formatClock(atMs: number): string {
  const date = new Date(atMs);
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => String(part).padStart(2, "0"))
    .join(":");
}

/** "now", "12 s ago"; a dash for never. */
export function formatAgo(atMs: number | null, nowMs: number): string {
  if (atMs === null) return NONE;
  const pastMs = nowMs - atMs;
  return pastMs < 1000 ? "now" : `${formatSpan(pastMs)} ago`;
}

/** A countdown to a second: rounded up, so that nothing is over before it says so. */
export function formatCountdown(leftMs: number): string {
  const seconds = Math.ceil(leftMs / 1000);
  if (seconds <= 0) return "0 s";
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;
  return `${Math.floor(seconds / 3600)} h ${String(Math.floor((seconds % 3600) / 60)).padStart(2, "0")} min`;
}

const SPAN = /\b\d+ (?:s|min|h)(?: \d+ (?:s|min))?(?=:|$)/;

/** What weir says of a state, its time counted down: `rests 12 s: 429 rate limit`. The word alone when there is no reason. */
export function describeStanding(
  { state, reason, untilAtMs }: Pick<Standing, "state" | "reason" | "untilAtMs">,
  nowMs: number,
): string {
  if (reason === "") return state;
  const counted = untilAtMs === null ? reason : reason.replace(SPAN, formatCountdown(untilAtMs - nowMs));
  return SELF_EXPLAINING[state].test(counted) ? counted : `${state}: ${counted}`;
}

/** Reasons that say the state's word themselves. */
const SELF_EXPLAINING: Readonly<Record<StateWord, RegExp>> = {
  usable: /^usable\b/,
  untried: /^untried\b/,
  limited: /^limited\b/,
  resting: /^(?:rests|one request tries)\b/,
  down: /^down\b/,
  drained: /^drained\b/,
};
