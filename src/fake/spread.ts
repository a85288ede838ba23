// A number that may vary: fixed, or drawn from a distribution. Latencies, token rates and lengths are spreads.
import type { Random } from "./random.ts";

export type Spread =
  | { readonly kind: "fixed"; readonly value: number }
  | { readonly kind: "lognormal"; readonly p50: number; readonly p99: number }
  | { readonly kind: "normal"; readonly mean: number; readonly stddev: number }
  | { readonly kind: "uniform"; readonly min: number; readonly max: number };

/** The 99th percentile of the standard normal distribution. */
const Z99 = 2.3263478740408408;

/** One value of the spread, never below zero. */
export function draw(spread: Spread, random: Random): number {
  switch (spread.kind) {
    case "fixed":
      return spread.value;
    case "uniform":
      return spread.min + random() * (spread.max - spread.min);
    case "normal":
      return Math.max(0, spread.mean + spread.stddev * gaussian(random));
    case "lognormal": {
      const sigma = Math.log(spread.p99 / spread.p50) / Z99;
      return spread.p50 * Math.exp(sigma * gaussian(random));
    }
  }
}

/** Box-Muller; 1 - u keeps the logarithm away from zero. */
function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
