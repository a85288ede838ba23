// Reads one rule of a script: which calls it matches, how often it strikes, and what it does.
import { action } from "./action.ts";
import { count, fields, flag, mapping, number, pattern, refuse, some } from "./script-read.ts";
import type { Action } from "./action.ts";
import type { Reader } from "./script-read.ts";

interface Range {
  readonly from: number;
  readonly to: number;
}

export interface Match {
  readonly key?: readonly RegExp[];
  readonly model?: readonly RegExp[];
  readonly path?: readonly RegExp[];
  readonly method: readonly RegExp[];
  readonly family?: readonly RegExp[];
  readonly stream?: boolean;
  readonly header?: ReadonlyMap<string, RegExp>;
  readonly call?: readonly Range[];
}

export interface Rule {
  readonly match: Match;
  readonly probability: number;
  readonly times: number;
  readonly action: Action;
}

const ranges: Reader<readonly Range[]> = some((value, place, problems) => {
  if (typeof value === "number" && Number.isInteger(value) && value > 0) return { from: value, to: value };
  const match = typeof value === "string" ? /^(\d+)-(\d*)$/.exec(value) : null;
  if (match === null)
    return refuse(problems, place, 'a number from 1, or a range such as "3-7" or "3-"', value);
  const from = Number(match[1]);
  const to = match[2] === "" ? Infinity : Number(match[2]);
  return to < from || from < 1 ? refuse(problems, place, "a range that ascends from 1", value) : { from, to };
});

const readMatch = fields<Required<Match>>({
  key: some(pattern),
  model: some(pattern),
  path: some(pattern),
  method: some(pattern),
  family: some(pattern),
  stream: flag,
  header: (value, place, problems) => {
    const read = mapping(pattern)(value, place, problems);
    return read && new Map([...read].map(([name, one]) => [name.toLowerCase(), one]));
  },
  call: ranges,
});

const readRule = fields<{
  match: Partial<Match>;
  probability: number;
  times: number;
  do: Action;
}>({ match: readMatch, probability: number(0, 1), times: count(1), do: action });

export const rule: Reader<Rule> = (value, place, problems) => {
  const read = readRule(value, place, problems);
  if (read === undefined) return undefined;
  if (read.do === undefined) {
    if (!problems.some((problem) => problem.startsWith(`${place}.do`)))
      problems.push(`${place}.do: missing; it says what happens to the calls that match`);
    return undefined;
  }
  const { match, probability = 1, times = Infinity } = read;
  return { match: { method: [/^POST$/], ...match }, probability, times, action: read.do };
};
