// Ends services that weir started, and nothing else: first their rows leave the backend file, so that a running weir sends
// them nothing new, then every process of theirs gets TERM, and KILL after a grace.
import { findBackendFile, keepBackendFile, removeRows } from "./backend-file.ts";
import type { Census, Counted } from "./census.ts";
import { CALL_TIMEOUT_MS } from "./nodes.ts";
import { serviceLabel } from "./order.ts";
import type { Records } from "./records.ts";
import { endScript } from "./scripts.ts";
import type { Ssh } from "./ssh.ts";

export interface StopTools {
  readonly ssh: Ssh;
  readonly records: Records;
  readonly say: (line: string) => void;
  readonly graceSeconds: number;
  /** Waited for when a file was changed: weir reads it four times a second. */
  readonly drainMs: number;
  readonly sleep: (ms: number) => Promise<void>;
}

export interface Stopped {
  /** Services that may still run. */
  readonly left: number;
  /** False when a row is still in its file. */
  readonly isTakenOut: boolean;
}

export async function stopServices({ services, unreachable }: Census, tools: StopTools): Promise<Stopped> {
  const { isChanged, isTakenOut } = takeRowsOut(services, tools);
  if (isChanged) await tools.sleep(tools.drainMs);
  for (const [host, reason] of unreachable) tools.say(`${host}: cannot be reached: ${reason}`);
  const reached = services.filter(({ record }) => !unreachable.has(record.host));
  const hosts = [...new Set(reached.map(({ record }) => record.host))];
  const failures = await Promise.all(
    hosts.map((host) =>
      stopOnNode(
        host,
        reached.filter(({ record }) => record.host === host),
        tools,
      ),
    ),
  );
  const left = failures.reduce((sum, count) => sum + count, services.length - reached.length);
  return { left, isTakenOut };
}

async function stopOnNode(host: string, services: readonly Counted[], tools: StopTools): Promise<number> {
  const ids = services.map(({ record }) => record.id);
  const told = await tools.ssh.run(
    host,
    endScript(ids, tools.graceSeconds),
    CALL_TIMEOUT_MS + tools.graceSeconds * 1000,
  );
  if (told.kind === "failed") {
    tools.say(`${host}: cannot stop ${ids.length} services: ${told.reason}`);
    return ids.length;
  }
  const { stopped, killed, left } = told.answer;
  for (const { record, seen } of services) {
    const label = `${serviceLabel(record)} (port ${record.port}, process ${seen?.pid ?? "-"})`;
    if (!stopped.has(record.id))
      tools.say(`${label}: processes are left: ${left.get(record.id) ?? "unknown"}`);
    else if (seen?.state !== "alive" && seen?.state !== "orphaned") tools.say(`${label}: was not running`);
    else tools.say(`${label}: ${killed.has(record.id) ? "killed after the grace" : "stopped"}`);
  }
  const trouble = tools.records.remove(stopped);
  if (trouble !== undefined) tools.say(trouble);
  return ids.filter((id) => !stopped.has(id)).length;
}

function takeRowsOut(
  services: readonly Counted[],
  { say }: StopTools,
): { isChanged: boolean; isTakenOut: boolean } {
  let [isChanged, isTakenOut] = [false, true];
  for (const path of new Set(services.map(({ record }) => record.backendFile))) {
    const urls = new Set(services.flatMap(({ record }) => (record.backendFile === path ? [record.url] : [])));
    const found = findBackendFile(path);
    const kept =
      found.kind === "flaw"
        ? found
        : keepBackendFile(found.file, (text) => removeRows(text, urls, found.file));
    if (kept.kind === "flaw") {
      say(`${kept.flaw}; the rows of ${urls.size} services stay in it`);
      isTakenOut = false;
    } else if (kept.isChanged) {
      isChanged = true;
      say(`${path}: the rows of ${urls.size} services are taken out`);
    }
  }
  return { isChanged, isTakenOut };
}
