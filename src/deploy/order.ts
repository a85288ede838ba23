// What one run of `weir deploy` was asked for, and the names that follow from it.
import type { BackendFile } from "./backend-file.ts";
import { argumentsOf, type EngineName, environmentOf } from "./engines.ts";
import type { PlannedService } from "./plan.ts";
import type { ServiceRecord } from "./records.ts";
import type { Launch } from "./scripts.ts";

export interface Order {
  readonly hosts: readonly string[];
  readonly engine: EngineName;
  readonly model: string;
  readonly servedName: string;
  readonly tensorParallel: number;
  readonly gpusPerNode: number;
  readonly firstPort: number;
  readonly maxRunning?: number;
  /** The interpreter, or words that lead to it. */
  readonly python: readonly string[];
  readonly extra: readonly string[];
  /** On the nodes; a relative one is in the home folder there. */
  readonly logDir: string;
  readonly timeoutMs: number;
  readonly backendFile: BackendFile;
}

/** `attempt` counts the ports of one service: every try has a log and an identity of its own. */
export interface Try {
  readonly service: PlannedService;
  /** Where HTTP reaches the node, as it stands in a URL. */
  readonly urlHost: string;
  readonly startedAt: Date;
  readonly attempt: number;
}

export function recordOf(order: Order, { service, urlHost, startedAt, attempt }: Try): ServiceRecord {
  const stamp = stampOf(startedAt);
  return {
    id: `${stamp}_${fileName(service.host)}_${service.index}_${service.port}_${attempt}`,
    host: service.host,
    index: service.index,
    engine: order.engine,
    servedName: order.servedName,
    gpus: service.gpus,
    port: service.port,
    url: `http://${urlHost}:${service.port}/v1`,
    backendFile: order.backendFile.path,
    startedAt: startedAt.toISOString(),
  };
}

export function launchOf(order: Order, record: ServiceRecord): Launch {
  const { engine, model, servedName, tensorParallel, maxRunning, extra, python, logDir } = order;
  const { id, host, index, port, gpus } = record;
  const stamp = stampOf(new Date(record.startedAt));
  const words = argumentsOf(engine, {
    model,
    servedName,
    tensorParallel,
    port,
    isIpv6: record.url.includes("://["),
    extra,
    ...(maxRunning === undefined ? {} : { maxRunning }),
  });
  return {
    id,
    about: JSON.stringify(record),
    logDir: `${logDir.replace(/\/+$/, "")}/${engine.toUpperCase()}_${fileName(servedName)}`,
    logName: `${stamp}_${fileName(host)}_${index}_port${port}.log`,
    environment: environmentOf(gpus),
    command: [...python, ...words],
  };
}

/** `20260131_142501`, in universal time, as nodes and desks may be in different zones. */
const stampOf = (at: Date): string => at.toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "_");

const LONGEST_NAME = 80;

const fileName = (text: string): string => text.replaceAll(/[^\w.-]/g, "_").slice(0, LONGEST_NAME);

/** What a service is called in every line about it. */
export const serviceLabel = ({ host, index }: { readonly host: string; readonly index: number }): string =>
  `${host} service ${index}`;
