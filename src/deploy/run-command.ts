// Runs a command of the desk: words and text in, text out, for no longer than it may take.

export type Called =
  | {
      readonly kind: "ended";
      readonly output: string;
      readonly complaints: string;
      readonly exitCode: number;
    }
  | { readonly kind: "failed"; readonly reason: string };

export interface Call {
  readonly input: string;
  readonly timeoutMs: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Ends it, and starts none after that. */
  readonly signal?: AbortSignal;
}

/** What is still in the pipes of a command that has ended comes at once. */
const LINGER_MS = 500;

export async function runCommand(
  words: readonly string[],
  { input, timeoutMs, environment, signal }: Call,
): Promise<Called> {
  if (signal?.aborted === true) return { kind: "failed", reason: INTERRUPTED };
  let child: Bun.Subprocess<Buffer, "pipe", "pipe">;
  try {
    child = Bun.spawn([...words], {
      stdin: Buffer.from(input),
      stdout: "pipe",
      stderr: "pipe",
      env: environment,
      // A Ctrl-C is for weir, which has services to stop through these; a group of its own keeps it from them.
      detached: true,
    });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { kind: "failed", reason: `cannot run ${words[0] ?? "nothing"}: ${error.message}` };
  }
  let cut: string | undefined;
  const end = (reason: string): void => {
    cut ??= reason;
    endGroup(child);
  };
  const late = setTimeout(() => end(`no answer within ${Math.round(timeoutMs / 1000)} s`), timeoutMs);
  const onAbort = (): void => end(INTERRUPTED);
  signal?.addEventListener("abort", onAbort, { once: true });
  const [output, complaints] = [gather(child.stdout), gather(child.stderr)];
  const exitCode = await child.exited;
  clearTimeout(late);
  signal?.removeEventListener("abort", onAbort);
  // The master that ssh leaves in the background has standard error open for as long as it lives, before OpenSSH 8.5
  // (bugzilla.mindrot.org 1988).
  const linger = Promise.withResolvers<void>();
  const lingered = setTimeout(linger.resolve, LINGER_MS);
  await Promise.race([Promise.all([output.ended, complaints.ended]), linger.promise]);
  clearTimeout(lingered);
  const [told, complained] = [output.take(), complaints.take()];
  return cut === undefined
    ? { kind: "ended", output: told, complaints: complained, exitCode }
    : { kind: "failed", reason: cut };
}

const INTERRUPTED = "interrupted";

/** With what it started, such as a ProxyCommand. */
function endGroup(child: Bun.Subprocess): void {
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    child.kill("SIGKILL"); // no group, or none any more
  }
}

function gather(stream: ReadableStream<Uint8Array>) {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = "";
  const read = async (): Promise<void> => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += decoder.decode(value, { stream: true });
    }
  };
  return {
    ended: read(),
    take(): string {
      void reader.cancel();
      return text;
    },
  };
}
