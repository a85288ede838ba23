// `weir serve`: the proxy, from its configuration to its orderly end.
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { type App, startApp } from "../app.ts";
import type { Config } from "../config/config.ts";
import { parseFlags, type ParsedFlags } from "../config/flags.ts";
import { CONFIG_FLAGS, type Loaded } from "../config/load.ts";
import { formatProblem } from "../config/problem.ts";
import { watchFiles } from "../config/watch.ts";
import { realClock, realRandom } from "../runtime/clock.ts";
import { describeStart } from "./banner.ts";
import { loadFromWorld, tellUnloadable } from "./configuration.ts";
import { helpOf } from "./help.ts";
import { type Command, EXIT, type Invocation } from "./invocation.ts";
import { listenForStop } from "./stop-signal.ts";

export const runServe: Command = async (invocation) => {
  const { args, env, out, err, isTerminal } = invocation;
  const flags = parseFlags(args, CONFIG_FLAGS);
  if (flags.help) {
    out(helpOf("serve"));
    return EXIT.fine;
  }
  const loaded = loadFromWorld(env, flags);
  if (loaded.kind !== "config") return tellUnloadable(loaded, err);
  const { config } = loaded;
  for (const warning of config.warnings) err(`warning: ${warning}\n`);
  let app: App;
  try {
    app = startApp(config, {
      clock: realClock,
      random: realRandom,
      createId: randomUUID,
      hostname: hostname(),
      log: { format: isTerminal ? "text" : "json", write: err },
    });
  } catch (error) {
    err(`cannot listen on ${config.server.host}:${config.server.port}: ${reasonOf(error)}\n`);
    return EXIT.unavailable;
  }
  out(describeStart(config, app.port));
  return serveUntilStopped(invocation, flags, { app, config });
};

interface Running {
  readonly app: App;
  readonly config: Config;
}

const idsOf = (config: Config): string => config.pool.backends.map(({ id }) => id).join(" ");
const idsIn = (loaded: Loaded): string | undefined =>
  loaded.kind === "config" ? idsOf(loaded.config) : undefined;

async function serveUntilStopped(
  invocation: Invocation,
  flags: ParsedFlags,
  { app, config }: Running,
): Promise<number> {
  const { env, err, onSignal } = invocation;
  const { watched } = config;
  const told = new Set<string>();
  const reload = (): void => {
    const next = loadFromWorld(env, flags);
    if (next.kind !== "config") {
      app.rejectReload(next.kind === "empty" ? ["no backend is left"] : next.problems.map(formatProblem));
      return;
    }
    for (const warning of next.config.warnings) {
      if (!told.has(warning)) err(`warning: ${warning}\n`);
      told.add(warning);
    }
    app.reload(next.config);
    watch.update(next.config.watched);
  };
  const watch = watchFiles(watched, reload, {
    onError: (error) => err(`cannot reload: ${reasonOf(error)}\n`),
  });
  onSignal("SIGHUP", reload);
  // What changed between the first reading and the watch's first look would else go unnoticed.
  if (watched.length > 0 && idsIn(loadFromWorld(env, flags)) !== idsOf(config)) reload();

  const stop = listenForStop(invocation);
  const { skipDelay } = await stop.asked;
  watch.stop();
  const ended = app.stop({ skipDelay }).then(() => EXIT.fine);
  return Promise.race([ended, stop.insisted.then(() => EXIT.interrupted)]);
}

/** The system's code, such as EADDRINUSE; messages may carry more than is wanted. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown error";
  return "code" in error && typeof error.code === "string" ? error.code : error.message;
}
