// How long to wait before the next try to reach weir.

const FIRST_MS = 500;
const LONGEST_MS = 15_000;

/** Doubles with each failure in a row, from 1; `chance` (0 to 1) keeps a hundred open pages from coming back at once. */
export function backOffMs(failures: number, chance: number): number {
  const fullMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.max(0, failures - 1));
  return Math.round(fullMs * (0.75 + chance / 2));
}
