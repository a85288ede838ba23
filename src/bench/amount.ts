// A number that varies from call to call: 200, 100-2000 (even), 500/4000 (median and 99th percentile, lognormal).

export type Amount =
  | { readonly kind: "fixed"; readonly value: number }
  | { readonly kind: "even"; readonly low: number; readonly high: number }
  | { readonly kind: "lognormal"; readonly p50: number; readonly p99: number };

export const AMOUNT_FORMS =
  "a number, a range such as 100-2000, or median and 99th percentile such as 500/4000";

/** Undefined for what is none, or is beyond `most`. */
export function readAmount(text: string, most: number): Amount | undefined {
  const found = /^(\d{1,9})(?:([-/])(\d{1,9}))?$/.exec(text.trim());
  if (found === null) return undefined;
  const [, first = "", sign, second = first] = found;
  const [low, high] = [Number(first), Number(second)];
  if (low < 1 || high < low || high > most) return undefined;
  if (low === high) return { kind: "fixed", value: low };
  return sign === "/" ? { kind: "lognormal", p50: low, p99: high } : { kind: "even", low, high };
}

/** How many standard deviations the 99th percentile of a normal distribution lies above its median. */
const SIGMAS_TO_P99 = 2.326_347_874;

/** At most `most`: a lognormal's tail has no end. */
export function drawAmount(amount: Amount, random: () => number, most: number): number {
  switch (amount.kind) {
    case "fixed":
      return amount.value;
    case "even":
      return amount.low + Math.floor(random() * (amount.high - amount.low + 1));
    case "lognormal": {
      const sigma = Math.log(amount.p99 / amount.p50) / SIGMAS_TO_P99;
      return Math.min(most, Math.max(1, Math.round(amount.p50 * Math.exp(sigma * drawNormal(random)))));
    }
  }
}

/** Box and Muller. */
const drawNormal = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

export const writeAmount = (amount: Amount): string => {
  switch (amount.kind) {
    case "fixed":
      return String(amount.value);
    case "even":
      return `${amount.low}-${amount.high}`;
    case "lognormal":
      return `p50 ${amount.p50}, p99 ${amount.p99}`;
  }
};
