// Asks every node what is there before anything is planned: whether it answers, its GPUs, its ports, and what runs already.
import { readRecord } from "./records.ts";
import type { NodeFacts } from "./plan.ts";
import { probeScript } from "./scripts.ts";
import type { Ssh } from "./ssh.ts";
import { urlHostOf } from "./hosts.ts";

export type NodeReport =
  | { readonly kind: "node"; readonly facts: NodeFacts; readonly urlHost: string }
  | { readonly kind: "failed"; readonly host: string; readonly line: string; readonly urlHost: string };

export const CALL_TIMEOUT_MS = 60_000;

export const askNodes = (ssh: Ssh, hosts: readonly string[]): Promise<readonly NodeReport[]> =>
  Promise.all(hosts.map((host) => askNode(ssh, host)));

async function askNode(ssh: Ssh, host: string): Promise<NodeReport> {
  const [urlHost, told] = await Promise.all([
    ssh.addressOf(host).then(urlHostOf),
    ssh.run(host, probeScript(), CALL_TIMEOUT_MS),
  ]);
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
