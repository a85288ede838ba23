// Reads a length of time written with units, as Go prints it: `6m0s`, `12ms`, `1h2m3.5s`, `1d`.
// OpenAI and Groq use it in reset headers, Google's RetryInfo (protobuf JSON) in bodies.

const UNIT_MS: Readonly<Record<string, number>> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  ns: 1e-6,
};

/** Longer texts are not durations, and need no scan. */
const LONGEST_TEXT = 64;
const WHOLE = /^(?:\d+(?:\.\d+)?(?:ms|us|µs|ns|d|h|m|s))+$/;
const PART = /(\d+(?:\.\d+)?)(ms|us|µs|ns|d|h|m|s)/g;

/** Milliseconds, or undefined for anything that is not a sum of numbers with units; a bare number has none. */
export function readDuration(text: string): number | undefined {
  const trimmed = text.trim();
  if (trimmed.length > LONGEST_TEXT || !WHOLE.test(trimmed)) return undefined;
  let ms = 0;
  for (const [, amount, unit] of trimmed.matchAll(PART)) ms += Number(amount) * (UNIT_MS[unit ?? ""] ?? 0);
  return ms;
}
