// The upstreams that were made over HTTP, for commands: a look into their file, or the store that serves and changes them.
import { randomUUID } from "node:crypto";
import { type OpenedStore, openUpstreamStore, type UpstreamStore } from "../admin/store.ts";
import type { Loaded, LoadInput } from "../config/load.ts";
import type { Notes, Problem } from "../config/problem.ts";
import { readUpstream } from "../config/upstream-body.ts";
import type { UpstreamProblem, UpstreamSpec } from "../core/upstream.ts";

export type ReadUpstreams = NonNullable<LoadInput["upstreams"]>;

const open = (path: string): OpenedStore =>
  openUpstreamStore({ path, read: readUpstream, createId: randomUUID });

/** What the file holds now. */
export const readUpstreams: ReadUpstreams = (path, notes) => specsOf(open(path), notes);

export interface KeptUpstreams {
  /** Opens the store at the first call; later ones give what it holds. */
  readonly read: ReadUpstreams;
  /** Undefined until it was opened. */
  readonly store: () => UpstreamStore | undefined;
}

export function keepUpstreams(): KeptUpstreams {
  let opened: OpenedStore | undefined;
  return {
    read(path, notes) {
      // A file that could not be used is tried again, so that it can be mended without a restart.
      if (opened?.kind !== "store") opened = open(path);
      return specsOf(opened, notes);
    },
    store: () => (opened?.kind === "store" ? opened.store : undefined),
  };
}

function specsOf(opened: OpenedStore, notes: Notes): readonly UpstreamSpec[] {
  if (opened.kind === "store") return opened.store.list().map(({ spec }) => spec);
  for (const { where, ...problem } of opened.problems)
    notes.problems.push({ kind: "configuration", where: `admin.state_file ${where}`, ...problem });
  return [];
}

/** What keeps a set of upstreams from being served, as the API tells it. */
export function findHindrances(loaded: Loaded): readonly UpstreamProblem[] {
  switch (loaded.kind) {
    case "config":
      return [];
    case "problems":
      return loaded.problems.map(asUpstreamProblem);
    case "empty":
      return [NONE_LEFT];
  }
}

const NONE_LEFT: UpstreamProblem = {
  path: "",
  expected: "a backend to be left, or an admin key (WEIR_ADMIN_KEY) to go on without any",
  found: "none",
};

const asUpstreamProblem = ({ where, expected, found }: Problem): UpstreamProblem => ({
  path: where,
  expected,
  ...(found === undefined ? {} : { found }),
});
