// The upstreams that were made over HTTP: checked, written to their file, then told to whoever serves them; one change at a time.
import type { UpstreamBody, UpstreamProblem, UpstreamReading, UpstreamSpec } from "../core/upstream.ts";
import { unmask } from "./mask.ts";
import { codeOf, type Entry, type FileSteps, readEntries, replaceEntries } from "./state-file.ts";

export interface StoredUpstream {
  readonly id: string;
  /** Counts from 1 with every change. */
  readonly revision: number;
  readonly spec: UpstreamSpec;
  /** As it was sent, with its secrets sealed. */
  readonly body: UpstreamBody;
}

export interface StoreTerms {
  /**
   * Written at the first change, and not before: a folder that cannot be written in is no hindrance to a start. Empty: no
   * file, everything is gone at the end.
   */
  readonly path: string;
  readonly read: (value: unknown) => UpstreamReading;
  readonly createId: () => string;
  readonly steps?: FileSteps;
}

export type Change =
  | { readonly kind: "stored"; readonly upstream: StoredUpstream }
  | { readonly kind: "problems"; readonly problems: readonly UpstreamProblem[] }
  /** Another upstream has the name. */
  | { readonly kind: "taken"; readonly name: string }
  | { readonly kind: "unknown" }
  /** It is at another revision than the caller knows. */
  | { readonly kind: "moved"; readonly upstream: StoredUpstream }
  | { readonly kind: "full" }
  /** The file could not be written, so nothing has changed; the system's code. */
  | { readonly kind: "unwritten"; readonly reason: string };

/** True when a change may go on from this upstream as it is. */
export type Precondition = (upstream: StoredUpstream) => boolean;

/** Whoever serves the upstreams. Both are given the whole set. */
export interface Follower {
  /** What would be wrong with the set as it would be: keeps the change out. */
  readonly examine: (specs: readonly UpstreamSpec[]) => Promise<readonly UpstreamProblem[]>;
  /** The set as it is now. The change is answered when this is done. */
  readonly apply: (specs: readonly UpstreamSpec[]) => Promise<void>;
}

export interface UpstreamStore {
  readonly list: () => readonly StoredUpstream[];
  readonly find: (id: string) => StoredUpstream | undefined;
  readonly create: (value: unknown) => Promise<Change>;
  readonly replace: (id: string, value: unknown, may?: Precondition) => Promise<Change>;
  /** `stored` tells what was removed. */
  readonly remove: (id: string, may?: Precondition) => Promise<Change>;
  /** One follows; the last who asked. */
  readonly follow: (follower: Follower) => void;
}

/** What stands in the file and cannot be used. `where` names the file, and the field if it is one. */
export interface StateProblem {
  readonly where: string;
  readonly expected: string;
  readonly found?: string;
}

export type OpenedStore =
  | { readonly kind: "store"; readonly store: UpstreamStore }
  | { readonly kind: "problems"; readonly problems: readonly StateProblem[] };

const MOST_UPSTREAMS = 1000;

/** Reads the file. A start that went on without it would lose at the first change what it holds. */
export function openUpstreamStore(terms: StoreTerms): OpenedStore {
  const { path, read } = terms;
  const opened = readEntries(path);
  if (opened.kind === "flaw") return { kind: "problems", problems: [{ where: path, ...opened.flaw }] };
  const upstreams: StoredUpstream[] = [];
  const problems: StateProblem[] = [];
  const names = new Set<string>();
  for (const { id, revision, body } of opened.entries) {
    const reading = read(body);
    if (reading.kind === "problems") {
      for (const { path: field, ...problem } of reading.problems)
        problems.push({ where: `${path} upstream ${id}${field === "" ? "" : ` ${field}`}`, ...problem });
      continue;
    }
    const { name } = reading.spec;
    if (names.has(name))
      problems.push({ where: path, expected: "every name once", found: `"${name}" again` });
    names.add(name);
    upstreams.push({ id, revision, spec: reading.spec, body: reading.body });
  }
  return problems.length > 0
    ? { kind: "problems", problems }
    : { kind: "store", store: createStore(upstreams, terms) };
}

function createStore(initial: readonly StoredUpstream[], terms: StoreTerms): UpstreamStore {
  let upstreams = initial;
  let turn: Promise<unknown> = Promise.resolve();
  let follower: Follower | undefined;

  /** Each change sees what the one before it left. */
  const inTurn = (change: () => Promise<Change>): Promise<Change> => {
    const mine = turn.then(change);
    turn = mine.catch(() => undefined); // told to whoever asked for it
    return mine;
  };

  const commit = async (next: readonly StoredUpstream[], subject: StoredUpstream): Promise<Change> => {
    const specs = next.map(({ spec }) => spec);
    const problems = (await follower?.examine(specs)) ?? [];
    if (problems.length > 0) return { kind: "problems", problems };
    const entries = next.map(({ id, revision, body }): Entry => ({ id, revision, body }));
    try {
      if (terms.path !== "") await replaceEntries(terms.path, entries, terms.steps);
    } catch (error) {
      const reason = codeOf(error);
      if (reason === undefined) throw error;
      return { kind: "unwritten", reason };
    }
    upstreams = next;
    await follower?.apply(specs);
    return { kind: "stored", upstream: subject };
  };

  const find = (id: string): StoredUpstream | undefined => upstreams.find((each) => each.id === id);
  const isTaken = (name: string, except?: string): boolean =>
    upstreams.some((each) => each.spec.name === name && each.id !== except);

  return {
    list: () => upstreams,
    find,
    create: (value) =>
      inTurn(async () => {
        const reading = terms.read(value);
        if (reading.kind === "problems") return reading;
        const { spec, body } = reading;
        if (isTaken(spec.name)) return { kind: "taken", name: spec.name };
        if (upstreams.length >= MOST_UPSTREAMS) return { kind: "full" };
        const created = { id: terms.createId(), revision: 1, spec, body };
        return commit([...upstreams, created], created);
      }),
    replace: (id, value, may = () => true) =>
      inTurn(async () => {
        const before = find(id);
        if (before === undefined) return { kind: "unknown" };
        if (!may(before)) return { kind: "moved", upstream: before };
        const reading = terms.read(unmask(value, before.body));
        if (reading.kind === "problems") return reading;
        const { spec, body } = reading;
        if (isTaken(spec.name, id)) return { kind: "taken", name: spec.name };
        const after = { id, revision: before.revision + 1, spec, body };
        return commit(
          upstreams.map((each) => (each.id === id ? after : each)),
          after,
        );
      }),
    remove: (id, may = () => true) =>
      inTurn(async () => {
        const before = find(id);
        if (before === undefined) return { kind: "unknown" };
        if (!may(before)) return { kind: "moved", upstream: before };
        return commit(
          upstreams.filter((each) => each.id !== id),
          before,
        );
      }),
    follow(next) {
      follower = next;
    },
  };
}
