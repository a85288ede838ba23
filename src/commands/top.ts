// `weir top`: what a running weir does, in a terminal; or one frame of it as text.
import { type FlagSpec, parseFlags } from "../config/flags.ts";
import { formatProblem } from "../config/problem.ts";
import { type Address, askSnapshot } from "../views/top/ask.ts";
import { printOnce } from "../views/top/once.ts";
import { runTop } from "../views/top/run.ts";
import { helpOf } from "./help.ts";
import { type Command, EXIT } from "./invocation.ts";
import { listenForStop } from "./stop-signal.ts";
import { isUnicodeTerminal } from "./unicode.ts";
import { NO_WEIR_URL, readWeirUrl } from "./weir-url.ts";

const FLAGS: readonly FlagSpec[] = [
  { name: "url", takes: "value" },
  { name: "key", takes: "value" },
  { name: "once", takes: "nothing" },
  { name: "no-color", takes: "nothing" },
];

export const runTopCommand: Command = async (invocation) => {
  const { args, env, out, err, isTerminal } = invocation;
  const flags = parseFlags(args, FLAGS);
  if (flags.help) {
    out(helpOf("top"));
    return EXIT.fine;
  }
  const value = (name: string): string | undefined => flags.given.get(name)?.[0];
  const url = readWeirUrl(value("url"), env);
  const problems = flags.problems.map(formatProblem);
  if (url === undefined) problems.push(NO_WEIR_URL);
  if (url === undefined || problems.length > 0) {
    err(`${problems.join("\n")}\n`);
    return EXIT.usage;
  }
  const key = value("key") ?? env["WEIR_ADMIN_KEY"];
  const address: Address = { url, key: key === "" ? undefined : key };
  const asked = await askSnapshot(address);
  if (asked.kind === "failed") {
    err(`cannot show ${url}: ${asked.reason}\n`);
    return EXIT.failed;
  }
  const isUnicode = isUnicodeTerminal(env);
  if (isTrue(value("once")) || !isTerminal || env["TERM"] === "dumb") {
    const columns = isTerminal ? process.stdout.columns : Number(env["COLUMNS"]);
    out(printOnce(asked.answer, { url, columns: columns > 0 ? columns : undefined, isUnicode }));
    return EXIT.fine;
  }
  const stop = new AbortController();
  void listenForStop(invocation).asked.then(() => stop.abort());
  invocation.onSignal("SIGHUP", () => stop.abort());
  await runTop({
    address,
    first: asked.answer,
    streams: { input: process.stdin, output: process.stdout },
    // https://no-color.org: any value but an empty one.
    look: { hasColor: !isTrue(value("no-color")) && (env["NO_COLOR"] ?? "") === "", isUnicode },
    random: Math.random,
    now: () => performance.now(),
    signal: stop.signal,
  });
  return EXIT.fine;
};

const isTrue = (value: string | undefined): boolean =>
  value !== undefined && !/^(?:false|no|0)$/i.test(value);
