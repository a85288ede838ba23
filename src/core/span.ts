// A length of time in words for people, in one unit.

/** `12 s`, `5 min`, `2 h`: rounded up, so that nothing is over before it says so. */
export function describeSpan(spanMs: number): string {
  if (spanMs <= 60_000) return `${Math.max(1, Math.ceil(spanMs / 1000))} s`;
  if (spanMs <= 3_600_000) return `${Math.ceil(spanMs / 60_000)} min`;
  return `${Math.ceil(spanMs / 3_600_000)} h`;
}
