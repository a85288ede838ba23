// Brings the services of one node up: starts each, looks at all of them together until every one is ready or has failed,
// and tries other ports where one was taken meanwhile.
import { askModels } from "./ask-engine.ts";
import type { NodeAnswer } from "./answers.ts";
import { judge } from "./judge.ts";
import { CALL_TIMEOUT_MS } from "./nodes.ts";
import type { Order } from "./order.ts";
import type { PlannedService } from "./plan.ts";
import { lookScript } from "./scripts.ts";
import {
  fail,
  giveUp,
  launch,
  moveOn,
  type Scene,
  show,
  type Tally,
  type Tools,
  type UnderWay,
} from "./service-steps.ts";

export interface NodeTask {
  readonly host: string;
  readonly urlHost: string;
  readonly services: readonly PlannedService[];
  readonly nextPort: () => number;
}

export async function runNode(order: Order, task: NodeTask, tools: Tools): Promise<Tally> {
  const scene: Scene = {
    order,
    tools,
    urlHost: task.urlHost,
    nextPort: task.nextPort,
    tally: {
      ready: 0,
      failed: 0,
    },
    usedPorts: new Set(task.services.map(({ port }) => port)),
    underWay: new Map(),
  };
  for (const service of task.services) {
    if (tools.signal.aborted) fail(scene, service, { reason: "not started: interrupted" });
    else await launch(scene, service, 0);
  }
  let lastHeardMs = tools.now().getTime();
  while (scene.underWay.size > 0) {
    if (tools.signal.aborted) {
      await giveUp(scene, [...scene.underWay.values()], { reason: "stopped: interrupted" });
      break;
    }
    await tools.sleep(tools.pace.lookMs);
    const told = await tools.ssh.run(task.host, lookScript([...scene.underWay.keys()]), CALL_TIMEOUT_MS);
    const nowMs = tools.now().getTime();
    if (told.kind === "answer") {
      lastHeardMs = nowMs;
      for (const each of Array.from(scene.underWay.values())) await decide(scene, each, told.answer);
    } else if (nowMs - lastHeardMs >= tools.pace.silenceMs) {
      for (const each of scene.underWay.values())
        fail(scene, each.service, {
          reason: `its node cannot be reached any more: ${told.reason}; it may be running`,
        });
      break;
    } else
      for (const each of scene.underWay.values()) show(scene, each.service, `waits for ssh: ${told.reason}`);
  }
  return scene.tally;
}

async function decide(scene: Scene, each: UnderWay, answer: NodeAnswer): Promise<void> {
  const { order, tools } = scene;
  const { record, service } = each;
  const seen = answer.sightings.get(record.id);
  const ageMs = tools.now().getTime() - Date.parse(record.startedAt);
  const verdict = judge(seen, {
    port: service.port,
    conflicts: each.attempt,
    ageMs,
    timeoutMs: order.timeoutMs,
  });
  switch (verdict.kind) {
    case "wait":
      show(
        scene,
        service,
        `starting on port ${service.port}`,
        `${Math.floor(ageMs / 1000)} s  ${verdict.text}`,
      );
      break;
    case "ask":
      await confirm(scene, each);
      break;
    case "other_port":
      await moveOn(scene, each, verdict.line);
      break;
    case "failed":
      await giveUp(scene, [each], { reason: verdict.reason, tail: verdict.tail });
      break;
  }
}

/** The log may be right and the engine serve another name, or be out of reach: weir's clients would see that first. */
async function confirm(scene: Scene, each: UnderWay): Promise<void> {
  const { record, service } = each;
  const models = await askModels(record.url);
  if (models.kind === "failed") {
    show(scene, service, `its log says ready; waits for an answer: ${models.reason}`);
    return;
  }
  if (!models.names.includes(record.servedName)) {
    const served = models.names.map((name) => JSON.stringify(name)).join(", ") || "nothing";
    const reason = `serves ${served} at ${record.url}, not ${JSON.stringify(record.servedName)}`;
    await giveUp(scene, [each], { reason });
    return;
  }
  scene.underWay.delete(record.id);
  const trouble = scene.tools.publish(record);
  if (trouble === undefined) {
    scene.tally.ready += 1;
    show(scene, service, `ready at ${record.url}`);
  } else {
    scene.tally.failed += 1;
    show(scene, service, `ready at ${record.url}, but its row could not be written: ${trouble}`);
  }
}
