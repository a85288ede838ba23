// How evenly the keys of a provider were used: least by most, for operators who want to see that balancing works.

interface Share {
  readonly attempts: number;
  /** 0 is drained, and not compared. */
  readonly weight: number;
}

/** 0 to 1, by attempts for each unit of weight; null while fewer than two can be compared or none was used. */
export function balanceRatio(keys: readonly Share[]): number | null {
  const used = keys.filter(({ weight }) => weight > 0).map(({ attempts, weight }) => attempts / weight);
  const most = used.reduce((a, b) => Math.max(a, b), 0);
  return used.length < 2 || most === 0 ? null : used.reduce((a, b) => Math.min(a, b), most) / most;
}
