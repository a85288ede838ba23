// `weir serve`: the proxy, from its configuration to its orderly end.
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { isatty } from "node:tty";
import { type App, startApp } from "../app.ts";
import type { UpstreamStore } from "../admin/store.ts";
import type { Config } from "../config/config.ts";
import { parseFlags } from "../config/flags.ts";
import { CONFIG_FLAGS, type Loaded } from "../config/load.ts";
import { formatProblem } from "../config/problem.ts";
import { OPTIONS } from "../config/options.ts";
import type { Resolved } from "../config/resolved.ts";
import { watchFiles } from "../config/watch.ts";
import { createFdWriter } from "../notify/write-fd.ts";
import { realClock, realRandom } from "../runtime/clock.ts";
import { describeStart } from "./banner.ts";
import { type CustomWorld, loadFromWorld, tellUnloadable, withCustomStrategies } from "./configuration.ts";
import { helpOf } from "./help.ts";
import { type Command, EXIT, type Invocation } from "./invocation.ts";
import { listenForStop } from "./stop-signal.ts";
import { findHindrances, keepUpstreams, type ReadUpstreams } from "./upstreams.ts";

export const runServe: Command = async (invocation) => {
  const { args, env, out, err } = invocation;
  const flags = parseFlags(args, CONFIG_FLAGS);
  if (flags.help) {
    out(helpOf("serve"));
    return EXIT.fine;
  }
  const custom: CustomWorld = { now: realClock.now, report: (message) => err(`warning: ${message}\n`) };
  const upstreams = keepUpstreams();
  const load = (read = upstreams.read) => withCustomStrategies(loadFromWorld(env, flags, read), custom);
  const loaded = await load();
  if (loaded.kind !== "config") return tellUnloadable(loaded, err);
  const { config } = loaded;
  for (const warning of config.warnings) err(`warning: ${warning}\n`);
  const store = upstreams.store();
  let app: App;
  try {
    app = startApp(config, {
      clock: realClock,
      random: realRandom,
      createId: randomUUID,
      hostname: hostname(),
      ...(store === undefined ? {} : { upstreams: store }),
      log: { format: isatty(STDERR) ? "text" : "json", write: createFdWriter(STDERR) },
    });
  } catch (error) {
    err(`cannot listen on ${config.server.host}:${config.server.port}: ${reasonOf(error)}\n`);
    return EXIT.unavailable;
  }
  out(describeStart(config, app.port, app.dashboardPort));
  for (const warning of app.warnings) err(`warning: ${warning}\n`);
  return serveUntilStopped(invocation, load, { app, config, resolved: loaded.resolved, store });
};

const STDERR = 2;

interface Running {
  readonly app: App;
  readonly config: Config;
  readonly resolved: Resolved;
  readonly store: UpstreamStore | undefined;
}

/** Options whose value is another one now, though it counts only from the start. */
function needingRestart(before: Resolved, after: Resolved): readonly string[] {
  const shown = new Map(before.options.map((option) => [option.key, option.shown]));
  const changed = after.options.filter((option) => shown.get(option.key) !== option.shown);
  const restart = new Set<string>(OPTIONS.filter(({ change }) => change === "restart").map(({ key }) => key));
  return changed.map(({ key }) => key).filter((key) => restart.has(key));
}

/** Tells two readings of the configuration apart by all that can be seen of them. */
const traceOf = (loaded: Loaded): string =>
  loaded.kind === "config" ? JSON.stringify(loaded.resolved) : loaded.kind;

async function serveUntilStopped(
  invocation: Invocation,
  load: (read?: ReadUpstreams) => Promise<Loaded>,
  { app, config, resolved, store }: Running,
): Promise<number> {
  const { err, onSignal } = invocation;
  const { watched } = config;
  const told = new Set<string>();
  const reload = async (): Promise<void> => {
    const next = await load();
    if (next.kind !== "config") {
      app.rejectReload(next.kind === "empty" ? ["no backend is left"] : next.problems.map(formatProblem));
      return;
    }
    const fixed = needingRestart(resolved, next.resolved).map((key) => `${key} changes only with a restart`);
    for (const warning of [...next.config.warnings, ...fixed]) {
      if (!told.has(warning)) err(`warning: ${warning}\n`);
      told.add(warning);
    }
    app.reload(next.config);
    watch.update(next.config.watched);
  };
  const watch = watchFiles(watched, reload, {
    onError: (error) => err(`cannot reload: ${reasonOf(error)}\n`),
  });
  onSignal("SIGHUP", () => void reload());
  store?.follow({
    examine: async (specs) => findHindrances(await load(() => specs)),
    apply: () => reload(),
  });
  // What changed between the first reading and the watch's first look would else go unnoticed.
  if (watched.length > 0 && traceOf(await load()) !== JSON.stringify(resolved)) await reload();

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
