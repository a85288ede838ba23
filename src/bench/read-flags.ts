// The command line by its options' names, strictly: what is no option is a problem.
import { parseArgs } from "node:util";
import { nearestNames } from "../core/nearest.ts";
import { BENCH_OPTIONS, type OptionRow } from "./options.ts";

const ROWS: readonly OptionRow[] = BENCH_OPTIONS;

export interface Flags {
  readonly given: ReadonlyMap<string, readonly string[]>;
  readonly problems: string[];
  readonly isHelp: boolean;
}

export function readFlags(args: readonly string[]): Flags {
  const byName = new Map(ROWS.map((row) => [row.name, row]));
  const byShort = new Map(ROWS.map((row) => [row.short, row.name]));
  const given = new Map<string, string[]>();
  const problems: string[] = [];
  let isHelp = false;
  const { tokens } = parseArgs({
    args: args.map((arg) => {
      // `-url x` is `--url x`, as for every command, and `-u=x` is `-u x`, as Python's argparse has it.
      const [, word = "", sign = ""] = /^-([a-z][\w-]*)(=?)/.exec(arg) ?? [];
      if (word.length > 1 && byName.has(word)) return `-${arg}`;
      const name = sign === "" ? undefined : byShort.get(word);
      return name === undefined ? arg : `--${name}${arg.slice(2)}`;
    }),
    options: {
      ...Object.fromEntries(
        ROWS.map(({ name, short, value }) => [
          name,
          {
            type: value === undefined ? ("boolean" as const) : ("string" as const),
            ...(short !== undefined && { short }),
          },
        ]),
      ),
      help: { type: "boolean", short: "h" },
    },
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  let isSwallowed = false;
  for (const token of tokens) {
    const isValue = isSwallowed;
    isSwallowed = false;
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      if (isValue) continue;
      problems.push(`cannot read the command line: expected no further argument, found "${token.value}"`);
      continue;
    }
    if (token.name === "help") {
      isHelp = true;
      continue;
    }
    const row = byName.get(token.name);
    if (row === undefined) {
      isSwallowed = token.value === undefined; // what follows is its value, not one more mistake
      const [near] = nearestNames(token.name, [...byName.keys()], 1);
      problems.push(
        `cannot read ${token.rawName}: expected an option of weir bench${near === undefined ? "" : `; did you mean --${near}?`}`,
      );
    } else if (row.value !== undefined && token.value === undefined)
      problems.push(`cannot read --${row.name}: expected a value after it, found nothing`);
    else if (row.value === undefined && token.value !== undefined)
      problems.push(`cannot read --${row.name}: expected nothing after it, found "${token.value}"`);
    else
      given.set(row.name, [
        ...(row.isRepeatable === true ? (given.get(row.name) ?? []) : []),
        token.value ?? "",
      ]);
  }
  return { given, problems, isHelp };
}
