// Splits `k*3` into what is weighted and its weight. No key and no address contains a star.

/** Undefined when what follows the star is no weight. 0 is drained. */
export function splitWeight(text: string): { readonly item: string; readonly weight: number } | undefined {
  const star = text.indexOf("*");
  if (star < 0) return { item: text, weight: 1 };
  const digits = text.slice(star + 1).trim();
  const weight = /^(\d{1,9}(\.\d{0,9})?|\.\d{1,9})$/.test(digits) ? Number(digits) : undefined;
  return weight === undefined ? undefined : { item: text.slice(0, star).trim(), weight };
}
