// `weir health`: asks a running weir whether it is ready, or lives; for health checks of containers that have no curl.
import { parseFlags, type FlagSpec } from "../config/flags.ts";
import { formatProblem } from "../config/problem.ts";
import { reachableHost } from "./banner.ts";
import { helpOf } from "./help.ts";
import { type Command, EXIT } from "./invocation.ts";
import { reasonOf } from "./reason.ts";

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
  const own = `http://${reachableHost(env["WEIR_HOST"] ?? "127.0.0.1")}:${env["WEIR_PORT"] ?? env["PORT"] ?? "8080"}`;
  const page = flags.given.has("live") ? "live" : "ready";
  const given = flags.given.get("url")?.[0] ?? own;
  const url = `${(given.includes("://") ? given : `http://${given}`).replace(/\/+$/, "")}/health/${page}`;
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
