// Decides which service runs where: on which GPUs of which node, behind which port. Pure; what the nodes told comes in.

export interface NodeFacts {
  /** As ssh knows it. */
  readonly host: string;
  /** Undefined where nothing could be asked: no nvidia-smi. */
  readonly gpus: number | undefined;
  readonly takenPorts: ReadonlySet<number>;
  /** GPUs that a service started earlier has, and what it is called. */
  readonly takenGpus: ReadonlyMap<number, string>;
}

export interface PlanTerms {
  readonly gpusPerNode: number;
  readonly tensorParallel: number;
  readonly firstPort: number;
}

export interface PlannedService {
  readonly host: string;
  /** Counted on each node, from 0. */
  readonly index: number;
  readonly gpus: readonly number[];
  readonly port: number;
}

export interface Plan {
  readonly services: readonly PlannedService[];
  /** A line each; `services` is how many it costs. */
  readonly problems: readonly { readonly host: string; readonly line: string; readonly services: number }[];
}

const LAST_PORT = 65_535;

/** 0 when the model needs more GPUs than a node has. */
export const servicesPerNode = ({ gpusPerNode, tensorParallel }: PlanTerms): number =>
  Math.floor(gpusPerNode / tensorParallel);

/** Ports are counted on from node to node, so that they are distinct behind one address, too. */
export function planFleet(nodes: readonly NodeFacts[], terms: PlanTerms): Plan {
  const perNode = servicesPerNode(terms);
  const services: PlannedService[] = [];
  const problems: Plan["problems"][number][] = [];
  let next = terms.firstPort;
  for (const { host, gpus, takenPorts, takenGpus } of nodes) {
    if (gpus !== undefined && gpus < terms.gpusPerNode) {
      const line = `has ${gpus} GPUs, and --gpus-per-node says ${terms.gpusPerNode}: nothing is started there`;
      problems.push({ host, line, services: perNode });
      continue;
    }
    for (let index = 0; index < perNode; index += 1) {
      const block = blockOf(index, terms.tensorParallel);
      const owner = block.map((gpu) => takenGpus.get(gpu)).find((name) => name !== undefined);
      if (owner !== undefined) {
        const line = `GPUs ${describeGpus(block)} are taken by ${owner}; see weir deploy status`;
        problems.push({ host, line, services: 1 });
        continue;
      }
      const port = freePort(next, takenPorts);
      if (port === undefined) {
        const line = `no port from ${next} to ${LAST_PORT} is free for GPUs ${describeGpus(block)}`;
        problems.push({ host, line, services: 1 });
        continue;
      }
      services.push({ host, index, gpus: block, port });
      next = port + 1;
    }
  }
  return { services, problems };
}

const blockOf = (index: number, size: number): readonly number[] =>
  Array.from({ length: size }, (_, at) => index * size + at);

/** The first one at or after `from`; undefined when there is none. */
export function freePort(from: number, taken: ReadonlySet<number>): number | undefined {
  for (let port = from; port <= LAST_PORT; port += 1) if (!taken.has(port)) return port;
  return undefined;
}

/** `0-3`, or `0`; blocks are consecutive. */
export function describeGpus(gpus: readonly number[]): string {
  const [first = 0] = gpus;
  const last = gpus.at(-1) ?? first;
  return first === last ? String(first) : `${first}-${last}`;
}
