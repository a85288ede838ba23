import { describe, expect, test } from "bun:test";
import { parseEnv } from "node:util";
import { parseEnvFile } from "../../src/config/dotenv.ts";
import { formatProblem, type Problem } from "../../src/config/problem.ts";
import { configOf, K1, K2, problemsOf, shape } from "./load-env.ts";

const parse = (text: string) => {
  const problems: Problem[] = [];
  const lines = parseEnvFile(text, "x.env", problems);
  return { values: Object.fromEntries(lines.map(({ name, value }) => [name, value])), lines, problems };
};
const valuesOf = (text: string) => parse(text).values;
const problemsIn = (text: string) => parse(text).problems.map(formatProblem);

describe("an env file", () => {
  test("agrees with node:util's parseEnv on what is plain", () => {
    const text =
      "A=1\nexport B = two words \n# note\n\nC='single $A \\n'\nD=\"x # y\" # note\nE=a=b\nF=\nG=x # note\n";
    expect(valuesOf(text)).toEqual(parseEnv(text) as Record<string, string>);
  });

  test("keeps a # within a value, which parseEnv cuts", () => {
    expect(valuesOf("A=pa#ss\nB= # only a note")).toEqual({ A: "pa#ss", B: "" });
  });

  test("expands nothing", () => {
    expect(valuesOf('A=1\nB=$A\nC=${A}\nD="$A"')).toMatchObject({ B: "$A", C: "${A}", D: "$A" });
  });

  test("has escapes in double quotes only", () => {
    expect(valuesOf('A="a\\nb\\t\\"q\\" \\\\ \\x"\nB=\'a\\nb\'')).toEqual({
      A: 'a\nb\t"q" \\ \\x',
      B: "a\\nb",
    });
  });

  test("may have values over several lines, and goes on counting lines", () => {
    const { lines } = parse('A="one\n  two\n"\r\nB=3');
    expect(lines).toEqual([
      { name: "A", value: "one\n  two\n", line: 1 },
      { name: "B", value: "3", line: 4 },
    ]);
  });

  test.each([
    ["A=1\njust text", "x.env:2: expected NAME=VALUE"],
    ["1A=1", "x.env:1: expected NAME=VALUE"],
    ["A-B=1", "x.env:1: expected NAME=VALUE"],
    ["=1", "x.env:1: expected NAME=VALUE"],
    ['A="open\nB=1', 'x.env:1: expected a closing " in the value of A'],
    ["A='x' y", "x.env:1: expected nothing after the closing ' in the value of A"],
  ])("%p has a problem that names the line and not the value", (text, problem) => {
    expect(problemsIn(text)).toEqual([`cannot read ${problem}`]);
  });
});

const use = (...files: string[]) => files.flatMap((file) => ["--env-file", file]);

describe("--env-file", () => {
  test("gives variables, later files over earlier ones, the real environment over all", () => {
    const files = {
      "a.env": `OPENAI_API_KEYS=${K1}\nWEIR_PORT=1\nWEIR_RETRY_MAX=7`,
      "b.env": "WEIR_PORT=2\nWEIR_RETRY_MAX=8",
    };
    const config = configOf({ WEIR_RETRY_MAX: "9" }, { argv: use("a.env", "b.env"), files });
    expect(config.server.port).toBe(2);
    expect(config.retry.max).toBe(9);
    expect(shape(config.pool.backends)).toEqual([`${K1}@https://api.openai.com/v1*1`]);
  });

  test("is hidden even by an empty variable, so that a provider can be switched off", () => {
    const files = { "a.env": `OPENAI_API_KEYS=${K1}\nGROQ_API_KEY=${K2}` };
    const config = configOf({ OPENAI_API_KEYS: "" }, { argv: use("a.env"), files });
    expect(config.pool.providers.map(({ name }) => name)).toEqual(["groq"]);
  });

  test("takes keys on several lines", () => {
    const files = { "a.env": `OPENAI_API_KEYS="\n${K1}\n${K2}*2\n"` };
    expect(configOf({}, { argv: use("a.env"), files }).pool.backends.map(({ weight }) => weight)).toEqual([
      1, 2,
    ]);
  });

  test("is named with its line in problems", () => {
    const files = { "a.env": `OPENAI_API_KEYS="${K1},x y"\n\nWEIR_PORT=80a\nrubbish` };
    expect(problemsOf({}, { argv: use("a.env"), files })).toEqual([
      "cannot read a.env:4: expected NAME=VALUE",
      'cannot read a.env:3 WEIR_PORT: expected 0 to 65535, found "80a"',
      "cannot read a.env:1 OPENAI_API_KEYS: expected a key without blanks in it, found key 2 ***",
    ]);
  });

  test("is watched, and must be there", () => {
    const files = { "/etc/a.env": `OPENAI_API_KEYS=${K1}` };
    expect(configOf({}, { argv: use("a.env"), files, cwd: "/etc" }).watched).toEqual(["/etc/a.env"]);
    expect(problemsOf({ OPENAI_API_KEYS: K1 }, { argv: use("none.env") })).toEqual([
      'cannot read --env-file: expected a readable file, found "none.env" (no such file)',
    ]);
  });
});
