import { describe, expect, test } from "bun:test";
import { type FlagSpec, parseFlags } from "../../src/config/flags.ts";
import { formatProblem } from "../../src/config/problem.ts";
import { configOf, K1, load } from "./load-env.ts";

const ALLOWED: readonly FlagSpec[] = [
  { name: "port", takes: "value" },
  { name: "host", takes: "value" },
  { name: "open", takes: "nothing" },
  { name: "env-file", takes: "value", repeatable: true },
];

const parse = (...argv: string[]) => Object.fromEntries(parseFlags(argv, ALLOWED).given);
const complain = (...argv: string[]) => parseFlags(argv, ALLOWED).problems.map(formatProblem);

describe("flags", () => {
  test("are written with two dashes or one, with a blank or an equals sign", () => {
    for (const argv of [["--port", "80"], ["--port=80"], ["-port", "80"], ["-port=80"]])
      expect(parse(...argv)).toEqual({ port: ["80"] });
  });

  test("keep a value that begins with a dash, or is empty, or has an equals sign", () => {
    expect(parse("--port", "-5", "-host", "-x-y")).toEqual({ port: ["-5"], host: ["-x-y"] });
    expect(parse("--port=", "--host", "")).toEqual({ port: [""], host: [""] });
    expect(parse("--host=a=b")).toEqual({ host: ["a=b"] });
  });

  test("count once, the last time; repeatable ones every time", () => {
    expect(parse("--port", "1", "--port=2")).toEqual({ port: ["2"] });
    expect(parse("--env-file", "a", "-env-file=b")).toEqual({ "env-file": ["a", "b"] });
  });

  test("that are switches take no value, but understand one after an equals sign", () => {
    expect(parse("--open", "--port", "1")).toEqual({ open: ["true"], port: ["1"] });
    expect(parse("--open=no")).toEqual({ open: ["no"] });
  });

  test("that nobody knows are problems with the nearest name, together with their value", () => {
    expect(complain("--prot", "80", "--hots=x", "-opne")).toEqual([
      "cannot read --prot: expected an option of this command (did you mean --port?)",
      "cannot read --hots: expected an option of this command (did you mean --host?)",
      "cannot read --opne: expected an option of this command (did you mean --open?)",
    ]);
    expect(complain("--zzzzzzzzz")).toEqual(["cannot read --zzzzzzzzz: expected an option of this command"]);
    expect(complain("--__proto__", "-x")).toHaveLength(2);
  });

  test("without their value are problems", () => {
    expect(complain("--port")).toEqual(["cannot read --port: expected a value after it, found nothing"]);
  });

  test("leave no argument over, unless the command takes some", () => {
    expect(complain("gpt-4o")).toEqual([
      'cannot read the command line: expected no further argument, found "gpt-4o"',
    ]);
    const taken = parseFlags(["gpt-4o", "--port", "1", "--", "--host"], ALLOWED, 2);
    expect([taken.rest, taken.problems]).toEqual([["gpt-4o", "--host"], []]);
  });

  test("ask for help in four ways", () => {
    for (const help of ["--help", "-help", "-h", "--h"]) expect(parseFlags([help], ALLOWED).help).toBe(true);
    expect(parseFlags(["--", "--help"], ALLOWED, 1).help).toBe(false);
    expect(parseFlags([], ALLOWED)).toEqual({ help: false, given: new Map(), rest: [], problems: [] });
  });
});

describe("problems", () => {
  test("of flags are wrong usage, of variables wrong configuration; all are told at once", () => {
    const env = { OPENAI_API_KEYS: K1, WEIR_TIMEOUTS_IDLE: "5" };
    const loaded = load(env, { argv: ["--port", "80a", "--nope", "--log-level=loud"] });
    expect(
      loaded.kind === "problems" && loaded.problems.map(({ kind, where }) => `${kind} ${where}`),
    ).toEqual(["usage --nope", "usage --port", "usage --log-level", "configuration WEIR_TIMEOUTS_IDLE"]);
  });

  test("--config is not known yet", () => {
    expect(load({ OPENAI_API_KEYS: K1 }, { argv: ["--config", "weir.yaml"] })).toMatchObject({
      kind: "problems",
      problems: [{ where: "--config" }],
    });
  });

  test("flags reach the configuration", () => {
    const argv = "-host 10.0.0.1 --port=0 --open --log-level warn --strategy least_used".split(" ");
    const config = configOf({ OPENAI_API_KEYS: K1 }, { argv });
    expect(config.server).toMatchObject({ host: "10.0.0.1", port: 0, open: true });
    expect(config.log.level).toBe("warn");
  });
});
