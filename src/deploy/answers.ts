// Reads what the scripts say of a node and of the services on it. Text of a log is made harmless for a terminal here.

export type ProcessState = "alive" | "orphaned" | "dead" | "rebooted" | "missing";

/** One service as its node sees it. */
export interface Sighting {
  readonly id: string;
  readonly state: ProcessState;
  /** As text, since other versions may have written it. */
  readonly about?: string;
  readonly pid?: number;
  readonly log?: string;
  /** Of one that ended, where its leader could still note it. */
  readonly exitCode?: number;
  readonly readyLine?: string;
  /** Absent where the log says afterwards that it is ready. */
  readonly conflictLine?: string;
  /** The last lines of its log. */
  readonly tail: readonly string[];
}

export interface NodeAnswer {
  readonly flaw?: string;
  readonly gpus?: number;
  readonly takenPorts: ReadonlySet<number>;
  readonly sightings: ReadonlyMap<string, Sighting>;
  /** By service: why it could not be started. */
  readonly flaws: ReadonlyMap<string, string>;
  /** Services of which some processes live on, with their ids. */
  readonly left: ReadonlyMap<string, string>;
  readonly stopped: ReadonlySet<string>;
  readonly killed: ReadonlySet<string>;
}

type Draft = { -readonly [K in keyof Sighting]: Sighting[K] } & { tail: string[] };

const MARK = "weir:";
const STATES: ReadonlySet<string> = new Set(["alive", "orphaned", "dead", "rebooted", "missing"]);

export const isComplete = (output: string): boolean => output.split("\n").includes(`${MARK}- done`);

export function readAnswer(output: string): NodeAnswer {
  const sightings = new Map<string, Draft>();
  const node: { flaw?: string; gpus?: number } = {};
  const [takenPorts, stopped, killed] = [new Set<number>(), new Set<string>(), new Set<string>()];
  const [flaws, left] = [new Map<string, string>(), new Map<string, string>()];
  for (const line of output.split("\n")) {
    const [, id, verb, rest = ""] = /^weir:(\S+) (\w+)(?: (.*))?$/s.exec(line) ?? [];
    if (id === undefined || verb === undefined) continue;
    if (verb === "flaw" && id === "-") node.flaw = printable(rest);
    else if (verb === "flaw") flaws.set(id, printable(rest));
    else if (verb === "gpus") node.gpus = Number.parseInt(rest, 10) || 0;
    else if (verb === "port") takenPorts.add(Number.parseInt(rest, 16));
    else if (verb === "left") left.set(id, rest.trim());
    else if (verb === "stopped") stopped.add(id);
    else if (verb === "killed") killed.add(id);
    else if (id !== "-") see(sightings, id, { verb, rest });
  }
  return { ...node, takenPorts, sightings, flaws, left, stopped, killed };
}

function see(
  sightings: Map<string, Draft>,
  id: string,
  { verb, rest }: { verb: string; rest: string },
): void {
  const seen = sightings.get(id) ?? { id, state: "missing", tail: [] };
  sightings.set(id, seen);
  if (STATES.has(verb)) {
    seen.state = verb as ProcessState;
    if (/^\d+$/.test(rest.trim())) seen.exitCode = Number(rest);
  } else if (verb === "about") seen.about = rest;
  else if (verb === "process") seen.pid = Number.parseInt(rest, 10);
  else if (verb === "log") seen.log = printable(rest);
  else if (verb === "ready") seen.readyLine = printable(rest);
  else if (verb === "conflict") seen.conflictLine = printable(rest);
  else if (verb === "tail") seen.tail.push(printable(rest));
}

// oxlint-disable-next-line no-control-regex -- they are what is looked for
const COLOUR = /\u001b\[[0-9;?]*[A-Za-z]/g;
const UNPRINTABLE = /[\p{Cc}\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu;

/** Without colours and whatever else a terminal would follow. */
export const printable = (text: string): string => text.replaceAll(COLOUR, "").replaceAll(UNPRINTABLE, " ");

/** What the exit code tells: a shell adds 128 to the number of the signal. */
export function describeExit(code: number | undefined): string {
  if (code === undefined) return "killed before its exit code could be noted";
  const signal = {
    129: "SIGHUP",
    130: "SIGINT",
    134: "SIGABRT",
    137: "SIGKILL",
    139: "SIGSEGV",
    143: "SIGTERM",
  }[code];
  if (signal === undefined) return `exit code ${code}`;
  return `${signal}${code === 137 ? ", as when memory runs out" : ""}`;
}
