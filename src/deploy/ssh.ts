// Runs scripts on nodes through the user's own OpenSSH: their configuration, agent, jump hosts and known hosts. Nothing is
// asked at a prompt. One connection a node is shared by all calls, through a socket in a folder of our own.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isComplete, type NodeAnswer, printable, readAnswer } from "./answers.ts";
import { type Called, runCommand } from "./run-command.ts";

export type Told =
  | { readonly kind: "answer"; readonly answer: NodeAnswer }
  | { readonly kind: "failed"; readonly reason: string };

/** Calls that run when it is disposed of are ended. */
export interface Ssh extends AsyncDisposable {
  /** Runs a script of this room on a node. */
  readonly run: (host: string, script: string, timeoutMs: number) => Promise<Told>;
  readonly wayTo: (host: string) => Promise<Way>;
}

/** What the user's configuration makes of a name. */
export interface Way {
  /** Its HostName: where HTTP goes, too. */
  readonly address: string;
  /** Where two names have the same one they are the same node; undefined where that cannot be told. */
  readonly place: string | undefined;
}

export interface SshTerms {
  /** `ssh`, or that with further arguments. */
  readonly command: readonly string[];
  /** Calls that run at once. */
  readonly parallel: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const CONNECT_SECONDS = 10;
const LOCAL_CALL_MS = 10_000;
/** A socket's path has at most 104 characters on macOS, of which `%C` and ssh's own suffix take 60. */
const LONGEST_FOLDER = 40;

export function openSsh({ command, parallel, environment }: SshTerms): Ssh {
  const folder = makeFolder(environment["TMPDIR"] || tmpdir());
  const options = [
    "-o",
    "BatchMode=yes",
    "-o",
    `ConnectTimeout=${CONNECT_SECONDS}`,
    ...(folder !== undefined
      ? ["-o", "ControlMaster=auto", "-o", `ControlPath=${join(folder, "%C")}`, "-o", "ControlPersist=60"]
      : []),
  ];
  const used = new Set<string>();
  const free = createBound(parallel);
  const leaving = new AbortController();
  const { signal } = leaving;
  const call = (words: readonly string[], input: string, timeoutMs: number): Promise<Called> =>
    runCommand([...command, ...words], { input, timeoutMs, environment, signal });
  return {
    run: (host, script, timeoutMs) =>
      free(async () => {
        used.add(host);
        const called = await call([...options, "-T", "--", host, "exec sh -s"], script, timeoutMs);
        if (called.kind === "failed") return called;
        if (isComplete(called.output)) return { kind: "answer", answer: readAnswer(called.output) };
        const reason =
          lastLine(called.complaints) ?? `${command.join(" ")} ended with code ${called.exitCode}`;
        return { kind: "failed", reason };
      }),
    wayTo: async (host) => {
      const bare = host.slice(host.lastIndexOf("@") + 1);
      const called = await free(() => call(["-G", "--", host], "", LOCAL_CALL_MS));
      const settings = called.kind === "failed" ? "" : called.output;
      const read = (name: string): string | undefined =>
        new RegExp(`^${name} (.+)$`, "m").exec(settings)?.[1];
      const address = read("hostname");
      if (address === undefined) return { address: bare, place: undefined };
      // A command may lead anywhere by the name as it was typed (%n).
      if (read("proxycommand") !== undefined) return { address, place: undefined };
      const place = [address, read("port"), read("hostkeyalias"), read("proxyjump")].join(" ");
      return { address, place };
    },
    [Symbol.asyncDispose]: async () => {
      leaving.abort();
      const last = createBound(parallel);
      const end = (host: string): Promise<Called> => {
        const words = [...command, ...options, "-O", "exit", "--", host];
        return last(() => runCommand(words, { input: "", timeoutMs: LOCAL_CALL_MS, environment }));
      };
      if (folder === undefined) return;
      await Promise.all([...used].map(end));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** For the sockets; undefined where none can be: then every call has a connection of its own. */
function makeFolder(base: string): string | undefined {
  if (process.platform === "win32" || join(base, "weir-ssh-XXXXXX").length > LONGEST_FOLDER) return undefined;
  try {
    return mkdtempSync(join(base, "weir-ssh-"));
  } catch (error) {
    if (error instanceof Error && "code" in error) return undefined;
    throw error;
  }
}

/** ssh says what went wrong last; before it may stand banners and warnings. */
const lastLine = (text: string): string | undefined =>
  text
    .split("\n")
    .map((line) => printable(line).trim())
    .findLast((line) => line !== "");

/** Lets so many run at once, in the order of asking. */
function createBound(most: number): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= most) await new Promise<void>((resolve) => void waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
