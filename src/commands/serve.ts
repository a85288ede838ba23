// `weir serve`: the proxy, from its configuration to its orderly end.
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { isatty } from "node:tty";
import { type App, startApp } from "../app.ts";
import type { UpstreamStore } from "../admin/store.ts";
import { parseFlags } from "../config/flags.ts";
import { CONFIG_FLAGS, type Loaded } from "../config/load.ts";
import { watchFiles } from "../config/watch.ts";
import { createFdWriter } from "../notify/write-fd.ts";
import { realClock, realRandom } from "../runtime/clock.ts";
import { describeStart } from "./banner.ts";
import { type CustomWorld, loadFromWorld, tellUnloadable, withCustomStrategies } from "./configuration.ts";
import { helpOf } from "./help.ts";
import { createReload, type LoadedConfig, traceOf } from "./reload.ts";
import { type Command, EXIT, type Invocation } from "./invocation.ts";
import { reasonOf } from "./reason.ts";
import { listenForStop } from "./stop-signal.ts";
import { findHindrances, keepUpstreams, type ReadUpstreams } from "./upstreams.ts";

export const runServe: Command = async (invocation) => {
  const { args, env, out, err } = invocation;
  const flags = parseFlags(args, CONFIG_FLAGS);
  if (flags.help) {
    out(helpOf("serve"));
    return EXIT.fine;
  }
  let app: App | undefined;
  /** Lines of the log as soon as there is one: whoever reads JSON there gets nothing else. */
  const warn = (warning: string): void =>
    app === undefined ? err(`warning: ${warning}\n`) : app.warn(warning);
  const custom: CustomWorld = { now: realClock.now, report: warn };
  const upstreams = keepUpstreams();
  const load = (read = upstreams.read) => withCustomStrategies(loadFromWorld(env, flags, read), custom);
  const loaded = await load();
  if (loaded.kind !== "config") return tellUnloadable(loaded, err);
  const { config } = loaded;
  const store = upstreams.store();
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
    for (const warning of config.warnings) warn(warning);
    err(`cannot listen on ${config.server.host}:${config.server.port}: ${reasonOf(error)}\n`);
    return EXIT.unavailable;
  }
  out(describeStart(config, app.port, app.dashboardPort));
  for (const warning of [...config.warnings, ...app.warnings]) warn(warning);
  return serveUntilStopped(invocation, load, { app, loaded, store });
};

const STDERR = 2;

interface Running {
  readonly app: App;
  readonly loaded: LoadedConfig;
  readonly store: UpstreamStore | undefined;
}

async function serveUntilStopped(
  invocation: Invocation,
  load: (read?: ReadUpstreams) => Promise<Loaded>,
  { app, loaded, store }: Running,
): Promise<number> {
  const { onSignal } = invocation;
  const { watched } = loaded.config;
  const reload = createReload({
    load,
    app,
    loaded,
    warn: app.warn,
    watch: (paths) => watch.update(paths),
  });
  const complain = (error: unknown): void => app.warn(`cannot reload: ${reasonOf(error)}`);
  const watch = watchFiles(watched, reload, { onError: complain });
  onSignal("SIGHUP", () => void reload().catch(complain));
  store?.follow({
    examine: async (specs) => findHindrances(await load(() => specs)),
    apply: reload,
  });
  // What changed between the first reading and the watch's first look would else go unnoticed.
  if (watched.length > 0 && traceOf(await load()) !== traceOf(loaded)) await reload();

  const stop = listenForStop(invocation);
  const { skipDelay } = await stop.asked;
  watch.stop();
  const ended = app.stop({ skipDelay }).then(() => EXIT.fine);
  return Promise.race([ended, stop.insisted.then(() => EXIT.interrupted)]);
}
