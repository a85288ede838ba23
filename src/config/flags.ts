// Command line arguments to flags, strictly: what no command knows is a problem. Every command has its own table.
import { parseArgs } from "node:util";
import { type Problem, quoted } from "./problem.ts";
import { suggestion } from "./readers.ts";

export interface FlagSpec {
  /** Long name, without dashes. */
  readonly name: string;
  /** A switch takes nothing, but `--open=no` is understood. */
  readonly takes: "value" | "nothing";
  /** One that is not counts once: the last one given. */
  readonly repeatable?: boolean;
}

export interface ParsedFlags {
  readonly help: boolean;
  /** Values by name, in the order given; `true` for a bare switch. One value only unless repeatable. */
  readonly given: ReadonlyMap<string, readonly string[]>;
  /** Arguments that belong to no flag. */
  readonly rest: readonly string[];
  readonly problems: readonly Problem[];
}

/** `most` arguments that belong to no flag are allowed. */
export function parseFlags(argv: readonly string[], allowed: readonly FlagSpec[], most = 0): ParsedFlags {
  const specs = new Map(allowed.map((spec) => [spec.name, spec]));
  const problems: Problem[] = [];
  const given = new Map<string, string[]>();
  const rest: string[] = [];
  let help = false;
  let swallowNext = false;
  for (const token of tokensOf(argv, specs)) {
    const swallow = swallowNext;
    swallowNext = false;
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      if (swallow) continue;
      rest.push(token.value);
      continue;
    }
    if (token.name === "help" || token.name === "h") {
      help = true;
      continue;
    }
    const spec = specs.get(token.name);
    if (spec === undefined) {
      const names = allowed.map(({ name }) => `--${name}`);
      const expected = `an option of this command${suggestion(`--${token.name}`, names)}`;
      problems.push({ kind: "usage", where: token.rawName, expected });
      swallowNext = token.value === undefined; // what follows is its value, not one more mistake
      continue;
    }
    const value = token.value ?? (spec.takes === "nothing" ? "true" : undefined);
    if (value === undefined) {
      problems.push({
        kind: "usage",
        where: `--${spec.name}`,
        expected: "a value after it",
        found: "nothing",
      });
      continue;
    }
    given.set(spec.name, spec.repeatable === true ? [...(given.get(spec.name) ?? []), value] : [value]);
  }
  for (const extra of rest.slice(most))
    problems.push({
      kind: "usage",
      where: "the command line",
      expected: "no further argument",
      found: quoted(extra),
    });
  return { help, given, rest, problems };
}

function tokensOf(argv: readonly string[], specs: ReadonlyMap<string, FlagSpec>) {
  const { tokens } = parseArgs({
    args: withTwoDashes(argv, specs),
    options: {
      ...Object.fromEntries(
        [...specs.values()].map(({ name, takes }) => [
          name,
          { type: takes === "value" ? ("string" as const) : ("boolean" as const) },
        ]),
      ),
      help: { type: "boolean", short: "h" },
    },
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  return tokens;
}

/** `-config x` becomes `--config x`: no short option but -h exists. Values of flags stay as they are. */
function withTwoDashes(argv: readonly string[], specs: ReadonlyMap<string, FlagSpec>): string[] {
  const end = argv.indexOf("--");
  let isValue = false;
  return argv.map((argument, at) => {
    if (isValue || (end >= 0 && at >= end)) {
      isValue = false;
      return argument;
    }
    const full = /^-[A-Za-z][\w-]+/.test(argument) ? `-${argument}` : argument;
    isValue = full.startsWith("--") && specs.get(full.slice(2))?.takes === "value";
    return full;
  });
}
