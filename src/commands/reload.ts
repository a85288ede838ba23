// Reads the configuration anew when something changed, and has it applied or rejected: one reading at a time, in order.
import type { App } from "../app.ts";
import type { Loaded } from "../config/load.ts";
import { OPTIONS } from "../config/options.ts";
import { formatProblem } from "../config/problem.ts";
import type { Resolved } from "../config/resolved.ts";

export type LoadedConfig = Extract<Loaded, { kind: "config" }>;

export interface ReloadTerms {
  readonly load: () => Promise<Loaded>;
  readonly app: Pick<App, "reload" | "rejectReload">;
  /** What weir started with; its warnings have been told. */
  readonly loaded: LoadedConfig;
  readonly warn: (warning: string) => void;
  /** These are to be watched from now on. */
  readonly watch: (paths: readonly string[]) => void;
}

/** A reading may wait for a user's strategy to load: it must not undo a newer one that was quicker. */
export function createReload(terms: ReloadTerms): () => Promise<void> {
  const { load, app, loaded, warn } = terms;
  const told = new Set(loaded.config.warnings);
  let turn: Promise<unknown> = Promise.resolve();
  let inForce = loaded.config.watched;
  let watching = new Set(inForce);

  const apply = (next: Loaded): void => {
    if (next.kind !== "config") {
      app.rejectReload(next.kind === "empty" ? ["no backend is left"] : next.problems.map(formatProblem));
      return;
    }
    const fixed = needingRestart(loaded.resolved, next.resolved).map(
      (key) => `${key} changes only with a restart`,
    );
    for (const warning of [...next.config.warnings, ...fixed]) {
      if (!told.has(warning)) warn(warning);
      told.add(warning);
    }
    app.reload(next.config);
  };
  /** True when there are files among them that nobody looked at before. Those of a rejected reading may hold the cure. */
  const watchFilesOf = (next: Loaded): boolean => {
    if (next.kind === "config") inForce = next.config.watched;
    const paths = new Set([...inForce, ...(next.kind === "problems" ? next.watched : [])]);
    const hasNew = [...paths].some((path) => !watching.has(path));
    watching = paths;
    terms.watch([...paths]);
    return hasNew;
  };
  const readAnew = async (): Promise<void> => {
    const next = await load();
    apply(next);
    // What changed in a new file between its reading and the watch's first look would go unnoticed.
    if (watchFilesOf(next) && traceOf(await load()) !== traceOf(next)) await readAnew();
  };
  return () => {
    const mine = turn.then(readAnew);
    turn = mine.catch(() => undefined); // told to whoever asked for it
    return mine;
  };
}

/** Options whose value is another one now, though it counts only from the start. */
function needingRestart(before: Resolved, after: Resolved): readonly string[] {
  const shown = new Map(before.options.map((option) => [option.key, option.shown]));
  const changed = after.options.filter((option) => shown.get(option.key) !== option.shown);
  const restart = new Set<string>(OPTIONS.filter(({ change }) => change === "restart").map(({ key }) => key));
  return changed.map(({ key }) => key).filter((key) => restart.has(key));
}

/** Tells two readings of the configuration apart by all that can be seen of them. */
export function traceOf(loaded: Loaded): string {
  switch (loaded.kind) {
    case "config":
      return JSON.stringify(loaded.resolved);
    case "problems":
      return loaded.problems.map(formatProblem).join("\n");
    case "empty":
      return "";
  }
}
