// The compiled binary, built once a test run, and ways to run it as a user would.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buildBinary } from "./build.ts";

let built: string | undefined;

/** Files share it, so it goes when all of them have run. */
export function removeBinary(): void {
  if (built !== undefined) rmSync(dirname(built), { recursive: true, force: true });
}

/** For a `beforeAll` that builds: a busy machine takes much of the time that a single test has. */
export const BUILD_PATIENCE_MS = 180_000;

/** The path of a freshly built binary. */
export function weirBinary(): string {
  built ??= buildBinary(join(mkdtempSync(join(tmpdir(), "weir-binary-")), "weir"));
  return built;
}

export interface RunningBinary {
  readonly url: string;
  readonly pid: number;
  readonly kill: (signal: "SIGTERM" | "SIGINT" | "SIGHUP") => void;
  readonly exited: Promise<number>;
  /** Everything written so far. */
  readonly output: () => string;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
}

export interface BinaryOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly cwd?: string;
  /** The limit of open files. */
  readonly descriptors?: number;
  /** A configuration that comes through a pipe of the shell: `--config <(…)`. */
  readonly piped?: string;
}

/** Only what is given: the machine's own proxies and keys stay out. */
function environment(env: Readonly<Record<string, string>>): Record<string, string> {
  return { PATH: process.env["PATH"] ?? "", HOME: tmpdir(), ...env };
}

/** Runs a command to its end. */
export async function runBinary({
  env,
  args = [],
  cwd,
}: BinaryOptions): Promise<{ code: number; out: string; err: string }> {
  const child = Bun.spawn([weirBinary(), ...args], {
    env: environment(env),
    ...(cwd === undefined ? {} : { cwd }),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, out, err };
}

/** Starts `weir serve` on a free port and waits for its address. */
export async function startBinary({
  env,
  args = [],
  cwd,
  descriptors,
  piped,
}: BinaryOptions): Promise<RunningBinary> {
  const limited = descriptors === undefined ? [] : ["sh", "-c", `ulimit -n ${descriptors}; exec "$@"`, "sh"];
  const fed =
    piped === undefined
      ? []
      : ["bash", "-c", `text=$1; shift; exec "$@" --config <(printf %s "$text")`, "bash", piped];
  const child = Bun.spawn([...limited, ...fed, weirBinary(), "--port", "0", ...args], {
    env: environment(env),
    ...(cwd === undefined ? {} : { cwd }),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  let text = "";
  const listening = Promise.withResolvers<string>();
  const collect = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      text += decoder.decode(chunk, { stream: true });
      const url = /weir listens on (http:\/\/\S+)/.exec(text)?.[1];
      if (url !== undefined) listening.resolve(url);
    }
  };
  const collected = Promise.all([collect(child.stdout), collect(child.stderr)]);
  void child.exited.then((code) => listening.reject(new Error(`weir ended with ${code}: ${text}`)));
  const url = await listening.promise;
  return {
    url,
    pid: child.pid,
    kill: (signal) => child.kill(signal),
    exited: child.exited,
    output: () => text,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
      await collected;
    },
  };
}
