// `weir fake`: the scripted provider that fails on purpose, for failure drills against one's own set-up.
import { readFileSync } from "node:fs";
import { type FlagSpec, parseFlags } from "../config/flags.ts";
import { formatProblem } from "../config/problem.ts";
import { printExamples } from "../fake/examples.ts";
import { FAKE_HELP } from "../fake/help.ts";
import { runFake } from "../fake/run.ts";
import { type Command, EXIT } from "./invocation.ts";
import { reasonOf } from "./reason.ts";
import { listenForStop } from "./stop-signal.ts";

const FAKE_FLAGS: readonly FlagSpec[] = [
  { name: "port", takes: "value" },
  { name: "host", takes: "value" },
  { name: "script", takes: "value" },
  { name: "seed", takes: "value" },
  { name: "examples", takes: "nothing" },
];

const DEFAULT_PORT = "9000";

export const runFakeCommand: Command = async (invocation) => {
  const { args, out, err } = invocation;
  const flags = parseFlags(args, FAKE_FLAGS);
  if (flags.help || flags.given.has("examples")) {
    out(flags.help ? FAKE_HELP : printExamples());
    return EXIT.fine;
  }
  const value = (name: string) => flags.given.get(name)?.[0];
  const port = Number(value("port") ?? DEFAULT_PORT);
  const seed = Number(value("seed") ?? "1");
  const problems = flags.problems.map(formatProblem);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    problems.push(`cannot read --port: expected 0 to 65535, found "${value("port")}"`);
  if (!Number.isInteger(seed))
    problems.push(`cannot read --seed: expected a whole number, found "${value("seed")}"`);
  if (problems.length > 0) {
    err(`${problems.join("\n")}\n`);
    return EXIT.usage;
  }
  const file = value("script");
  const hostname = value("host") ?? "127.0.0.1";
  const stop = new AbortController();
  void listenForStop(invocation).asked.then(() => stop.abort());
  try {
    const scriptText = file === undefined ? undefined : readFileSync(file, "utf8");
    await runFake(
      {
        port,
        hostname,
        seed,
        ...(scriptText === undefined ? {} : { scriptText }),
        onListen: ({ url }) => out(`weir fake listens on ${url}\n  ledger: ${url}/__ledger\n`),
      },
      stop.signal,
    );
    return EXIT.fine;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if ("syscall" in error && error.syscall === "listen") {
      err(`cannot listen on ${hostname}:${port}: ${reasonOf(error)}\n`);
      return EXIT.unavailable;
    }
    err(`${file === undefined ? "" : `${file}: `}${error.message}\n`);
    return EXIT.config;
  }
};
