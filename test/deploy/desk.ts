// Runs `weir deploy` in place against test nodes, with the stand-in engine, and keeps what it printed.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runDeploy } from "../../src/commands/deploy.ts";
import type { Behaviour, EnginePlans } from "./engine.ts";
import type { TestNodes } from "./nodes.ts";

export interface Run {
  readonly code: number;
  readonly said: string;
}

export interface Desk {
  readonly run: (...args: readonly string[]) => Promise<Run>;
  /** Starts without waiting; `signal` is what Ctrl-C does. */
  readonly start: (...args: readonly string[]) => {
    ended: Promise<Run>;
    said: () => string;
    signal: () => void;
  };
  /** The arguments of a start with the stand-in engine, for a model `m`; what follows them counts. */
  readonly startArgs: (where: Where) => readonly string[];
  /** By port. */
  readonly plan: (behaviours: Readonly<Record<string, Behaviour>>) => void;
  /** Lets engines that wait go on. */
  readonly letGo: () => void;
  /** Every process that an engine has had, workers included. */
  readonly enginePids: () => readonly number[];
  readonly backendFile: string;
}

export interface Where {
  readonly hosts: string;
  readonly gpusEach: number;
  readonly port?: number;
}

const ENGINE = join(import.meta.dir, "engine.ts");

export function openDesk(nodes: TestNodes, name: string): Desk {
  const plans = join(nodes.folder, `${name}.plans.json`);
  const backendFile = join(nodes.folder, `${name}.yaml`);
  const plan: Desk["plan"] = (behaviours) =>
    writeFileSync(plans, JSON.stringify({ behaviours } satisfies EnginePlans));
  plan({});
  const start: Desk["start"] = (...args) => {
    let said = "";
    const handlers: (() => void)[] = [];
    const ended = runDeploy({
      args: [...args, "--ssh-command", nodes.sshCommand],
      env: { ...nodes.environment, XDG_STATE_HOME: join(nodes.folder, `${name}.state`) },
      out: (text) => void (said += text),
      err: (text) => void (said += text),
      isTerminal: false,
      onSignal: (signal, act) => void (signal === "SIGINT" && handlers.push(act)),
    }).then((code) => ({ code, said }));
    return { ended, said: () => said, signal: () => handlers.forEach((act) => act()) };
  };
  return {
    run: (...args) => start(...args).ended,
    start,
    startArgs: ({ hosts, gpusEach, port }) =>
      Object.entries({
        "--hosts": hosts,
        "--model-name": "m",
        "--tensor-parallel-size": String(gpusEach),
        "--port": String(port ?? 30_596),
        "--python-cmd": `${process.execPath} ${ENGINE}`,
        "--extra-args": `--stand-in ${plans}`,
        "--log-dir": join(nodes.folder, "logs"),
        "--config": backendFile,
      }).flat(),
    plan,
    letGo: () => writeFileSync(`${plans}.GO`, ""),
    enginePids: () =>
      existsSync(`${plans}.pids`)
        ? readFileSync(`${plans}.pids`, "utf8").split("\n").filter(Boolean).map(Number)
        : [],
    backendFile,
  };
}

/** Zombies do not live. */
export function isLiving(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    return false;
  }
}
