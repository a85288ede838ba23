// Starts the process anew with the variables that Bun reads only at its very start; same process id where possible.
import { fstatSync } from "node:fs";

/** Marks the process that was started anew, so that it happens once. */
const MARKER = "WEIR_REEXEC";

/**
 * Bun runs at most 256 fetches at a time and queues the rest without a word, unless this variable is in the real
 * environment when the process begins; 65,535 is its largest value (0 and larger ones mean 256).
 */
const CAP_VARIABLE = "BUN_CONFIG_MAX_HTTP_REQUESTS";
const CAP = "65535";

/** Seconds that a resolved name is kept; Bun's own default of 30 is said here so that it cannot change unseen. */
const DNS_VARIABLE = "BUN_CONFIG_DNS_TIME_TO_LIVE_SECONDS";
const DNS_SECONDS = "30";

export interface Execution {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** This program and its arguments, as the operating system knows them. */
  readonly file: string;
  readonly args: readonly string[];
}

export interface Plan {
  readonly file: string;
  readonly args: string[];
  readonly env: Record<string, string>;
  /** What users pass beside the three standard ones, as in `--config <(decrypt weir.yaml)`. */
  readonly descriptors: readonly number[];
}

/** Most that shells give; bash counts down from 63. */
const LAST_DESCRIPTOR = 255;

/** What to start, or undefined when this process has what it needs. */
export function planReexec({ env, file, args }: Execution): Plan | undefined {
  if (env[MARKER] !== undefined || env[CAP_VARIABLE] === CAP) return undefined;
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) if (value !== undefined) kept[name] = value;
  kept[MARKER] = "1";
  kept[CAP_VARIABLE] = CAP;
  kept[DNS_VARIABLE] ??= DNS_SECONDS;
  const named = [...args, ...Object.values(kept)].flatMap((text) => [
    ...text.matchAll(/\/(?:dev|proc\/self)\/fd\/(\d{1,3})(?!\d)/g),
  ]);
  const descriptors = new Set(named.map(([, number]) => Number(number)));
  return {
    file,
    args: [file, ...args],
    env: kept,
    descriptors: [...descriptors]
      .filter((each) => each > 2 && each <= LAST_DESCRIPTOR)
      .toSorted((a, b) => a - b),
  };
}

/** Replaces the process if needed. Returns only in the process that may go on, or with the exit code of a child. */
export async function reexec(execution: Execution): Promise<{ readonly exitCode: number } | undefined> {
  const plan = planReexec(execution);
  if (plan === undefined) return undefined;
  const isWindows = process.platform === "win32";
  const descriptors = isWindows ? [] : plan.descriptors.filter(isOpen);
  // Bun closes all others at execve.
  if (process.execve !== undefined && !isWindows && descriptors.length === 0)
    process.execve(plan.file, plan.args, plan.env);
  const stdio: ("inherit" | "ignore" | number)[] = ["inherit", "inherit", "inherit"];
  for (let each = 3; each <= (descriptors.at(-1) ?? 0); each += 1)
    stdio.push(descriptors.includes(each) ? each : "ignore");
  // In a group of its own, so that Ctrl-C reaches it once: from us. On Windows the console tells it.
  const child = Bun.spawn(plan.args, { env: plan.env, stdio: stdio as SpawnStdio, detached: !isWindows });
  process.on("SIGINT", () => !isWindows && child.kill("SIGINT"));
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  if (!isWindows) process.on("SIGHUP", () => child.kill("SIGHUP"));
  return { exitCode: await child.exited };
}

/** Bun's types end at three; more are passed on as they are. */
type SpawnStdio = ["inherit", "inherit", "inherit"];

function isOpen(descriptor: number): boolean {
  try {
    fstatSync(descriptor);
    return true;
  } catch {
    return false; // whoever reads it says so
  }
}
