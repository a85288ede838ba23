// The steps of one service on its way up: started, moved to another port, ended when it has failed; each said as it happens.
import { CALL_TIMEOUT_MS } from "./nodes.ts";
import { launchOf, type Order, recordOf, serviceLabel } from "./order.ts";
import { freePort, type PlannedService } from "./plan.ts";
import type { Progress } from "./progress.ts";
import type { Records, ServiceRecord } from "./records.ts";
import { endScript, launchScript, probeScript } from "./scripts.ts";
import type { Ssh, Told } from "./ssh.ts";

export interface Pace {
  /** Between two looks at a node. */
  readonly lookMs: number;
  /** A node that cannot be reached for longer is given up. */
  readonly silenceMs: number;
  /** From TERM to KILL. */
  readonly graceSeconds: number;
}

export interface Tools {
  readonly ssh: Ssh;
  readonly records: Records;
  readonly progress: Progress;
  readonly pace: Pace;
  /** Aborted by Ctrl-C: what is not ready is stopped. */
  readonly signal: AbortSignal;
  readonly now: () => Date;
  readonly sleep: (ms: number) => Promise<void>;
  /** Called as soon as a service is ready; gives what went wrong with the file. */
  readonly publish: (record: ServiceRecord) => string | undefined;
}

export interface Tally {
  ready: number;
  failed: number;
}

export interface UnderWay {
  readonly record: ServiceRecord;
  readonly service: PlannedService;
  readonly attempt: number;
  readonly log: string;
}

export interface Scene {
  readonly order: Order;
  readonly tools: Tools;
  readonly urlHost: string;
  readonly tally: Tally;
  /** Tried on this node; never tried again. */
  readonly usedPorts: Set<number>;
  /** The highest one of the whole plan: another node may share the address. */
  readonly nextPort: () => number;
  /** Undecided services by id. */
  readonly underWay: Map<string, UnderWay>;
}

/** Another port that nobody listens on now, after those that are planned. */
export async function moveOn(scene: Scene, each: UnderWay, line: string): Promise<void> {
  const { ssh, pace } = scene.tools;
  const { record, service } = each;
  scene.underWay.delete(record.id);
  const ended = await ssh.run(service.host, endScript([record.id], pace.graceSeconds), endTimeoutMs(pace));
  if (!hasStopped(ended, record.id)) {
    fail(scene, service, { reason: `${line}, and it could not be stopped${whyOf(ended)}` });
    return;
  }
  forget(scene, [record.id]);
  const told = await ssh.run(service.host, probeScript(), CALL_TIMEOUT_MS);
  const taken = new Set([...(told.kind === "answer" ? told.answer.takenPorts : []), ...scene.usedPorts]);
  const port = freePort(scene.nextPort(), taken);
  if (port === undefined) {
    fail(scene, service, { reason: `${line}, and no other one is free` });
    return;
  }
  scene.usedPorts.add(port);
  show(scene, service, `${line}; tries port ${port}`);
  await launch(scene, { ...service, port }, each.attempt + 1);
}

export async function launch(scene: Scene, service: PlannedService, attempt: number): Promise<void> {
  const { order, tools, urlHost } = scene;
  const record = recordOf(order, { service, urlHost, startedAt: tools.now(), attempt });
  show(scene, service, `starting on port ${service.port}`);
  // Before its start, so that whatever happens to this process the service is found again.
  const trouble = tools.records.add(record);
  if (trouble !== undefined) {
    fail(scene, service, { reason: `not started: ${trouble}` });
    return;
  }
  const told = await tools.ssh.run(service.host, launchScript(launchOf(order, record)), CALL_TIMEOUT_MS);
  const flaw = told.kind === "failed" ? told.reason : told.answer.flaws.get(record.id);
  if (flaw !== undefined) {
    // ssh may have broken off after the start; then the record is what finds it.
    if (told.kind === "answer") forget(scene, [record.id]);
    const rest = told.kind === "answer" ? "" : "; it may be running, see weir deploy status";
    fail(scene, service, { reason: `cannot start it: ${flaw}${rest}` });
    return;
  }
  const log = told.kind === "answer" ? (told.answer.sightings.get(record.id)?.log ?? "") : "";
  scene.underWay.set(record.id, { record, service, attempt, log });
}

interface Ending {
  readonly reason: string;
  readonly tail?: readonly string[];
}

/** Ends what is left of failed services, so that their GPUs are free for the next try. Their logs stay. */
export async function giveUp(scene: Scene, failed: readonly UnderWay[], ending: Ending): Promise<void> {
  const { ssh, pace } = scene.tools;
  const [first] = failed;
  if (first === undefined) return;
  for (const { record } of failed) scene.underWay.delete(record.id);
  const ids = failed.map(({ record }) => record.id);
  const told = await ssh.run(first.service.host, endScript(ids, pace.graceSeconds), endTimeoutMs(pace));
  forget(
    scene,
    ids.filter((id) => hasStopped(told, id)),
  );
  for (const { record, service, log } of failed) {
    const rest = hasStopped(told, record.id) ? "" : `; what is left of it could not be stopped${whyOf(told)}`;
    fail(scene, service, { ...ending, reason: `${ending.reason}${rest}; log: ${log}` });
  }
}

function forget({ tools }: Scene, ids: readonly string[]): void {
  const trouble = tools.records.remove(new Set(ids));
  if (trouble !== undefined) tools.progress.say(trouble);
}

const hasStopped = (told: Told, id: string): boolean => told.kind === "answer" && told.answer.stopped.has(id);
const whyOf = (told: Told): string => (told.kind === "failed" ? `: ${told.reason}` : "");
const endTimeoutMs = ({ graceSeconds }: Pace): number => CALL_TIMEOUT_MS + graceSeconds * 1000;

export function show({ tools }: Scene, service: PlannedService, state: string, detail?: string): void {
  tools.progress.update(serviceLabel(service), state, detail);
}

export function fail(scene: Scene, service: PlannedService, { reason, tail = [] }: Ending): void {
  scene.tally.failed += 1;
  scene.tools.progress.fail(serviceLabel(service), reason, tail);
}
