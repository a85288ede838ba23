// `weir bench` as a process of its own, as its users start it, and its report as JSON.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const MAIN = join(import.meta.dir, "../../src/main.ts");

/** Of the JSON report, what tests look at. */
export interface BenchReport {
  readonly schema: string;
  readonly endedBy: string;
  readonly measuredMs: number;
  readonly plan: { readonly workers: number; readonly apiKeys: number; readonly models: unknown };
  readonly requests: Readonly<
    Record<"started" | "done" | "ok" | "failed" | "unfinished" | "warmUp" | "perSecond", number>
  >;
  readonly latencyMs: Times | null;
  readonly firstTokenMs: Times | null;
  readonly gapMs: Times | null;
  readonly tokens: { readonly chunks: number; readonly reportedOutput: number };
  readonly errors: readonly { readonly text: string; readonly times: number }[];
  readonly client: {
    readonly connections: number;
    readonly cpuMs: number;
    readonly cpuPerChunkUs: number | null;
  };
  readonly seconds: readonly { readonly latencyP50Ms: number | null; readonly inFlight: number }[];
  readonly problems: readonly string[];
}

type Times = Readonly<
  Record<"count" | "min" | "mean" | "p50" | "p90" | "p95" | "p99" | "p999" | "max", number>
>;

export interface BenchRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** Of a run with `--json -`. */
  readonly report: () => BenchReport;
}

export interface RunningBench {
  readonly kill: (signal: "SIGINT" | "SIGTERM" | "SIGKILL") => void;
  readonly pid: number;
  readonly err: () => string;
  readonly ended: Promise<BenchRun>;
}

export function startBench(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  command: readonly string[] = [process.execPath, MAIN],
): RunningBench {
  const child = Bun.spawn([...command, "bench", ...args], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  let err = "";
  const collected = (async () => {
    const decoder = new TextDecoder();
    for await (const piece of child.stderr) err += decoder.decode(piece, { stream: true });
  })();
  const ended = (async (): Promise<BenchRun> => {
    const [out, code] = await Promise.all([new Response(child.stdout).text(), child.exited, collected]);
    return {
      code,
      out,
      err,
      report: () => {
        if (!out.startsWith("{")) throw new Error(`no report but: ${out}${err}`);
        return JSON.parse(out);
      },
    };
  })();
  return { kill: (signal) => child.kill(signal), pid: child.pid, err: () => err, ended };
}

/** The processes that another one has started. */
export function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
    .trim()
    .split(" ")
    .filter((text) => text !== "")
    .map(Number);
}

export const runBenchProcess = (
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<BenchRun> => startBench(args, env).ended;
