// Asks every node what is there before anything is planned: whether it answers, its GPUs, its ports, and what runs already.
import { readRecord } from "./records.ts";
import type { NodeFacts } from "./plan.ts";
import { probeScript } from "./scripts.ts";
import type { Ssh, Told } from "./ssh.ts";
import { urlHostOf } from "./hosts.ts";

export type NodeReport =
  | { readonly kind: "node"; readonly facts: NodeFacts; readonly urlHost: string }
  /** `double`: a second name of a node that was asked by another one. */
  | {
      readonly kind: "failed" | "double";
      readonly host: string;
      readonly line: string;
      readonly urlHost: string;
    };

export const CALL_TIMEOUT_MS = 60_000;

export async function askNodes(ssh: Ssh, hosts: readonly string[]): Promise<readonly NodeReport[]> {
  const asked = await Promise.all(hosts.map((host) => askNode(ssh, host)));
  const owners = new Map<string, string>();
  return asked.map(({ report, place }, at) => {
    const host = hosts[at] ?? "";
    const owner = place === undefined ? undefined : owners.get(place);
    if (owner !== undefined) {
      const line = `is ${owner} by another name (ssh goes to the same place): nothing is started by this one`;
      return { kind: "double", host, line, urlHost: report.urlHost };
    }
    if (place !== undefined) owners.set(place, host);
    return report;
  });
}

interface Asked {
  readonly report: NodeReport;
  readonly place: string | undefined;
}

async function askNode(ssh: Ssh, host: string): Promise<Asked> {
  const [{ address, place }, told] = await Promise.all([
    ssh.wayTo(host),
    ssh.run(host, probeScript(), CALL_TIMEOUT_MS),
  ]);
  return { report: reportOf(host, urlHostOf(address), told), place };
}

function reportOf(host: string, urlHost: string, told: Told): NodeReport {
  if (told.kind === "failed")
    return { kind: "failed", host, urlHost, line: `cannot be reached: ${told.reason}` };
  const { flaw, gpus, takenPorts, sightings } = told.answer;
  if (flaw !== undefined) return { kind: "failed", host, urlHost, line: `cannot run services: ${flaw}` };
  const takenGpus = new Map<number, string>();
  for (const { state, about, pid } of sightings.values()) {
    if (state !== "alive" && state !== "orphaned") continue;
    const record = readRecord(about);
    const owner = `${record?.servedName ?? "another service"} (port ${record?.port ?? "?"}, process ${pid ?? "?"})`;
    for (const gpu of record?.gpus ?? []) takenGpus.set(gpu, owner);
  }
  return { kind: "node", urlHost, facts: { host, gpus, takenPorts, takenGpus } };
}
