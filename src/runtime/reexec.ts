// Starts the process anew with the variables that Bun reads only at its very start; same process id where possible.

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

/** What to start, or undefined when this process has what it needs. */
export function planReexec({
  env,
  file,
  args,
}: Execution): { file: string; args: string[]; env: Record<string, string> } | undefined {
  if (env[MARKER] !== undefined || env[CAP_VARIABLE] === CAP) return undefined;
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) if (value !== undefined) kept[name] = value;
  kept[MARKER] = "1";
  kept[CAP_VARIABLE] = CAP;
  kept[DNS_VARIABLE] ??= DNS_SECONDS;
  return { file, args: [file, ...args], env: kept };
}

/** Replaces the process if needed. Returns only in the process that may go on, or with the exit code of a child. */
export async function reexec(execution: Execution): Promise<{ readonly exitCode: number } | undefined> {
  const plan = planReexec(execution);
  if (plan === undefined) return undefined;
  if (process.execve !== undefined && process.platform !== "win32")
    process.execve(plan.file, plan.args, plan.env);
  // Windows has no execve: a child does the work, and gets our signals from the console it shares with us.
  const child = Bun.spawn(plan.args, { env: plan.env, stdio: ["inherit", "inherit", "inherit"] });
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  return { exitCode: await child.exited };
}
