// Looks up the names of engines again and again, and keeps the pool to the addresses that they have.
import { lookup } from "node:dns/promises";
import type { Emit } from "../core/event.ts";
import { nextSnapshot, type Pool } from "../core/pool.ts";
import type { PoolSpec } from "../core/pool-spec.ts";
import { expandAddresses, nameOf } from "./expand-addresses.ts";
import { type After, repeat } from "./repeat.ts";
import { MOST_AT_ONCE } from "./settings.ts";

/** The addresses of a name; rejects when there are none. */
export type LookUp = (name: string) => Promise<readonly string[]>;

export interface NamesTerms {
  readonly pool: Pool;
  readonly emit: Emit;
  readonly after: After;
  readonly lookUp: LookUp;
  /** The pool has been replaced. */
  readonly onChange: () => void;
}

export interface Names {
  /** A configured spec with what is known of its names; the one to expand from now on. */
  readonly expand: (spec: PoolSpec) => PoolSpec;
  /** Looks up names that are new in the last expanded spec. */
  readonly refresh: () => void;
  readonly stop: () => Promise<void>;
}

/** As long as Bun itself keeps an answer. */
const INTERVAL_MS = 30_000;
/** After a failure, which at the start may be a service that is not there yet. */
const FAST_INTERVAL_MS = 5000;
const TIMEOUT_MS = 10_000;
/** More is no fleet but a mistake or a trick. */
const MOST_ADDRESSES = 256;

export function startNames({ pool, emit, after, lookUp, onChange }: NamesTerms): Names {
  const known = new Map<string, readonly string[]>();
  let configured = pool.current.spec;

  const run = async (name: string, signal: AbortSignal): Promise<number> => {
    const answer = await orEnd(lookUp(name), { signal, after });
    if (signal.aborted) return 0;
    // A failure keeps the last good answer: the servers may be well when the resolver is not.
    if (answer === undefined || answer.length === 0) return FAST_INTERVAL_MS;
    const found = [...new Set(answer)].sort().slice(0, MOST_ADDRESSES);
    const before = known.get(name) ?? [];
    known.set(name, found);
    const isOne = found.length < 2 && before.length < 2;
    if (isOne || found.join() === before.join()) return INTERVAL_MS;
    emit({ kind: "addresses_changed", address: name, found });
    pool.replace((previous) => nextSnapshot(previous, expandAddresses(configured, known)));
    const { version, slots } = pool.current;
    emit({ kind: "pool_changed", by: "names", version, backends: slots.length });
    onChange();
    return INTERVAL_MS;
  };

  const rounds = repeat<string>({ run, mostAtOnce: MOST_AT_ONCE, after });
  return {
    expand(spec) {
      configured = spec;
      return expandAddresses(spec, known);
    },
    refresh() {
      const names = new Map(configured.backends.flatMap((backend) => pairOf(nameOf(backend))));
      rounds.reconcile(names);
      for (const name of known.keys()) if (!names.has(name)) known.delete(name);
    },
    stop: () => rounds.stop(),
  };
}

const pairOf = (name: string | undefined): [string, string][] => (name === undefined ? [] : [[name, name]]);

/** The answer, or undefined when it fails, takes too long or is not wanted any more: a look-up cannot be called off. */
function orEnd<T>(
  work: Promise<T>,
  { signal, after }: { readonly signal: AbortSignal; readonly after: After },
): Promise<T | undefined> {
  return new Promise((resolve) => {
    const cancel = after(TIMEOUT_MS, () => end(undefined));
    const stop = () => end(undefined);
    const end = (value: T | undefined): void => {
      cancel();
      signal.removeEventListener("abort", stop);
      resolve(value);
    };
    signal.addEventListener("abort", stop, { once: true });
    work.then(end, stop);
  });
}

/**
 * As the system does it, so that /etc/hosts and search domains count. Addresses of version 6 only where there are none
 * of version 4: a server that has both is one server.
 */
export const lookUpName: LookUp = async (name) => {
  const four = await lookup(name, { all: true, family: 4 }).catch(() => []);
  const rows = four.length > 0 ? four : await lookup(name, { all: true, family: 6 });
  return rows.map(({ address }) => address);
};
