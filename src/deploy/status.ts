// Tells of every service that was started how it is: its process as the node sees it, its answer and its queue.
import { askModels, askQueue } from "./ask-engine.ts";
import { describeExit } from "./answers.ts";
import type { Counted } from "./census.ts";
import { describeGpus } from "./plan.ts";

export interface StatusRow {
  readonly isUp: boolean;
  /** In the order of the heads. */
  readonly cells: readonly string[];
  /** Of one that is not up. */
  readonly tail: readonly string[];
}

export const STATUS_HEADS = ["NODE", "SERVICE", "GPUS", "PORT", "PID", "MODEL", "STATE"] as const;

export async function describeService(counted: Counted, unreachable: string | undefined): Promise<StatusRow> {
  const { record, seen } = counted;
  const { isUp, text } = await stateOf(counted, unreachable);
  return {
    isUp,
    cells: [
      record.host,
      String(record.index),
      describeGpus(record.gpus),
      String(record.port),
      String(seen?.pid ?? "-"),
      record.servedName,
      text,
    ],
    tail: seen?.state === "dead" || seen?.state === "orphaned" ? seen.tail.slice(-3) : [],
  };
}

interface State {
  readonly isUp: boolean;
  readonly text: string;
}

const down = (text: string): State => ({ isUp: false, text });

async function stateOf({ record, seen }: Counted, unreachable: string | undefined): Promise<State> {
  if (seen === undefined) return down(`unknown: its node cannot be reached: ${unreachable ?? "no answer"}`);
  switch (seen.state) {
    case "dead":
      return down(`dead: ${describeExit(seen.exitCode)}`);
    case "rebooted":
      return down("dead: its node was rebooted");
    case "missing":
      return down("dead: its node knows nothing of it any more");
    case "orphaned":
      return down(`dead: ${describeExit(seen.exitCode)}; workers of it are left, and stop ends them`);
    case "alive":
      break;
  }
  const models = await askModels(record.url);
  if (models.kind === "failed")
    return down(`${seen.readyLine === undefined ? "starting" : "down"}: ${models.reason}`);
  if (!models.names.includes(record.servedName))
    return down(
      `wrong model: it serves ${models.names.map((name) => JSON.stringify(name)).join(", ") || "nothing"}`,
    );
  const queue = await askQueue(record.url);
  if (queue === undefined) return { isUp: true, text: "up" };
  const cache = queue.cacheShare === undefined ? "" : `, cache ${Math.round(queue.cacheShare * 100)} %`;
  return { isUp: true, text: `up, ${queue.running} running, ${queue.waiting} waiting${cache}` };
}
