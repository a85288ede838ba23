// Numbers as people read them: three digits and a unit.

export function formatMs(ms: number | undefined): string {
  if (ms === undefined) return "-";
  if (ms >= 99_950) return `${(ms / 1000).toFixed(0)} s`;
  if (ms >= 9995) return `${(ms / 1000).toFixed(1)} s`;
  if (ms >= 999.5) return `${(ms / 1000).toFixed(2)} s`;
  if (ms >= 99.95) return `${ms.toFixed(0)} ms`;
  return ms >= 9.995 ? `${ms.toFixed(1)} ms` : `${ms.toFixed(2)} ms`;
}

export const formatCount = (count: number): string => Math.round(count).toLocaleString("en");

export const formatRate = (rate: number): string =>
  rate >= 1000 ? formatCount(rate) : rate >= 100 ? rate.toFixed(0) : rate.toFixed(1);

/** For narrow columns. */
export const formatShort = (value: number): string => {
  if (value >= 999_500) return `${(value / 1e6).toFixed(1)}M`;
  return value >= 9_999.5 ? `${(value / 1000).toFixed(0)}k` : formatRate(value).replace(/\.0$/, "");
};

/** Never 100 % when something is missing. */
export function formatShare(part: number, whole: number): string {
  if (whole === 0) return "-";
  const percent = Math.floor((part * 10_000) / whole) / 100;
  return part === whole ? "100 %" : `${percent.toFixed(2)} %`;
}

export function formatClock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const rest = String(seconds % 60).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes}:${rest}`
    : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}`;
}

const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB"] as const;

export function formatBytes(bytes: number): string {
  let rest = bytes;
  let unit = 0;
  while (rest >= 1000 && unit < BYTE_UNITS.length - 1) {
    rest /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? rest : rest.toFixed(1)} ${BYTE_UNITS[unit] ?? ""}`;
}
