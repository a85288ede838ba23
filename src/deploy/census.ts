// Finds the services that weir started: those recorded here, or on the nodes that are named, each as its node sees it now.
import type { Sighting } from "./answers.ts";
import { CALL_TIMEOUT_MS } from "./nodes.ts";
import { readRecord, type Records, type ServiceRecord } from "./records.ts";
import { lookScript, probeScript } from "./scripts.ts";
import type { Ssh } from "./ssh.ts";

export interface Counted {
  readonly record: ServiceRecord;
  /** Undefined where its node could not be asked. */
  readonly seen: Sighting | undefined;
}

export interface Census {
  readonly services: readonly Counted[];
  /** By host: why it could not be asked. */
  readonly unreachable: ReadonlyMap<string, string>;
}

export interface Wanted {
  /** Then also what their own records know, such as what was started from another machine. */
  readonly hosts?: readonly string[];
  readonly servedName?: string;
}

export async function takeCensus(ssh: Ssh, records: Records, wanted: Wanted): Promise<Census> {
  const known = records.all().filter(({ host }) => wanted.hosts?.includes(host) ?? true);
  const hosts = wanted.hosts ?? [...new Set(known.map(({ host }) => host))];
  const unreachable = new Map<string, string>();
  const counted = await Promise.all(
    hosts.map(async (host): Promise<readonly Counted[]> => {
      const here = known.filter((record) => record.host === host);
      const ids = here.map(({ id }) => id);
      const script = wanted.hosts === undefined ? lookScript(ids) : probeScript();
      const told = await ssh.run(host, script, CALL_TIMEOUT_MS);
      if (told.kind === "failed") {
        unreachable.set(host, told.reason);
        return here.map((record) => ({ record, seen: undefined }));
      }
      const { sightings } = told.answer;
      const foreign = [...sightings.values()].flatMap((seen) => {
        const record = ids.includes(seen.id) ? undefined : readRecord(seen.about);
        // A node may be known by several names; ssh is called with the one that was given now.
        return record === undefined ? [] : [{ record: { ...record, host }, seen }];
      });
      return [
        ...here.map((record) => ({ record, seen: sightings.get(record.id) ?? missing(record.id) })),
        ...foreign,
      ];
    }),
  );
  // Two names of one node tell of the same services.
  const byId = new Map(counted.flat().map((each) => [each.record.id, each]));
  const services = [...byId.values()]
    .filter(({ record }) => wanted.servedName === undefined || record.servedName === wanted.servedName)
    .toSorted((a, b) => compare(a.record, b.record));
  return { services, unreachable };
}

const missing = (id: string): Sighting => ({ id, state: "missing", tail: [] });

const compare = (a: ServiceRecord, b: ServiceRecord): number =>
  a.host.localeCompare(b.host, "en", { numeric: true }) || a.port - b.port;
