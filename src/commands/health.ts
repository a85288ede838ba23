// `weir health`: asks a running weir whether it is ready, or lives; for health checks of containers that have no curl.
import { parseFlags, type FlagSpec } from "../config/flags.ts";
import { formatProblem } from "../config/problem.ts";
import { helpOf } from "./help.ts";
import { type Command, EXIT } from "./invocation.ts";
import { reasonOf } from "./reason.ts";
import { NO_WEIR_URL, readWeirUrl } from "./weir-url.ts";

export const HEALTH_FLAGS: readonly FlagSpec[] = [
  { name: "url", takes: "value" },
  { name: "live", takes: "nothing" },
];

const TIMEOUT_MS = 3000;

export const runHealth: Command = async ({ args, env, out, err }) => {
  const flags = parseFlags(args, HEALTH_FLAGS);
  if (flags.help) {
    out(helpOf("health"));
    return EXIT.fine;
  }
  if (flags.problems.length > 0) {
    for (const problem of flags.problems) err(`${formatProblem(problem)}\n`);
    return EXIT.usage;
  }
  const base = readWeirUrl(flags.given.get("url")?.[0], env);
  if (base === undefined) {
    err(`${NO_WEIR_URL}\n`);
    return EXIT.usage;
  }
  const url = `${base}/health/${flags.given.has("live") ? "live" : "ready"}`;
  try {
    const response = await fetch(url, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
      // An environment's proxy is for providers, not for the weir next door; the types know no `false`.
      proxy: false,
    } as unknown as BunFetchRequestInit);
    out(`${await response.text()}\n`);
    return response.ok ? EXIT.fine : EXIT.failed;
  } catch (error) {
    err(`cannot reach ${url}: ${reasonOf(error)}\n`);
    return EXIT.failed;
  }
};
