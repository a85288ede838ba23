// Readers for plain data: each takes a value and its place, gives the parsed value, or notes a problem that says
// the place, what was expected and what was found. Unknown keys are problems that name the nearest known one.
import { nearest } from "./nearest.ts";
import type { Spread } from "./spread.ts";

export type Reader<T> = (value: unknown, place: string, problems: string[]) => T | undefined;

/** A script that cannot be used, with every problem in it. */
export class ScriptError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.name = "ScriptError";
    this.problems = problems;
  }
}

export type Plain = Readonly<Record<string, unknown>>;

const isPlain = (value: unknown): value is Plain =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** Notes a problem; the answer is always undefined, so that readers can return it. */
export function refuse(problems: string[], place: string, expected: string, found: unknown): undefined {
  problems.push(`${place}: expected ${expected}, found ${shown(found)}`);
}

/** Reads a mapping with known keys; what is absent stays absent. */
export function fields<T>(readers: { readonly [K in keyof T]-?: Reader<T[K]> }): Reader<Partial<T>> {
  const names = Object.keys(readers);
  return (value, place, problems) => {
    if (!isPlain(value)) return refuse(problems, place, `a mapping of ${names.join(", ")}`, value);
    const result: Partial<T> = {};
    for (const [name, item] of Object.entries(value)) {
      const where = place === "" ? name : `${place}.${name}`;
      if (!Object.hasOwn(readers, name)) {
        const near = nearest(name, names);
        const hint = near === undefined ? `known are ${names.join(", ")}` : `did you mean "${near}"?`;
        problems.push(`${where}: unknown key; ${hint}`);
      } else if (item !== undefined) {
        const known = name as keyof T;
        const read = readers[known](item, where, problems);
        if (read !== undefined) result[known] = read;
      }
    }
    return result;
  };
}

export const text: Reader<string> = (value, place, problems) =>
  typeof value === "string" ? value : refuse(problems, place, "text", value);

export const flag: Reader<boolean> = (value, place, problems) =>
  typeof value === "boolean" ? value : refuse(problems, place, "true or false", value);

export function number(least: number, most = Infinity, whole = false): Reader<number> {
  const kind = whole ? "a whole number" : "a number";
  const expected = most === Infinity ? `${kind} from ${least}` : `${kind} from ${least} to ${most}`;
  return (value, place, problems) =>
    typeof value === "number" && value >= least && value <= most && (!whole || Number.isInteger(value))
      ? value
      : refuse(problems, place, expected, value);
}

export const count = (least: number, most?: number): Reader<number> => number(least, most, true);

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds from "50ms", "1.5s", "2m", "1h"; a bare number is refused, except zero. */
export const duration: Reader<number> = (value, place, problems) => {
  if (value === 0) return 0;
  const match = typeof value === "string" ? /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(value.trim()) : null;
  if (match === null) return refuse(problems, place, 'a duration with a unit such as "50ms" or "2s"', value);
  return Number(match[1]) * (UNITS[match[2] ?? ""] ?? 1);
};

/** A fixed value or a distribution of values, each read by the given reader. */
export function spread(one: Reader<number>): Reader<Spread> {
  return (value, place, problems) => {
    if (!isPlain(value)) {
      const fixed = one(value, place, problems);
      return fixed === undefined ? undefined : { kind: "fixed", value: fixed };
    }
    const keys = Object.keys(value).sort().join(",");
    const part = (name: string): number | undefined => one(value[name], `${place}.${name}`, problems);
    if (keys === "p50,p99") {
      const [p50, p99] = [part("p50"), part("p99")];
      if (p50 === undefined || p99 === undefined) return undefined;
      if (p50 <= 0 || p99 < p50) return refuse(problems, place, "0 < p50 <= p99", value);
      return { kind: "lognormal", p50, p99 };
    }
    if (keys === "mean,stddev") {
      const [mean, stddev] = [part("mean"), part("stddev")];
      return mean === undefined || stddev === undefined ? undefined : { kind: "normal", mean, stddev };
    }
    if (keys === "max,min") {
      const [min, max] = [part("min"), part("max")];
      if (min === undefined || max === undefined) return undefined;
      return max < min ? refuse(problems, place, "min <= max", value) : { kind: "uniform", min, max };
    }
    return refuse(problems, place, "one value, {p50, p99}, {mean, stddev} or {min, max}", value);
  };
}

/** One of a few names; a slip is answered with the nearest. */
export function oneOf<T extends string>(names: readonly T[]): Reader<T> {
  return (value, place, problems) => {
    const found = names.find((name) => name === value);
    if (found !== undefined) return found;
    const near = typeof value === "string" ? nearest(value, names) : undefined;
    const hint = near === undefined ? "" : ` (did you mean "${near}"?)`;
    return refuse(problems, place, `one of ${names.join(", ")}${hint}`, value);
  };
}

export function list<T>(item: Reader<T>): Reader<readonly T[]> {
  return (value, place, problems) => {
    if (!Array.isArray(value)) return refuse(problems, place, "a list", value);
    const items = value.map((entry, index) => item(entry, `${place}[${index}]`, problems));
    return items.filter((entry) => entry !== undefined);
  };
}

/** One item or a list of them. */
export function some<T>(item: Reader<T>): Reader<readonly T[]> {
  const many = list(item);
  return (value, place, problems) => {
    if (Array.isArray(value)) return many(value, place, problems);
    const one = item(value, place, problems);
    return one === undefined ? undefined : [one];
  };
}

/** A mapping from free names to values of one kind. */
export function mapping<T>(item: Reader<T>): Reader<ReadonlyMap<string, T>> {
  return (value, place, problems) => {
    if (!isPlain(value)) return refuse(problems, place, "a mapping", value);
    const result = new Map<string, T>();
    for (const [name, entry] of Object.entries(value)) {
      const read = item(entry, `${place}.${name}`, problems);
      if (read !== undefined) result.set(name, read);
    }
    return result;
  };
}

/** A test for a pattern in which `*` stands for anything. */
export const pattern: Reader<RegExp> = (value, place, problems) => {
  const plain = text(value, place, problems);
  if (plain === undefined) return undefined;
  const escaped = plain.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${escaped.join(".*")}$`, "s");
};
