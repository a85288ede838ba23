// Suggests what a misspelt name was meant to be.

/** Edits (insert, remove, replace, swap neighbours) between two words; the optimal string alignment distance. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      let least = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1])
        least = Math.min(least, (before[column - 2] ?? 0) + 1);
      current.push(least);
    }
    before = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}

/** Names longer than this are not compared: the work grows with the product of the lengths. */
const LONGEST_COMPARED = 128;

/** At most `most` of the candidates that a typo could have turned into `name`, nearest first. */
export function nearestNames(name: string, candidates: readonly string[], most: number): readonly string[] {
  if (name.length > LONGEST_COMPARED) return [];
  const wanted = name.toLowerCase();
  const near: { readonly candidate: string; readonly score: number }[] = [];
  for (const candidate of candidates) {
    if (candidate.length > LONGEST_COMPARED) continue;
    const given = candidate.toLowerCase();
    const contains = wanted.length > 2 && (given.includes(wanted) || wanted.includes(given));
    const score = contains ? 0.5 : distance(wanted, given);
    if (score <= Math.max(2, Math.floor(wanted.length / 3))) near.push({ candidate, score });
  }
  near.sort((a, b) => a.score - b.score || (a.candidate < b.candidate ? -1 : 1));
  return near.slice(0, most).map(({ candidate }) => candidate);
}
